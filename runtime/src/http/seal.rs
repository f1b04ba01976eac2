//! Keeps secrets out of stored data. An API may repeat the key in the link to its next page: the
//! state holds a placeholder, which the current key replaces when the link is followed.

use reqwest::Url;

use crate::settings::{Redactor, Secret};

/// The beginning of every placeholder; its end is a full stop. Neither a URL nor JSON escapes any
/// of its characters.
const MARK: &str = "etlgen.secret.";
/// The placeholder of a secret that cannot be restored.
const LOST: &str = "etlgen.secret.lost.";

/// A placeholder and the secret of a request that it stands for.
pub(super) type Marked = (String, Secret);

/// Returns the placeholder of a credential, by its index among those of a request.
pub(super) fn of_credential(at: usize) -> String {
    format!("{MARK}auth{at}.")
}

/// Returns the placeholder of a setting, by its index among the hidden ones.
pub(super) fn of_setting(at: usize) -> String {
    format!("{MARK}setting{at}.")
}

/// Replaces secrets by placeholders.
pub(crate) struct Seal(Redactor);

impl Seal {
    /// Creates a seal. The secrets in `marked` can be restored; those in `others` cannot.
    pub fn new(marked: Vec<Marked>, others: Vec<Secret>) -> Self {
        let marked = marked.into_iter().map(|(mark, secret)| (secret, mark));
        let others = others.into_iter().map(|secret| (secret, LOST.to_owned()));
        Seal(Redactor::marking(marked.chain(others), LOST))
    }

    /// Returns a text with placeholders instead of the secrets.
    pub fn close(&self, text: &str) -> String {
        self.0.redact(text)
    }
}

/// Returns whether a text contains the placeholder of a secret that cannot be restored.
pub(crate) fn is_lost(text: &str) -> bool {
    text.contains(LOST)
}

/// Replaces placeholders in a URL by their secrets.
pub(super) fn open_url(url: &mut Url, marked: &[Marked]) {
    if !url.as_str().contains(MARK) {
        return;
    }
    let mut text = url.as_str().to_owned();
    for (mark, secret) in marked {
        text = text.replace(mark, &escaped(secret.expose()));
    }
    if let Ok(opened) = Url::parse(&text) {
        *url = opened;
    }
}

/// Replaces placeholders in a JSON text by their secrets.
pub(super) fn open_json(text: &mut String, marked: &[Marked]) {
    if !text.contains(MARK) {
        return;
    }
    for (mark, secret) in marked {
        let quoted = serde_json::Value::from(secret.expose()).to_string();
        let inner = quoted.get(1..quoted.len().saturating_sub(1));
        *text = text.replace(mark, inner.unwrap_or_default());
    }
}

/// Escapes a text for use anywhere after the host of a URL.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(key: &str) -> Vec<Marked> {
        vec![
            (of_credential(0), key.into()),
            (of_setting(1), "tenant/7".into()),
        ]
    }

    #[test]
    fn a_secret_leaves_and_the_one_of_today_takes_its_place() {
        let seal = Seal::new(marked("old key"), vec!["client-secret".into()]);
        let link = "https://api.example/x?page=2&key=old+key&tenant=tenant%2F7";
        let closed = seal.close(link);
        assert!(
            !closed.contains("old") && !closed.contains("tenant%2F7"),
            "{closed}"
        );
        let mut url = Url::parse(&closed).unwrap();
        open_url(&mut url, &marked("new&key"));
        let query: Vec<_> = url
            .query_pairs()
            .map(|(_, value)| value.into_owned())
            .collect();
        assert_eq!(query, ["2", "new&key", "tenant/7"]);
        let mut body = seal.close(r#"{"token":"old key"}"#);
        open_json(&mut body, &marked("a \"b\""));
        assert_eq!(body, r#"{"token":"a \"b\""}"#);
        assert!(!is_lost(&closed));
    }

    #[test]
    fn what_nothing_can_take_the_place_of_is_lost() {
        let seal = Seal::new(marked("a long key"), vec!["client-secret".into()]);
        let packed = crate::text::base64(b"page 2 of a long key");
        for text in ["client-secret", &packed] {
            let closed = seal.close(text);
            assert!(is_lost(&closed) && closed != text, "{closed}");
        }
        assert_eq!(seal.close("page 2"), "page 2");
    }
}
