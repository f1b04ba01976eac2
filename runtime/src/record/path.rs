//! Dotted paths, with which declarations name a value in a JSON body.

/// Splits a path into keys: `meta.next` has two; a key that contains dots is written in brackets
/// and quotes: `['@odata.nextLink']`.
pub(crate) fn parse_path(path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some((key, after)) = rest
            .strip_prefix("['")
            .and_then(|quoted| quoted.split_once("']"))
        {
            keys.push(key.to_owned());
            rest = after;
            continue;
        }
        let skip = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest[skip..]
            .find(['.', '['])
            .map_or(rest.len(), |at| at + skip);
        keys.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::parse_path;

    #[test]
    fn keys_with_dots_stand_in_brackets() {
        for (path, keys) in [
            ("", &[] as &[&str]),
            ("data", &["data"]),
            ("meta.next", &["meta", "next"]),
            ("['@odata.nextLink']", &["@odata.nextLink"]),
            ("a['b.c'].d", &["a", "b.c", "d"]),
            ("a[0]", &["a", "[0]"]),
        ] {
            assert_eq!(parse_path(path), keys, "{path}");
        }
    }
}
