//! Secrets in what is stored: an API may repeat the key in the link to its next page. A mark stands for it in the state, and
//! the key as it is then takes its place when the link is followed.

use reqwest::Url;

use crate::settings::{Redactor, Secret};

/// How every mark begins; it ends with a full stop. Neither a URL nor JSON escapes any of its letters.
const MARK: &str = "etlgen.secret.";
/// The mark of what nothing can take the place of.
const LOST: &str = "etlgen.secret.lost.";

/// A secret that a request carries, and its mark.
pub(super) type Marked = (String, Secret);

/// The mark of a credential, by its place among those of a request.
pub(super) fn of_credential(at: usize) -> String {
    format!("{MARK}auth{at}.")
}

/// The mark of a setting, by its place among the hidden ones.
pub(super) fn of_setting(at: usize) -> String {
    format!("{MARK}setting{at}.")
}

/// Puts marks in the place of secrets.
pub(crate) struct Seal(Redactor);

impl Seal {
    /// `marked`: the secrets that take their places again; `others` are lost.
    pub fn new(marked: Vec<Marked>, others: Vec<Secret>) -> Self {
        let marked = marked.into_iter().map(|(mark, secret)| (secret, mark));
        let others = others.into_iter().map(|secret| (secret, LOST.to_owned()));
        Seal(Redactor::marking(marked.chain(others), LOST))
    }

    /// A text with marks in the place of the secrets.
    pub fn close(&self, text: &str) -> String {
        self.0.redact(text)
    }
}

/// Whether a text holds a mark that nothing can take the place of.
pub(crate) fn is_lost(text: &str) -> bool {
    text.contains(LOST)
}

/// Puts secrets in the place of their marks in a URL.
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

/// Puts secrets in the place of their marks in a JSON text.
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

/// A text as it can stand anywhere in a URL behind the host.
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
