//! Names in Rust: an allocator that handles keywords and symbols and avoids collisions, and a
//! ledger that keeps the given names stable.

use std::collections::{BTreeMap, HashSet};

/// The names given, by their entries (`struct /components/schemas/Customer`).
pub type Ledger = BTreeMap<String, String>;

/// Keywords of Rust 2024; the last four cannot even be raw identifiers.
const KEYWORDS: [&str; 53] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield", "union", "self", "super", "crate", "Self",
];
const NEVER_RAW: [&str; 4] = ["self", "super", "crate", "Self"];

/// File names that some systems do not allow.
const DEVICES: [&str; 12] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "lpt1", "lpt2", "lpt3", "lpt4",
];

/// Modules of a generated crate, whose names resources do not get.
const MODULES: [&str; 3] = ["config", "resources", "types"];

/// Types that a generated file sees without naming their crate.
pub const PRELUDE: [&str; 42] = [
    "Auth",
    "Box",
    "Bytes",
    "Change",
    "Clone",
    "Config",
    "Contract",
    "Copy",
    "Cursor",
    "Date",
    "Debug",
    "Decimal",
    "Default",
    "Deletes",
    "Disposition",
    "Drop",
    "Dynamic",
    "Embedded",
    "Eq",
    "Err",
    "Error",
    "From",
    "Into",
    "Json",
    "Login",
    "None",
    "Ok",
    "Option",
    "Paginator",
    "Record",
    "Resource",
    "Result",
    "Row",
    "Secret",
    "Send",
    "Settings",
    "Some",
    "Source",
    "String",
    "Sync",
    "Timestamp",
    "Vec",
];
const PRELUDE_MORE: [&str; 17] = [
    "RecordExt",
    "Mode",
    "TimeFormat",
    "UnixMillis",
    "UnixTime",
    "Uuid",
    "Fn",
    "FnMut",
    "FnOnce",
    "Iterator",
    "ToOwned",
    "ToString",
    "TryFrom",
    "TryInto",
    "Extend",
    "Ord",
    "PartialEq",
];

/// Splits a name into words: `HTTPServerID`, `http-server.id` and `http_server_id` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let letters: Vec<char> = name.chars().collect();
    let mut word = String::new();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        let before = at.checked_sub(1).map(|at| letters[at]);
        let small = before.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let begins = before.is_some_and(|c| c.is_ascii_uppercase())
            && letters.get(at + 1).is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && (small || begins) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        word.push(letter.to_ascii_lowercase());
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The longest name of a type or a file: some systems allow 255 bytes for a file with its ending.
const LONGEST: usize = 80;

/// Cuts a name to [`LONGEST`]; names are ASCII.
pub fn cut(mut name: String) -> String {
    name.truncate(LONGEST);
    name
}

/// Returns a name such as `user_name` or `_1_clicks`; `fallback` if nothing is left.
pub fn snake(name: &str, fallback: &str) -> String {
    let joined = words(name).join("_");
    match joined.chars().next() {
        None => fallback.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{joined}"),
        Some(_) => joined,
    }
}

/// Returns a name such as `UserName` or `T1Clicks`; `fallback` if nothing is left.
pub fn pascal(name: &str, fallback: &str) -> String {
    let capital = |word: String| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let joined: String = words(name).into_iter().map(capital).collect();
    let joined = cut(joined);
    match joined.chars().next() {
        None => fallback.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("T{joined}"),
        Some(_) if joined == "Self" => "SelfRecord".to_owned(),
        Some(_) => joined,
    }
}

/// Returns the singular of a name: `line` for `lines`, `category` for `categories`; `data` stays.
pub fn singular(name: &str) -> String {
    let rules = [
        ("ies", "y"),
        ("sses", "ss"),
        ("xes", "x"),
        ("ches", "ch"),
        ("shes", "sh"),
    ];
    for (plural, one) in rules {
        if let Some(stem) = name.strip_suffix(plural).filter(|stem| stem.len() > 2) {
            return format!("{stem}{one}");
        }
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) && stem.len() > 2 => stem.to_owned(),
        _ => name.to_owned(),
    }
}

/// Returns whether the name is a keyword, so that it is written `r#name`.
pub fn is_keyword(name: &str) -> bool {
    // `union` is a keyword only where an item begins.
    KEYWORDS.contains(&name) && name != "union"
}

/// Returns a name for a field; a keyword stays if it can be written `r#name`.
pub fn field(key: &str) -> String {
    let name = snake(key, "field");
    match NEVER_RAW.contains(&name.as_str()) {
        true => format!("{name}_"),
        false => name,
    }
}

/// Returns a name for a function, its module and its file.
pub fn module(name: &str) -> String {
    let name = cut(snake(name, "resource"));
    let taken = DEVICES.iter().chain(&MODULES).any(|taken| *taken == name);
    match is_keyword(&name) || taken {
        true => format!("{name}_"),
        false => name,
    }
}

/// Gives names that differ from one another.
#[derive(Default)]
pub struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// Creates an allocator for types, in which the names that every file sees are taken.
    pub fn types() -> Self {
        let taken = PRELUDE.iter().chain(&PRELUDE_MORE);
        Names {
            taken: taken.map(|name| (*name).to_lowercase()).collect(),
        }
    }

    /// Marks a name as taken.
    pub fn take(&mut self, name: &str) {
        self.taken.insert(name.to_lowercase());
    }

    /// Returns the first free candidate, or the last one with a number.
    pub fn give(&mut self, candidates: &[String]) -> String {
        for name in candidates {
            if self.taken.insert(name.to_lowercase()) {
                return name.clone();
            }
        }
        let last = candidates.last().map_or("x", String::as_str);
        let mut count = 2;
        loop {
            let joint = if last.ends_with('_') {
                ""
            } else if last.contains('_') || last.starts_with(|c: char| c.is_ascii_lowercase()) {
                "_"
            } else {
                ""
            };
            let name = format!("{last}{joint}{count}");
            if self.taken.insert(name.to_lowercase()) {
                return name;
            }
            count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_keys_become_names() {
        for (key, name) in [
            ("userName", "user_name"),
            ("@type", "type"),
            ("+1", "_1"),
            ("1_clicks", "_1_clicks"),
            ("", "field"),
            ("***", "field"),
            ("größe", "gr_e"),
            ("self", "self_"),
            ("HTTPServer", "http_server"),
            ("OAuth2Token", "o_auth2_token"),
        ] {
            assert_eq!(field(key), name, "{key}");
        }
        assert_eq!(pascal("payment_method.card", "X"), "PaymentMethodCard");
        assert_eq!(pascal("3d", "X"), "T3d");
        assert_eq!(module("type"), "type_");
        assert_eq!(module("aux"), "aux_");
    }

    #[test]
    fn names_never_collide() {
        let mut names = Names::types();
        assert_eq!(names.give(&["Error".into(), "ApiError".into()]), "ApiError");
        assert_eq!(names.give(&["Customer".into()]), "Customer");
        assert_eq!(names.give(&["Customer".into()]), "Customer2");
        assert_eq!(names.give(&["id".into()]), "id");
        assert_eq!(names.give(&["id".into()]), "id_2");
    }
}
