//! Decides from an operation's own words whether it returns a list.

use crate::spec::api::Operation;

use super::rules::tells;
use super::words::words;

/// Returns 1 if summary and operation id describe a list, -1 for one object, 0 for neither.
pub(super) fn list_or_single(operation: &Operation) -> i32 {
    let summary = operation.summary.to_lowercase();
    let description = operation.description.to_lowercase();
    let first = description.split(['.', '\n']).next().unwrap_or_default();
    let id = operation.id.as_deref().map(words).unwrap_or_default();
    let lists = [
        "list ",
        "lists ",
        "returns a list",
        "get all",
        "gets all",
        "get a list",
        "returns all",
        "fetch all",
        "retrieve all",
        "retrieves all",
        "a list of",
        "all the ",
        "retrieves a list",
        "list of",
        "collection of",
        "an array of",
        "get multiple",
    ];
    let singles = [
        "get a ",
        "get an ",
        "retrieve a ",
        "retrieve an ",
        "retrieves the ",
        "get one ",
        "a single",
        "get information about",
        "get details",
        "returns the details",
        "returns information",
        "retrieves a ",
        "retrieves an ",
        "returns a single",
        "shows details",
        "show a ",
    ];
    let texts = [summary.as_str(), first];
    let starts = |text: &str| text.starts_with("list") || text.starts_with("all ");
    let listed = texts
        .iter()
        .any(|text| starts(text) || tells("said of a list", text, &lists))
        || id.first().is_some_and(|word| word == "list")
        || (id.last().is_some_and(|word| word == "list") && !id.iter().any(|word| word == "by"))
        || id.iter().take(2).any(|word| word == "all");
    let one = texts
        .iter()
        .any(|text| tells("said of one", text, &singles));
    i32::from(listed) - i32::from(one && !listed)
}
