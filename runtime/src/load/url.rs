//! The URL of a destination, parsed once into its scheme, the rest, and the secrets in it.

use std::fmt;

use crate::settings::{Redactor, Secret};

/// Words in an option's name that make its value a secret.
const SECRET_WORDS: [&str; 8] = [
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "credential",
];
/// Names of options whose value is a secret.
const SECRET_NAMES: [&str; 5] = ["pass", "key", "sig", "signature", "auth"];

/// The URL of a destination: `sqlite:stripe.db`, `postgres://user:password@host/db`.
///
/// `Display` and `Debug` show `***` in place of a password and of options like `password=` or `token=`.
///
/// ```
/// use etlgen_runtime::load::DestinationUrl;
///
/// let url = DestinationUrl::parse("postgres://u:s3cret@h/db");
/// assert_eq!(url.scheme(), "postgres");
/// assert_eq!(url.rest(), "//u:s3cret@h/db");
/// assert_eq!(url.to_string(), "postgres://u:***@h/db");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct DestinationUrl {
    scheme: String,
    rest: String,
    shown: String,
    secrets: Vec<Secret>,
}

impl DestinationUrl {
    /// Parses a URL: the text before the first colon is its scheme. A text without a colon is only a scheme.
    pub fn parse(url: &str) -> Self {
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        let places = secrets(rest);
        let mut shown = rest.to_owned();
        for (start, end) in places.iter().rev() {
            shown.replace_range(start..end, "***");
        }
        let mut found = Vec::new();
        for (start, end) in places {
            let text = &rest[start..end];
            found.push(Secret::new(text));
            found.extend(decoded(text).map(Secret::new));
        }
        DestinationUrl {
            scheme: scheme.to_owned(),
            rest: rest.to_owned(),
            shown,
            secrets: found,
        }
    }

    /// Returns the kind of destination: `sqlite`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Returns the text after the first colon, including secrets.
    pub fn rest(&self) -> &str {
        &self.rest
    }

    /// Returns whether a part of it is a secret.
    pub(crate) fn has_secret(&self) -> bool {
        !self.secrets.is_empty()
    }

    /// Returns the text with `***` in place of the secrets of this URL.
    pub(crate) fn redact(&self, text: &str) -> String {
        // The complete URL is recognised even if a secret is too short to be found in other text.
        let text = text.replace(&self.rest, &self.shown);
        Redactor::new(self.secrets.clone()).redact(&text)
    }
}

impl fmt::Display for DestinationUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.scheme)?;
        match self.shown.is_empty() {
            true => Ok(()),
            false => write!(f, ":{}", self.shown),
        }
    }
}

impl fmt::Debug for DestinationUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Finds the secrets in a text: their (start, end), in order.
fn secrets(rest: &str) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    // The rest may be a URL itself: `postgres://user:password@host/db` after `ducklake:`.
    let inner = rest.find("//").filter(|at| {
        let scheme = rest[..*at].strip_suffix(':').unwrap_or(&rest[..*at]);
        scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let options = match inner.map(|at| (at + 2, &rest[at + 2..])) {
        Some((start, after)) => {
            let authority = after.find(['/', '?', '#']).unwrap_or(after.len());
            // An unescaped password may contain a character that ends an authority.
            let at = after[..authority].rfind('@').or_else(|| after.find('@'));
            let user = at.map_or("", |at| &after[..at]);
            if let (Some(colon), Some(at)) = (user.find(':'), at) {
                places.push((start + colon + 1, start + at));
            }
            start + at.unwrap_or(0)
        }
        None => 0,
    };
    let separator = |c: char| matches!(c, '?' | '&' | ';' | '#') || c.is_whitespace();
    let mut start = options;
    for part in rest[options..].split(separator) {
        if let Some((name, value)) = part.split_once('=')
            && is_secret(name)
            && !value.is_empty()
        {
            places.push((start + name.len() + 1, start + part.len()));
        }
        // Every separator except white space is one byte.
        start += part.len();
        start += rest[start..].chars().next().map_or(0, char::len_utf8);
    }
    places.retain(|(start, end)| start < end);
    places
}

/// Returns whether the value of that option is a secret.
fn is_secret(name: &str) -> bool {
    let name = name
        .rsplit(['/', '.'])
        .next()
        .unwrap_or(name)
        .to_lowercase();
    SECRET_NAMES.contains(&name.as_str())
        || name.ends_with("_key")
        || SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Returns the text without its percent escapes, or `None` if it has none.
fn decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return None;
    }
    let query = format!("http://x/?{}", text.replace(['&', '+', '=', '#'], "%00"));
    let url = reqwest::Url::parse(&query).ok()?;
    let (decoded, _) = url.query_pairs().next()?;
    Some(decoded.into_owned()).filter(|decoded| !decoded.contains('\0'))
}

/// Returns the value of an option without its percent escapes; a plus sign is one.
#[cfg(any(feature = "postgres", feature = "duckdb"))]
pub(crate) fn unescaped(text: &str) -> String {
    let escaped = [('+', "%2B"), ('&', "%26"), ('=', "%3D"), ('#', "%23")];
    let query = escaped.iter().fold(text.to_owned(), |text, (c, escape)| {
        text.replace(*c, escape)
    });
    let url = reqwest::Url::parse(&format!("http://x/?{query}")).ok();
    let first = url.as_ref().and_then(|url| url.query_pairs().next());
    first.map_or_else(|| text.to_owned(), |(text, _)| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_urls_are_not_shown() {
        for (url, shown) in [
            ("sqlite:a.db", "sqlite:a.db"),
            ("sqlite", "sqlite"),
            ("sqlite:C:\\data\\a.db", "sqlite:C:\\data\\a.db"),
            (
                "postgres://u:s3cret@h:5432/db",
                "postgres://u:***@h:5432/db",
            ),
            ("postgres://u:a/b@h/db", "postgres://u:***@h/db"),
            ("postgres://u:a@b@h/db", "postgres://u:***@h/db"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            (
                "postgres://h/db?password=s3cret&x=1",
                "postgres://h/db?password=***&x=1",
            ),
            (
                "postgres:host=h password=s3cret dbname=d",
                "postgres:host=h password=*** dbname=d",
            ),
            (
                "s3://b/p?region=r&secret_access_key=s",
                "s3://b/p?region=r&secret_access_key=***",
            ),
            (
                "ducklake:postgres://u:s3cret@h/db?data=s3://b/p",
                "ducklake:postgres://u:***@h/db?data=s3://b/p",
            ),
            (
                "duckdb:md:db?motherduck_token=t;a=b",
                "duckdb:md:db?motherduck_token=***;a=b",
            ),
            (
                "adbc:\u{2003}pwd=\u{e9}\u{2003}x=1",
                "adbc:\u{2003}pwd=***\u{2003}x=1",
            ),
        ] {
            let parsed = DestinationUrl::parse(url);
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(format!("{parsed:?}"), shown);
            assert_eq!(parsed.has_secret(), url != shown, "{url}");
        }
    }

    #[test]
    fn secrets_of_urls_leave_other_texts() {
        let url = DestinationUrl::parse("postgres://u:s%2Fcret@h/db");
        for (text, shown) in [
            (
                "cannot reach postgres://u:s%2Fcret@h/db",
                "cannot reach postgres://u:***@h/db",
            ),
            ("password s/cret is wrong", "password *** is wrong"),
        ] {
            assert_eq!(url.redact(text), shown);
        }
        let short = DestinationUrl::parse("postgres://u:s@h/db");
        assert_eq!(short.redact("no //u:s@h/db"), "no //u:***@h/db");
    }
}
