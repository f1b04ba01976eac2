//! The words that a request sends: an answer that repeats one of them says nothing by it.

use std::fmt;

use reqwest::Url;
use serde_json::Value;

/// The deepest value of a JSON body that is compared.
const DEEPEST: usize = 6;
/// The longest word, in bytes.
const LONGEST: usize = 100;

/// The parameters of a request whose values are words, by their names in lower case, with only letters
/// and digits: those of the query, and the fields of a JSON body.
#[derive(Clone, Default)]
pub(crate) struct Sent(Vec<(String, String)>);

impl fmt::Debug for Sent {
    /// Its words may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} words", self.0.len())
    }
}

impl Sent {
    /// Collects the words of a URL's query and of a JSON body.
    pub fn of(url: &Url, body: Option<&Value>) -> Self {
        let mut sent = Sent::default();
        for (name, value) in url.query_pairs() {
            sent.add(&name, &value);
        }
        if let Some(body) = body {
            sent.add_all("", body, DEEPEST);
        }
        sent
    }

    fn add(&mut self, name: &str, value: &str) {
        if is_word(value) {
            self.0.push((plain(name), value.trim().to_owned()));
        }
    }

    fn add_all(&mut self, name: &str, value: &Value, depth: usize) {
        match value {
            Value::String(text) => self.add(name, text),
            Value::Array(items) if depth > 0 => {
                (items.iter()).for_each(|item| self.add_all(name, item, depth.saturating_sub(1)));
            }
            Value::Object(fields) if depth > 0 => {
                (fields.iter())
                    .for_each(|(name, value)| self.add_all(name, value, depth.saturating_sub(1)));
            }
            _ => {}
        }
    }

    /// Returns whether a value of an answer repeats a parameter: it is the same word, and its key is
    /// the name of the parameter or the end of it (`status` of `filter[status]`).
    pub fn is_repeated_by(&self, key: &str, value: &Value) -> bool {
        let Some(word) = value.as_str().filter(|word| is_word(word)) else {
            return false;
        };
        let key = plain(key);
        let mut sent = self.0.iter();
        sent.any(|(name, value)| {
            value.eq_ignore_ascii_case(word.trim()) && !key.is_empty() && name.ends_with(&key)
        })
    }
}

/// Returns whether a text is a word: a flag or a number is equal to others by chance.
fn is_word(text: &str) -> bool {
    let text = text.trim();
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    text.len() <= LONGEST
        && text.contains(char::is_alphabetic)
        && !["true", "false", "yes", "no"].into_iter().any(is)
}

fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}
