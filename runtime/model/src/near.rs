//! Finds the name that is nearest to a wanted one.

/// Returns the name that is nearest to `wanted`, if it is near enough to be meant.
///
/// ```
/// let names = ["page_number", "offset", "token"];
/// assert_eq!(etlgen_model::nearest("PageNumber", names), Some("page_number"));
/// assert_eq!(etlgen_model::nearest("everything", names), None);
/// ```
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    let most = wanted.chars().count() / 3 + 1;
    let far = names
        .into_iter()
        .map(|name| (distance(&wanted, &name.to_lowercase()), name));
    far.filter(|(far, _)| *far <= most)
        .min_by_key(|(far, _)| *far)
        .map(|(_, name)| name)
}

/// Returns the edit distance: the number of letters to replace, insert or delete.
///
/// ```
/// assert_eq!(etlgen_model::distance("cursor", "cursors"), 1);
/// ```
pub fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (at, wanted) in other.iter().enumerate() {
            let replaced = corner + usize::from(letter != *wanted);
            corner = row[at + 1];
            row[at + 1] = replaced.min(corner + 1).min(row[at] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Quotes and joins names: `` `a`, `b` ``.
pub(crate) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// Returns ``; the nearest is `token` ``, or an empty text.
pub(crate) fn hint<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wanted, names).map_or(String::new(), |near| format!("; the nearest is `{near}`"))
}
