//! What the keys of a record say about one of its lists by the name of the list: `tags_count`,
//! `has_more_tags`, `tags@odata.nextLink`.

use super::Said;

/// Objects of a record that count its lists: `{"stats": {"tags": 3}}`.
const COUNTERS: [&str; 7] = [
    "count",
    "counters",
    "counts",
    "size",
    "statistics",
    "stats",
    "totals",
];

/// Returns what a key says about the list of that name in the same object; `None`: nothing.
pub(super) fn about(key: &str, list: &str) -> Option<Said> {
    if !may_be_about(key) {
        return None;
    }
    let (key, list) = (plain(key), plain(list));
    let forms = [list.clone(), singular(&list)];
    let named = |said| (!list.is_empty()).then_some(said);
    // The word before the name of the list, or behind it.
    forms.iter().find_map(|form| {
        let before = key.strip_suffix(form.as_str());
        let behind = key.strip_prefix(form.as_str());
        let is_list = *form == list;
        if behind == Some("count")
            || is_list
                && (matches!(behind, Some("total" | "totalcount" | "num"))
                    || before.is_some_and(counts))
        {
            return named(Said::Total);
        }
        let cuts = matches!(behind, Some("truncated" | "istruncated" | "incomplete"));
        let more = matches!(behind, Some("hasmore" | "more" | "hasnext"))
            || matches!(before, Some("hasmore" | "more" | "truncated"));
        let more = is_list && more;
        if cuts || more {
            return named(Said::More);
        }
        const NEXT: [&str; 9] = [
            "next",
            "nextcursor",
            "nexthref",
            "nextlink",
            "nextpage",
            "nextpagetoken",
            "nexttoken",
            "nexturl",
            "odatanextlink",
        ];
        let leads = is_list && behind.is_some_and(|behind| NEXT.contains(&behind));
        leads.then_some(Said::Next).and_then(named)
    })
}

fn counts(before: &str) -> bool {
    matches!(
        before,
        "total" | "num" | "numberof" | "countof" | "n" | "nb"
    )
}

/// Returns whether a key of an object that counts lists counts that one: `tags`, `tags_count`.
pub(super) fn counts_below(key: &str, list: &str) -> bool {
    let (plain_key, plain_list) = (plain(key), plain(list));
    !plain_list.is_empty() && (plain_key == plain_list || plain_key == singular(&plain_list))
        || about(key, list) == Some(Said::Total)
}

/// Returns whether the object under a key counts lists beside it: `stats`, `_count`.
pub(super) fn holds_counts(key: &str) -> bool {
    let key = key.trim_matches(|c: char| !c.is_alphanumeric());
    COUNTERS.iter().any(|name| key.eq_ignore_ascii_case(name))
}

/// Returns whether the object under a key has lists of the record: `_embedded`.
pub(super) fn is_embedded(key: &str) -> bool {
    key == "_embedded"
}

/// Returns whether a flag of that name is about the only list of a record.
pub(super) fn is_cut(key: &str) -> bool {
    ["truncated", "is_truncated", "isTruncated"].contains(&key)
}

/// Returns whether a key may be about some list by its name: most keys of records are not, and are not
/// looked at closely.
fn may_be_about(key: &str) -> bool {
    super::may_count(key)
        || ["ore", "ext", "runcated", "ncomplete"]
            .iter()
            .any(|part| key.contains(part))
        || is_short_count(key)
}

/// Returns whether a key begins like `nTags`, `nb_tags`.
fn is_short_count(key: &str) -> bool {
    let rest = key.strip_prefix("nb").or_else(|| key.strip_prefix('n'));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c == '_' || c.is_ascii_uppercase()))
}

/// Returns whether a value may say something about a list of a record by its name.
pub(in crate::record) fn may_name(key: &str, json: &str) -> bool {
    match json.bytes().next() {
        Some(b'{') => holds_counts(key) || is_embedded(key),
        Some(b't') => key.contains("ore") || key.contains("runcated") || key.contains("ncomplete"),
        Some(b'"') => json.len() > 2 && key.contains("ext"),
        Some(b'1'..=b'9') => is_short_count(key) || super::may_count(key),
        _ => false,
    }
}

/// Returns the letters and digits of a name in lower case.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn singular(list: &str) -> String {
    match list.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => list.strip_suffix('s').unwrap_or(list).to_owned(),
    }
}
