//! Names of tables and columns: dlt's snake_case, made unique and not too long.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

/// One key as a name: `userName` is `user_name`, `+1` is `x1`, `2fa` is `_2fa`, `é` is `x`, an empty key is `_empty`.
pub(crate) fn snake_case(key: &str) -> String {
    let key = key.trim();
    let mut out = String::with_capacity(key.len() + 4);
    let mut before = ' ';
    let mut letters = key.chars().peekable();
    while let Some(letter) = letters.next() {
        let mapped = match letter {
            '+' | '*' => 'x',
            '-' => '_',
            '@' => 'a',
            '|' => 'l',
            letter if letter.is_ascii_alphanumeric() => letter,
            _ => '_',
        };
        if mapped.is_ascii_uppercase() {
            let after_small = before.is_ascii_lowercase() || before.is_ascii_digit();
            // The last capital of `HTTPServer` begins a word.
            let begins =
                before.is_ascii_uppercase() && letters.peek().is_some_and(char::is_ascii_lowercase);
            if after_small || begins {
                out.push('_');
            }
        }
        if mapped != '_' || !out.ends_with('_') {
            out.push(mapped.to_ascii_lowercase());
        }
        before = mapped;
    }
    if out.ends_with('_') {
        let kept = out.trim_end_matches('_').len();
        let tail = "x".repeat(out.len() - kept);
        out.truncate(kept);
        out.push_str(&tail);
    }
    if out.is_empty() {
        return "_empty".to_owned();
    }
    if out.starts_with(|first: char| first.is_ascii_digit()) {
        out.insert(0, '_');
    }
    out
}

/// A name and the name of what is inside of it.
pub(super) fn join(outer: &str, inner: &str) -> String {
    match outer {
        "" => inner.to_owned(),
        outer => format!("{outer}__{inner}"),
    }
}

/// At most `limit` bytes: what is too long keeps its beginning and gets a tag of the whole.
pub(super) fn shorten(name: &str, limit: usize) -> String {
    if name.len() <= limit {
        return name.to_owned();
    }
    let tag = format!("_{:08x}", xxh3_64(name.as_bytes()) as u32);
    let mut end = limit.saturating_sub(tag.len());
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{tag}", &name[..end])
}

/// The names given in one place. They differ in more than their case.
#[derive(Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// Takes a name as it is.
    pub fn take(&mut self, name: &str) {
        self.taken.insert(name.to_lowercase());
    }

    /// Gives a name back.
    pub fn release(&mut self, name: &str) {
        self.taken.remove(&name.to_lowercase());
    }

    /// Whether the wanted name is given already.
    pub fn has(&self, wanted: &str, limit: usize) -> bool {
        self.taken.contains(&shorten(wanted, limit).to_lowercase())
    }

    /// Gives the wanted name, or `name_2`, `name_3`, … where it is taken.
    pub fn unique(&mut self, wanted: &str, limit: usize) -> String {
        let mut name = shorten(wanted, limit);
        let mut count = 1;
        while !self.taken.insert(name.to_lowercase()) {
            count += 1;
            name = shorten(&format!("{wanted}_{count}"), limit);
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_names_as_in_dlt() {
        for (key, name) in [
            ("userName", "user_name"),
            ("UserID", "user_id"),
            ("HTTPServer", "http_server"),
            ("user-name", "user_name"),
            ("created.at", "created_at"),
            ("a__b", "a_b"),
            ("2fa", "_2fa"),
            ("+1", "x1"),
            ("@type", "atype"),
            ("é", "x"),
            ("name_", "namex"),
            ("_id", "_id"),
            ("", "_empty"),
            (" id ", "id"),
        ] {
            assert_eq!(snake_case(key), name, "{key}");
        }
    }

    #[test]
    fn names_are_unique_and_short_enough() {
        let mut names = Names::default();
        assert_eq!(names.unique("user_name", 12), "user_name");
        assert_eq!(names.unique("USER_NAME", 12), "USER_NAME_2");
        let long = names.unique("a_very_long_name", 12);
        assert_eq!(long.len(), 12);
        assert_ne!(long, names.unique("a_very_long_nome", 12));
    }
}
