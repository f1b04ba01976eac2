//! Secrets, and their redaction from texts.

use std::fmt;

/// A text that is never printed.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// let key = Secret::new("sk_123");
/// assert_eq!(format!("{key:?}"), "***");
/// assert_eq!(key.expose(), "sk_123");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Turns a text into a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text, for a request.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret::new(text)
    }
}

impl From<&String> for Secret {
    fn from(text: &String) -> Self {
        Secret::new(text)
    }
}

impl From<&Secret> for Secret {
    fn from(secret: &Secret) -> Self {
        secret.clone()
    }
}

/// Removes secrets from texts that leave the program.
pub struct Redactor(Vec<String>);

impl Redactor {
    /// A redactor of these secrets, including their forms in URLs. Secrets of less than four characters are not
    /// redacted, because ordinary text contains them too.
    pub fn new(secrets: Vec<Secret>) -> Self {
        let mut forms: Vec<String> = Vec::new();
        for Secret(text) in secrets {
            if text.chars().count() < 4 {
                continue;
            }
            let quoted = serde_json::Value::from(text.as_str()).to_string();
            forms.push(quoted.trim_matches('"').to_owned());
            forms.extend(in_urls(&text));
            forms.push(text);
        }
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
        Redactor(forms)
    }

    /// The text with `***` in place of every secret.
    pub fn redact(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// The text escaped for a query, with either case of digits, and for a path.
fn in_urls(text: &str) -> [String; 3] {
    let mut url = reqwest::Url::parse("http://x/").ok();
    let mut forms = [String::new(), String::new(), String::new()];
    if let Some(url) = &mut url {
        url.query_pairs_mut().append_key_only(text);
        forms[0] = url.query().unwrap_or_default().to_owned();
        forms[1] = forms[0].to_lowercase();
        url.set_query(None);
        url.set_path(text);
        forms[2] = url.path().trim_start_matches('/').to_owned();
    }
    forms.map(|form| {
        if form.len() < 4 {
            "\0".to_owned()
        } else {
            form
        }
    })
}
