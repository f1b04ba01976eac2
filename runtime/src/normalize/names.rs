//! Names of tables and columns: dlt's snake_case, made unique and bounded in length; exactly dlt's in dlt's layout.

use std::collections::HashSet;

use xxhash_rust::xxh3::xxh3_64;

use super::ids;
use crate::schema::Layout;
use crate::text::base64;

/// Converts a key to a name: `userName` is `user_name`, `+1` is `x1`, `2fa` is `_2fa`, `é` is `x`,
/// an empty key is `_empty`.
fn snake_case(key: &str) -> String {
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
            // The last capital of `HTTPServer` starts a word.
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

/// The rules by which keys become names in a dataset.
#[derive(Clone, Copy)]
pub(super) struct Naming {
    pub layout: Layout,
    /// The longest name, in bytes.
    pub limit: usize,
}

impl Naming {
    /// Converts a key to a name.
    pub fn key(self, key: &str) -> String {
        if self.layout == Layout::Etl {
            return snake_case(key);
        }
        // dlt reads `a__b` as a path, and shortens each of its names.
        let names = key.split("__").map(dlt_trim).filter(|key| !key.is_empty());
        let names = names.map(|key| self.shorten_as(&snake_case(key), key));
        match names.collect::<Vec<_>>().join("__") {
            name if name.is_empty() => "_empty".to_owned(),
            name => self.shorten_as(&name, key),
        }
    }

    /// Shortens a name that is too long.
    pub fn shorten(self, name: &str) -> String {
        match self.layout {
            Layout::Etl => shorten(name, self.limit),
            Layout::Dlt => self.shorten_as(name, name),
        }
    }

    /// Shortens a name as dlt does: 6 characters of a hash of `whole` replace the middle of a name
    /// that is too long.
    fn shorten_as(self, name: &str, whole: &str) -> String {
        if name.len() <= self.limit {
            return name.to_owned();
        }
        let tag = dlt_tag(whole);
        let kept = self.limit.saturating_sub(tag.len());
        let (before, after) = (kept - kept / 2, name.len() - kept / 2);
        match (name.get(..before), name.get(after..)) {
            (Some(before), Some(after)) => format!("{before}{tag}{after}"),
            // The owner chose a name that is not ASCII.
            _ => shorten(name, self.limit),
        }
    }
}

/// Trims white space, which for Python includes the four ASCII separators.
fn dlt_trim(key: &str) -> &str {
    key.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

fn dlt_tag(text: &str) -> String {
    let tag = base64(&ids::shake::<4>(text.as_bytes()));
    let tag = tag
        .trim_end_matches('=')
        .replace('/', "a")
        .replace('+', "b");
    tag.to_lowercase()
}

/// Joins a name and the name of something inside it.
pub(super) fn join(outer: &str, inner: &str) -> String {
    match outer {
        "" => inner.to_owned(),
        outer => format!("{outer}__{inner}"),
    }
}

/// Shortens a name to at most `limit` bytes: a longer name keeps its start and gets a hash of the
/// whole.
fn shorten(name: &str, limit: usize) -> String {
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

/// The names given in one scope. They differ by more than their case.
#[derive(Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// Takes a name unchanged.
    pub fn take(&mut self, name: &str) {
        self.taken.insert(name.to_lowercase());
    }

    /// Releases a name.
    pub fn release(&mut self, name: &str) {
        self.taken.remove(&name.to_lowercase());
    }

    /// Returns whether the wanted name is given already.
    pub fn has(&self, wanted: &str, naming: Naming) -> bool {
        self.taken.contains(&naming.shorten(wanted).to_lowercase())
    }

    /// Gives the wanted name, or `name_2`, `name_3`, … if it is taken.
    pub fn unique(&mut self, wanted: &str, naming: Naming) -> String {
        let mut name = naming.shorten(wanted);
        let mut count = 1;
        while !self.taken.insert(name.to_lowercase()) {
            count += 1;
            name = naming.shorten(&format!("{wanted}_{count}"));
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
        for layout in [Layout::Etl, Layout::Dlt] {
            let naming = Naming { layout, limit: 12 };
            let mut names = Names::default();
            assert_eq!(names.unique("user_name", naming), "user_name");
            assert_eq!(names.unique("USER_NAME", naming), "USER_NAME_2");
            let long = names.unique("a_very_long_name", naming);
            assert_eq!(long.len(), 12);
            assert_ne!(long, names.unique("a_very_long_nome", naming));
        }
    }

    /// Compares names with those that dlt 1.31 gives, with at most 20 characters.
    #[test]
    fn names_of_the_dlt_layout_are_those_of_dlt() {
        let naming = Naming {
            layout: Layout::Dlt,
            limit: 20,
        };
        for (key, name) in [
            ("a__b", "a__b"),
            ("a___b", "a___b"),
            ("userName", "user_name"),
            ("éé", "x"),
            ("a  b", "a_b"),
            ("__x", "x"),
            ("x__", "x"),
            ("name_", "namex"),
            ("ABCdEF", "ab_cd_ef"),
            ("2fa__3g", "_2fa___3g"),
            (" a __ b ", "a__b"),
            ("a_very_long_name_indeed", "a_very_gflrhq_indeed"),
            ("averylongsinglefragment__b", "averyloojgtvqment__b"),
            ("HTTPServer2Go", "http_server2_go"),
            ("a1B2C", "a1_b2_c"),
            ("_", "x"),
            ("__a__", "a"),
            ("\u{1c}a", "a"),
            ("", "_empty"),
            ("____", "_empty"),
        ] {
            assert_eq!(naming.key(key), name, "{key}");
        }
        let outer = |name: &str| naming.shorten(&join("outer", name));
        assert_eq!(outer("a_very_long_name_indeed"), "outer__ihuuwq_indeed");
        let inner = naming.key("a_very_long_name_indeed");
        assert_eq!(outer(&inner), "outer__bkogbw_indeed");
    }
}
