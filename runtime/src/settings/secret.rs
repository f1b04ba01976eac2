//! Secrets, and their redaction from texts.

use std::fmt;

use crate::text::base64;

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

    /// Returns the text, for a request.
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
pub struct Redactor(Vec<Hidden>);

/// A secret, and its replacement.
struct Hidden {
    text: String,
    shown: String,
    /// The forms that it has in base64 of a text that contains it; `shown_packed` replaces them.
    packed: Vec<String>,
    shown_packed: String,
}

/// Secrets of fewer characters are not looked for: ordinary text contains them too.
const SHORTEST: usize = 4;
/// Secrets of fewer bytes are not looked for in base64, where too little remains of them.
const SHORTEST_PACKED: usize = 8;

impl Redactor {
    /// Creates a redactor of these secrets, in every spelling of a URL, JSON or base64. Secrets of
    /// less than four characters are not redacted.
    pub fn new(secrets: Vec<Secret>) -> Self {
        let shown = |secret| (secret, "***".to_owned());
        Redactor::marking(secrets.into_iter().map(shown), "***")
    }

    /// Creates a redactor that replaces each secret with its mark, and the forms of the secret in
    /// base64 with `packed`. Of two equal secrets the first one counts.
    pub(crate) fn marking(
        secrets: impl IntoIterator<Item = (Secret, String)>,
        packed: &str,
    ) -> Self {
        let long = |(secret, _): &(Secret, String)| secret.0.chars().count() >= SHORTEST;
        let hidden = |(Secret(text), shown): (Secret, String)| Hidden {
            packed: packed_forms(&text),
            text,
            shown,
            shown_packed: packed.to_owned(),
        };
        let secrets = secrets.into_iter().filter(long);
        let mut hidden: Vec<Hidden> = secrets.map(hidden).collect();
        // A secret may be a part of another one.
        hidden.sort_by_key(|hidden| std::cmp::Reverse(hidden.text.len()));
        hidden.dedup_by(|later, first| later.text == first.text);
        Redactor(hidden)
    }

    /// Returns the text with `***` in place of every secret.
    pub fn redact(&self, text: &str) -> String {
        let each = self.0.iter();
        each.fold(text.to_owned(), |text, hidden| hidden.out_of(text))
    }
}

impl Hidden {
    fn out_of(&self, text: String) -> String {
        let text = replaced(text, &self.text, &self.shown);
        let packed = self.packed.iter();
        packed.fold(text, |text, form| match text.contains(form) {
            true => text.replace(form, &self.shown_packed),
            false => text,
        })
    }
}

/// Replaces a secret in a text, however it is spelled.
fn replaced(text: String, secret: &str, shown: &str) -> String {
    let bytes = text.as_bytes();
    let first = secret.as_bytes().first().copied();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let begins = Some(*byte) == first || matches!(byte, b'%' | b'\\' | b'+');
        let length = begins.then(|| spelled(&bytes[at..], secret)).flatten();
        match length {
            Some(length) => {
                found.push((at, at + length));
                at += length;
            }
            None => at += 1,
        }
    }
    if found.is_empty() {
        return text;
    }
    let (mut out, mut last) = (String::with_capacity(text.len()), 0);
    for (start, end) in found {
        out.push_str(text.get(last..start).unwrap_or_default());
        out.push_str(shown);
        last = end;
    }
    out.push_str(text.get(last..).unwrap_or_default());
    out
}

/// Returns how many bytes of the text spell the secret, if the text begins with it: each byte may
/// be literal, or escaped as in a URL (once or twice) or in JSON.
fn spelled(text: &[u8], secret: &str) -> Option<usize> {
    let mut ends = vec![0];
    let mut next = Vec::new();
    for c in secret.chars() {
        let mut utf8 = [0; 4];
        let starts = std::mem::take(&mut ends);
        let json = |at: &usize| Some(at + 6).filter(|_| escaped(&text[*at..], b"\\u", 4, c.into()));
        ends.extend(starts.iter().filter_map(json));
        let mut rest = starts;
        for byte in c.encode_utf8(&mut utf8).bytes() {
            next.clear();
            for at in rest.drain(..) {
                spellings(&text[at..], byte, |length| next.push(at + length));
            }
            std::mem::swap(&mut rest, &mut next);
        }
        ends.append(&mut rest);
        if ends.is_empty() {
            return None;
        }
    }
    ends.into_iter().max()
}

/// Passes to `found` the lengths of the spellings of the byte with which the text begins.
fn spellings(text: &[u8], byte: u8, mut found: impl FnMut(usize)) {
    match text {
        [first, ..] if *first == byte => found(1),
        [b'+', ..] if byte == b' ' => found(1),
        [b'\\', second, ..] if *second == byte => found(2),
        _ => {}
    }
    if escaped(text, b"%", 2, byte.into()) {
        found(3);
    }
    if escaped(text, b"%25", 2, byte.into()) {
        found(5);
    }
}

/// Returns whether the text begins with a prefix and this number in hexadecimal digits.
fn escaped(text: &[u8], prefix: &[u8], digits: usize, wanted: u32) -> bool {
    let digits = text
        .strip_prefix(prefix)
        .and_then(|text| text.get(..digits));
    let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) == Some(wanted)
}

/// Returns the forms of a text in base64 of data that contains it: it may begin at each of three
/// positions of a group.
fn packed_forms(text: &str) -> Vec<String> {
    if text.len() < SHORTEST_PACKED {
        return Vec::new();
    }
    let mut forms = Vec::new();
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(text.as_bytes());
        let whole = base64(&bytes);
        // Only the letters that the text alone determines remain.
        let (start, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
        let form = whole.get(start..end).unwrap_or_default().to_owned();
        let in_urls = form.replace('+', "-").replace('/', "_");
        if in_urls != form {
            forms.push(in_urls);
        }
        forms.push(form);
    }
    forms
}
