//! Counts in messages.

/// Returns a count with its noun, in the singular or the plural.
///
/// ```
/// use etlgen_model::counted;
///
/// assert_eq!(counted(1, "record"), "1 record");
/// assert_eq!(counted(0, "page"), "0 pages");
/// assert_eq!(counted(2, "try"), "2 tries");
/// ```
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 {
        return format!("1 {noun}");
    }
    let stem = noun.strip_suffix('y');
    match stem.filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        Some(stem) => format!("{count} {stem}ies"),
        None => format!("{count} {noun}s"),
    }
}
