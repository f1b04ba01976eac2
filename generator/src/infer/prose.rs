//! Reads descriptions about paging that add to the schemas.

use crate::spec::api::Parameter;

use super::roles::{Param, Roles};
use super::rules::{rule, tells};
use super::words::says;

/// Returns whether the parameter cannot reach all rows: `page * limit must be less than 1000`.
pub(super) fn is_capped(param: &Param) -> bool {
    let text = &param.description;
    let product = text.contains(" * ") || text.contains(" x ") || text.contains(" + ");
    let bounds = ["less than", "exceed", "maximum", "at most"];
    product && tells("a capped product", text, &bounds)
}

/// Returns whether a parameter is a second way to page that needs a switch (`usemarker`), next to
/// one that does not.
pub(super) fn is_backup(param: &Param, roles: &Roles) -> bool {
    let signs = ["requires", "must be set to", "set to `true`", "to be set"];
    let wants_switch = tells("wants a switch", &param.description, &signs);
    wants_switch && roles.offset.is_some()
}

/// Returns whether a parameter is required, by its schema or its text: "(Required) The id".
pub(super) fn is_required(parameter: &Parameter) -> bool {
    let text = parameter.description.trim_start().to_lowercase();
    let told = ["(required)", "required.", "required:", "**required**"];
    parameter.required
        || rule(
            "required by text",
            told.iter().any(|sign| text.starts_with(sign)),
        )
}

/// Returns the token of the first page according to a parameter's description: "Pass an empty string
/// for the first page", "Use `*` for the first request".
pub(super) fn first_token(text: &str) -> Option<&'static str> {
    if !text.contains("first") {
        return None;
    }
    if tells("an empty first token", text, &["empty string"]) {
        return Some("");
    }
    tells("a star as first token", text, &["`*`", "'*'", "\"*\""]).then_some("*")
}

/// Returns the place of the next token according to the prose of a document: "`next_page` with an
/// `offset`", "`paging.next`".
pub(super) fn stated_token(text: &str, param: &str) -> Option<String> {
    let parts: Vec<&str> = text.split('`').collect();
    for (index, part) in parts.iter().enumerate().skip(1).step_by(2) {
        let path_like = part
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'));
        if !path_like || !part.starts_with("next") && !part.contains(".next") {
            continue;
        }
        let joined = parts.get(index + 1).map(|between| between.trim());
        if matches!(
            joined,
            Some(
                "with an"
                    | "with a"
                    | "object with an"
                    | "object with a"
                    | "containing an"
                    | "object's"
            )
        ) && rule(
            "a token told in two words",
            parts.get(index + 2) == Some(&param),
        ) {
            return Some(format!("{part}.{param}"));
        }
        if rule(
            "a token told by its path",
            part.contains('.') && part.rsplit('.').next() == Some(param),
        ) {
            return Some((*part).to_owned());
        }
    }
    None
}

/// Returns whether prose mentions a `Link` header for paging.
pub(super) fn speaks_of_link_header(prose: &str) -> bool {
    (says(prose, "link header") || says(prose, "`link` header"))
        && (prose.contains("paginat") || prose.contains("next page"))
}

/// Returns the names that a description lists: "a comma-separated list of: id, name or url", or
/// bullets in code.
pub(super) fn listed(text: &str) -> Vec<String> {
    let is_name = |word: &&str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_alphanumeric() || "_.-".contains(c))
    };
    let bullets = text.lines().filter_map(|line| {
        let item = line.trim_start().strip_prefix(['*', '-'])?.trim_start();
        item.strip_prefix('`')?.split('`').next()
    });
    let after = ["list of:", "one of:", "any of:"];
    let rest = after
        .iter()
        .find_map(|sign| Some(text.split_once(sign)?.1))
        .unwrap_or_default();
    let parts = rest.split([',', '\n', ';']);
    let parts = parts.flat_map(|part| part.split(" or ").flat_map(|part| part.split(" and ")));
    let names = parts.map(|part| part.trim().trim_matches(['`', '.', '"', '\'']));
    bullets
        .chain(names)
        .filter(is_name)
        .map(str::to_owned)
        .collect()
}
