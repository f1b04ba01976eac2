//! Infers the role of a parameter in paging from its description alone.

use super::node::Node;
use super::rules::{rule, tells};
use super::words::{says, words};

/// A role in paging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Size,
    Page,
    Offset,
    Cursor,
    LastId,
}

/// Reads a description, in lower case; `None`: it does not mention pages, or not clearly.
pub(super) fn described(name: &str, text: &str, node: &Node<'_>) -> Option<Part> {
    let raw = text;
    let plain: String = text.chars().filter(|c| !"'\"`*".contains(*c)).collect();
    let text = plain.as_str();
    let dated = matches!(node.format(), Some("date" | "date-time"));
    if text.is_empty() || node.is_boolean() || dated || !node.values().is_empty() {
        return None;
    }
    let counts = node.is_integer() || !node.is_scalar();
    if told_field(raw).is_some() {
        return Some(Part::LastId);
    }
    if counts && is_size(text) {
        return Some(Part::Size);
    }
    if counts && is_offset(text) {
        return Some(Part::Offset);
    }
    if counts && is_page(text) {
        return Some(Part::Page);
    }
    if node.is_integer() || goes_back(name) || !turns_pages(text) {
        return None;
    }
    if names_a_record(text) {
        return Some(Part::LastId);
    }
    rule("a text that speaks of a token for pages", is_opaque(text)).then_some(Part::Cursor)
}

/// Returns the field of a record whose last value a parameter takes: "The largest `number` that earlier
/// calls returned".
pub(super) fn told_field(text: &str) -> Option<String> {
    let (before, rest) = text.split_once('`')?;
    let (field, after) = rest.split_once('`')?;
    let last = ["largest", "highest", "last", "latest", "greatest"];
    let earlier = ["earlier", "previous", "before", "so far"];
    let is_last = last.iter().any(|word| says(before, word));
    let is_earlier = earlier.iter().any(|word| says(after, word)) && after.contains("return");
    let name = field.chars().all(|c| c.is_alphanumeric() || c == '_') && !field.is_empty();
    rule("a field's last value", is_last && is_earlier && name).then(|| field.to_owned())
}

/// Returns whether a text has words that occur for opaque tokens only.
pub(super) fn is_opaque(text: &str) -> bool {
    let signs = [
        "token",
        "cursor",
        "opaque",
        "returned by",
        "returned from",
        "previous response",
        "previous page of results",
    ];
    tells("opaque", text, &signs)
}

/// Returns whether a text keeps a parameter or a field from clients: "Reserved.", "Reserved for internal use".
pub(super) fn is_reserved(text: &str) -> bool {
    let text = text.trim().to_lowercase();
    rule(
        "reserved for the vendor",
        text.trim_end_matches('.') == "reserved"
            || text.starts_with("reserved for")
            || text.starts_with("for internal use"),
    )
}

/// Returns whether a text says that the server writes the value into its links and clients do not
/// set it.
pub(super) fn is_set_by_server(text: &str) -> bool {
    let client = text.contains("client");
    let never = says(text, "not") || says(text, "never");
    let server = says(text, "server") || text.contains("link");
    rule("a value of the server's links", client && never && server)
}

/// Returns whether a text says that a parameter counts rows: "counted from zero", "the number of rows
/// to skip".
pub(super) fn counts_rows(text: &str) -> bool {
    let counted = [
        "zero-based",
        "zero based",
        "0-based",
        "from zero",
        "counted from",
        "starting index",
        "index position",
        "index of",
        "number of",
    ];
    is_offset(text) || tells("rows are counted", text, &counted)
}

/// Returns whether a parameter asks for the previous page: `ending_before`, `prev_cursor`.
pub(super) fn goes_back(name: &str) -> bool {
    let back = ["before", "ending", "previous", "prev", "backward"];
    words(name).iter().any(|word| back.contains(&word.as_str()))
}

/// Returns whether a text describes a page size: "the maximum number of items to return".
fn is_size(text: &str) -> bool {
    let amounts = ["number of", "how many", "maximum", "amount of", "limit"];
    let units = [
        "per page",
        "per request",
        "to return",
        "to retrieve",
        "to fetch",
        "returned",
        "in the response",
        "in a page",
        "in each page",
        "in one page",
    ];
    let whole = [
        "page size",
        "size of the page",
        "size of each page",
        "results per page",
        "items per page",
    ];
    let other = ["to skip", "skip the", "page number", "offset", "index of"];
    let size = tells("text of a size", text, &whole)
        || tells("text of an amount", text, &amounts)
            && tells("text of a page's rows", text, &units);
    size && !other.iter().any(|sign| text.contains(sign))
}

/// Returns whether a text describes a page number: "which page of results to return".
fn is_page(text: &str) -> bool {
    let signs = [
        "page number",
        "number of the page",
        "page of results",
        "page of the results",
        "which page",
        "page to return",
        "page to retrieve",
        "page to fetch",
        "page index",
        "index of the page",
        "page you want",
    ];
    let other = ["per page", "page size", "number of pages"];
    tells("text of a page", text, &signs) && !other.iter().any(|sign| text.contains(sign))
}

/// Returns whether a text describes an offset: "the number of rows to skip".
fn is_offset(text: &str) -> bool {
    let signs = [
        "to skip",
        "skip the first",
        "skipped",
        "index of the first",
        "starting index",
        "start index",
        "starting offset",
        "pagination offset",
        "offset from the",
        "offset of the first",
        "offset into",
        "offset of the item",
        "from this offset",
        "page offset",
    ];
    tells("text of an offset", text, &signs)
}

/// Returns whether a text is about continuing a list, not about selecting rows.
pub(super) fn turns_pages(text: &str) -> bool {
    let signs = [
        "next page",
        "paginat",
        "page of results",
        "next set",
        "continue",
        "next batch",
        "starting point",
        "begin returning",
        "paging",
        "next results",
        "more results",
        "place in the list",
        "position in the list",
    ];
    tells("about pages", text, &signs)
}

/// Returns whether the parameter takes the id of the last record of a page.
pub(super) fn names_a_record(text: &str) -> bool {
    let id = says(text, "id") || says(text, "identifier");
    let signs = [
        "object id",
        "an id",
        "record id",
        "item id",
        "s id",
        "id of the",
        "last id",
        " id;",
        "identifier of the last",
    ];
    id && tells("text of a record's id", text, &signs)
}
