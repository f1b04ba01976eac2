//! Line endings, which do not count.

/// Returns a text with `\n` as line ending. git may convert files at each checkout, so that texts
/// are compared, hashed and merged in this form only.
pub fn unix(text: String) -> String {
    match text.contains("\r\n") {
        true => text.replace("\r\n", "\n"),
        false => text,
    }
}
