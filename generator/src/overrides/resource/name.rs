//! `name`: another name of the resource.

use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;

/// Another name.
#[derive(Clone, Debug, PartialEq)]
pub struct Name(pub String);

impl Key for Name {
    const ABOUT: About = About {
        name: "name",
        takes: "a name: small letters, digits and `_`",
        does: "Gives the resource, its table and its file another name.",
        examples: &["name = \"customers\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let text = value.text(faults)?;
        match is_name(&text) {
            true => Some(Name(text)),
            false => {
                refuse(value, &text, faults);
                None
            }
        }
    }
}

impl ResourceKey for Name {
    fn apply(&self, _place: Place, on: &mut Target<'_>) {
        on.choices().name = Some(self.0.clone());
    }
}

/// Returns whether a text is a small letter followed by small letters, digits and `_`.
pub fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|c| c.is_ascii_lowercase())
        && letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Adds the mistake that a text is not a name, with the nearest name as a hint.
pub fn refuse(value: &Value<'_>, text: &str, faults: &mut Faults) {
    let message = format!("`{}` is `{text}`, which is not a name", value.key);
    let hint = match snake(text) {
        // Without its other letters it would be another word.
        near if text.is_ascii() && is_name(&near) => format!("write `{near}`"),
        _ => "a name begins with a letter and has small letters, digits and `_`".to_owned(),
    };
    faults.add(value.place, message).hint(hint);
}

/// Returns the words of a text in small letters, with `_` between them.
fn snake(text: &str) -> String {
    let mut name = String::new();
    let mut small = false;
    for letter in text.chars() {
        match letter {
            c if c.is_ascii_alphanumeric() => {
                if c.is_ascii_uppercase() && small {
                    name.push('_');
                }
                small = !c.is_ascii_uppercase();
                name.push(c.to_ascii_lowercase());
            }
            _ if name.is_empty() || name.ends_with('_') => small = false,
            _ => {
                name.push('_');
                small = false;
            }
        }
    }
    name.trim_end_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use super::{is_name, snake};

    #[test]
    fn the_nearest_name_has_small_letters_and_underscores() {
        for (text, name) in [
            ("OrderLines", "order_lines"),
            ("Order Lines", "order_lines"),
            ("order-lines ", "order_lines"),
            ("HTTPLog", "httplog"),
        ] {
            assert!(!is_name(text));
            assert_eq!(snake(text), name);
            assert!(is_name(name));
        }
    }
}
