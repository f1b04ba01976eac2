//! Comparison operators as documents spell them: `gte`, `greater-or-equal`, `>=`.

use super::rules::rule;
use super::words::words;

/// An operator that keeps values later than a given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Later {
    /// Whether it also keeps an equal value.
    pub inclusive: bool,
}

/// Reads an operator that bounds from below: "greater than or equal to" in words, by its initials, or as a sign.
pub(super) fn later(operator: &str) -> Option<Later> {
    let found = match operator {
        ">" => Some(false),
        ">=" => Some(true),
        _ => in_words(operator).or_else(|| in_initials(operator)),
    };
    let inclusive = found.filter(|_| rule("a comparison", true))?;
    Some(Later { inclusive })
}

/// Returns the best of several operators: an inclusive one loses nothing.
pub(super) fn latest<'a>(operators: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let later = operators.filter_map(|operator| Some((operator, later(operator)?)));
    later
        .reduce(|best, other| match (best.1.inclusive, other.1.inclusive) {
            (false, true) => other,
            _ => best,
        })
        .map(|(operator, _)| operator)
}

/// Returns whether the name of a parameter has an operator that excludes an equal value: `created[gt]`, `updated_at__gt`,
/// `createdGreaterThan`.
pub(super) fn is_strict(name: &str) -> bool {
    let words = words(name);
    let ends = (0..words.len()).map(|from| words[from..].join("_"));
    let later = ends.filter_map(|operator| later(&operator)).next();
    later.is_some_and(|later| !later.inclusive)
}

/// Returns the operator of the other bound, in the same spelling.
pub(super) fn opposite(operator: &str) -> String {
    match operator.strip_prefix("greater") {
        Some(rest) => format!("less{rest}"),
        None => operator.replacen('g', "l", 1).replacen('>', "<", 1),
    }
}

fn in_words(operator: &str) -> Option<bool> {
    let words = words(operator);
    let (first, rest) = words.split_first()?;
    let glue = ["than", "or", "equal", "equals", "to", "eq"];
    let whole = first == "greater" && rest.iter().all(|word| glue.contains(&word.as_str()));
    whole.then(|| rest.iter().any(|word| word.starts_with("eq")))
}

/// Reads `gt`, `ge`, `gte`, `goe`, `gteq`: letters of the words in their order.
fn in_initials(operator: &str) -> Option<bool> {
    let short = operator.strip_suffix("eq").map(|rest| format!("{rest}e"));
    let short = short.as_deref().unwrap_or(operator);
    let mut letters = "gtoe".chars();
    let ordered = short.chars().all(|c| letters.any(|letter| letter == c));
    (short.starts_with('g') && short.len() > 1 && ordered && short != "go")
        .then(|| short.ends_with('e'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_in_every_spelling() {
        let inclusive = ["gte", "ge", "goe", "gteq", ">=", "greater-or-equal"];
        for operator in inclusive.iter().chain(&["greater_than_or_equal_to"]) {
            assert_eq!(
                later(operator),
                Some(Later { inclusive: true }),
                "{operator}"
            );
        }
        for operator in ["gt", ">", "greater-than"] {
            assert_eq!(
                later(operator),
                Some(Later { inclusive: false }),
                "{operator}"
            );
        }
        for other in [
            "g",
            "go",
            "lte",
            "equals",
            "get",
            "group",
            "generation",
            "greatest",
        ] {
            assert_eq!(later(other), None, "{other}");
        }
        assert_eq!(latest(["lt", "gt", "gte"].into_iter()), Some("gte"));
        assert_eq!(opposite("gte"), "lte");
        assert_eq!(opposite("greater-or-equal"), "less-or-equal");
    }
}
