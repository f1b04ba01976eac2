//! The `Link` header (RFC 8288), as far as paging needs it.

/// Returns the target of the link with the relation `next`, unresolved (it may be relative).
pub(crate) fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, behind)) = rest.split_once('<') {
        let (target, parameters) = behind.split_once('>')?;
        // A comma inside quotes does not end the link; `split_once('>')` has already skipped commas
        // inside `<>`.
        let mut quoted = false;
        let end = parameters
            .char_indices()
            .find(|&(_, c)| {
                quoted ^= c == '"';
                c == ',' && !quoted
            })
            .map_or(parameters.len(), |(at, _)| at);
        let is_next = parameters[..end].split(';').any(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                name.trim().eq_ignore_ascii_case("rel")
                    && value
                        .trim()
                        .trim_matches('"')
                        .split_whitespace()
                        .any(|rel| rel.eq_ignore_ascii_case("next"))
            })
        });
        if is_next {
            return Some(target);
        }
        rest = &parameters[end..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::next_link;

    #[test]
    fn finds_next_among_links() {
        let header =
            r#"<https://a/?q=x,y&page=1>; rel="prev", </p?page=3>; title="a, b"; rel="last next""#;
        assert_eq!(next_link(header), Some("/p?page=3"));
        assert_eq!(next_link(r#"<https://a>; rel="last""#), None);
        assert_eq!(next_link("<https://a>; REL=next"), Some("https://a"));
        assert_eq!(next_link("<https://a"), None);
    }
}
