//! The cases of `#[record(rename_all = "..")]`.

use syn::{Error, LitStr, Result};

/// The case of the keys of a record.
#[derive(Clone, Copy)]
pub enum Case {
    Snake,
    Camel,
    Pascal,
    Kebab,
    ScreamingSnake,
}

impl Case {
    /// The names in the attribute, the most common case first.
    const NAMES: [(&str, Case); 5] = [
        ("camelCase", Case::Camel),
        ("PascalCase", Case::Pascal),
        ("snake_case", Case::Snake),
        ("kebab-case", Case::Kebab),
        ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ];

    pub fn named(name: &LitStr) -> Result<Case> {
        let value = name.value();
        let found = Case::NAMES.iter().find(|(known, _)| *known == value);
        found.map(|(_, case)| *case).ok_or_else(|| {
            let known: Vec<String> = Case::NAMES
                .iter()
                .map(|(known, _)| format!("`{known}`"))
                .collect();
            let message = format!("unknown case `{value}`: use one of {}", known.join(", "));
            Error::new_spanned(name, message)
        })
    }

    /// Returns the key of the field `name`, which is in snake case: each `_` ends a word.
    pub fn key(self, name: &str) -> String {
        match self {
            Case::Snake => name.to_owned(),
            Case::Kebab => name.replace('_', "-"),
            Case::ScreamingSnake => name.to_ascii_uppercase(),
            Case::Camel | Case::Pascal => {
                let mut key = String::with_capacity(name.len());
                let mut begins = matches!(self, Case::Pascal);
                for letter in name.chars() {
                    match letter {
                        '_' => begins = true,
                        letter if begins => {
                            key.push(letter.to_ascii_uppercase());
                            begins = false;
                        }
                        letter => key.push(letter),
                    }
                }
                key
            }
        }
    }
}
