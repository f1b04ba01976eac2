//! Writes options of the command line into an existing file.

use toml_edit::{DocumentMut, Item, Value};

/// Returns the text with these keys set at the top. Everything else is unchanged, including
/// comments.
pub fn set(text: &str, options: &[(&str, String)]) -> String {
    let Ok(mut file) = text.parse::<DocumentMut>() else {
        return text.to_owned();
    };
    for (key, value) in options {
        let Ok(value) = value.parse::<Value>() else {
            continue;
        };
        match file.get_mut(key) {
            Some(Item::Value(known)) => {
                let decor = known.decor().clone();
                *known = value;
                *known.decor_mut() = decor;
            }
            _ => {
                file.insert(key, Item::Value(value));
            }
        }
    }
    file.to_string()
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_set_and_all_else_stays() {
        let text = "# Mine.\nname = \"a\" # short\n\n[resources.b] # why\nname = \"c\"\n";
        let options = [
            ("name", "\"z\"".to_owned()),
            ("include", "[\"b\"]".to_owned()),
        ];
        let expected = "# Mine.\nname = \"z\" # short\ninclude = [\"b\"]\n\n[resources.b] # why\nname = \"c\"\n";
        assert_eq!(super::set(text, &options), expected);
        assert_eq!(super::set(text, &[]), text);
    }
}
