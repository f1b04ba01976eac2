//! Parameters in the path of a URL.

/// Returns the `{names}` in the path of a URL.
pub(crate) fn placeholders(path: &str) -> impl Iterator<Item = &str> {
    let rest = path.split('{').skip(1);
    rest.filter_map(|rest| Some(rest.split_once('}')?.0))
}
