//! Reads the numbers that a paginator needs: the first page, the largest page size.

use crate::spec::api::Api;

use super::node::Node;
use super::roles::Param;

/// Returns the number of the first page, from the description, the default, or the minimum.
pub(super) fn first(api: &Api, param: &Param) -> Option<u64> {
    let node = Node::of_schema(api, param.schema);
    let default = node.default().and_then(|default| match default {
        serde_json::Value::String(text) => text.trim().parse().ok(),
        other => other.as_u64(),
    });
    let text = &param.description;
    let zero = [
        "zero-based",
        "zero based",
        "0-based",
        "0-indexed",
        "zero-indexed",
        "starts at 0",
        "starting at 0",
        "starting from 0",
        "starts from 0",
        "first page is 0",
        "zero indexed",
        "begins at 0",
        "starts with 0",
        "index 0",
    ];
    let one = [
        "one-based",
        "1-based",
        "1-indexed",
        "starts at 1",
        "starting at 1",
        "starting from 1",
        "starts from 1",
        "first page is 1",
        "begins at 1",
        "starts with 1",
    ];
    if zero.iter().any(|sign| text.contains(sign)) {
        return Some(0);
    }
    if one.iter().any(|sign| text.contains(sign)) {
        return Some(1);
    }
    default
        .filter(|first| *first <= 1)
        .or_else(|| match node.minimum() {
            Some(0.0) => Some(0),
            Some(1.0) => Some(1),
            _ => None,
        })
}

/// Returns the largest page size, from the schema or the description.
pub(super) fn max_page_size(api: &Api, size: &Param) -> Option<u64> {
    let node = Node::of_schema(api, size.schema);
    if let Some(maximum) = node
        .maximum()
        .filter(|maximum| *maximum >= 1.0 && *maximum < 1e9)
    {
        // Some documents state only the maximum of the integer type.
        return Some(maximum as u64).filter(|maximum| *maximum < i32::MAX as u64);
    }
    let text = size.description.replace(',', "");
    let signs = [
        "max:",
        "maximum:",
        "maximum is",
        "maximum of",
        "maximum value is",
        "maximum allowed is",
        "max is",
        "max of",
        "maximum value of",
        "maximum limit is",
        "up to",
        "max.",
        "cannot exceed",
        "must not exceed",
        "no more than",
        "max value is",
        "maximum allowed value is",
        "maximum value:",
        "and no greater than",
        "at most",
        "less than or equal to",
        "maximum page size is",
        "(max",
        "maximum limit of",
        "capped at",
        "limited to",
        "max",
        "maximum",
        "<=",
    ];
    for sign in signs {
        if let Some(number) = text.split(sign).nth(1).and_then(leading_number) {
            return Some(number);
        }
    }
    // For example `between 1 and 100`, `1 to 100`, `1-100`.
    for (from, to) in [
        ("between", " and "),
        ("between", " to "),
        ("from", " to "),
        ("range", "-"),
        ("", " to "),
        ("", " and "),
    ] {
        let Some(rest) = text.split(from).nth(usize::from(!from.is_empty())) else {
            continue;
        };
        let mut ends = rest.split(to);
        let low = ends.next().and_then(|low| {
            low.trim()
                .rsplit(' ')
                .next()?
                .trim_start_matches(['`', '(', '['])
                .trim_end_matches('`')
                .parse::<u64>()
                .ok()
        });
        if let (Some(0 | 1), Some(high)) = (low, ends.next().and_then(leading_number)) {
            return Some(high);
        }
    }
    None
}

/// Reads a number at the start, after quotes at most.
fn leading_number(text: &str) -> Option<u64> {
    let text = text.trim_start_matches([' ', '`', '*', '=', ':', '"', '\'', '(']);
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits
        .parse()
        .ok()
        .filter(|number| (1..100_000_000).contains(number))
}
