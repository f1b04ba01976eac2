//! Paths in a JSON body, in the runtime's syntax: keys joined with dots, and `['a.b']` for a key
//! that holds dots itself.

/// Writes keys as a path for a declaration.
pub fn write(keys: &[String]) -> String {
    let mut out = String::new();
    for key in keys {
        if key.is_empty() || key.contains(['.', '[']) {
            out.push_str(&format!("['{key}']"));
            continue;
        }
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(key);
    }
    out
}

/// Reads the keys of a path in a declaration.
pub fn parse(path: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        let quoted = rest
            .strip_prefix("['")
            .and_then(|rest| rest.split_once("']"));
        if let Some((key, after)) = quoted {
            keys.push(key.to_owned());
            rest = after;
            continue;
        }
        let end = match rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| matches!(c, '.' | '['))
        {
            Some((at, _)) => at,
            None => rest.len(),
        };
        keys.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (keys, path) in [
            (&["meta", "next"][..], "meta.next"),
            (&["@odata.nextLink"], "['@odata.nextLink']"),
            (&["a", "b.c", "d"], "a['b.c'].d"),
        ] {
            let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            assert_eq!(write(&keys), path);
            assert_eq!(parse(path), keys);
        }
    }
}
