//! Lists within records of which the API sends only the beginning.

use serde::{Deserialize, Serialize};

/// A list within each record that is read to its end: `{ list = "lines", url = "url" }`.
///
/// ```
/// use etlgen_model::{Embedded, EmbeddedPlace};
///
/// let lines: Embedded = toml::from_str("list = 'lines'\nurl = 'url'")?;
/// assert_eq!(lines.place, EmbeddedPlace::Url("url".into()));
///
/// let both = toml::from_str::<Embedded>("list = 'lines'\nurl = 'url'\npath = '/lines'");
/// assert!(both.unwrap_err().message().contains("`url` and `path`"));
/// # Ok::<(), toml::de::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Flat", into = "Flat")]
pub struct Embedded {
    /// Its dotted path in the record.
    pub list: String,
    /// The place of its other pages.
    pub place: EmbeddedPlace,
}

/// The place of the other pages of an embedded list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbeddedPlace {
    /// They are the pages that its paginator requests.
    Next,
    /// They are at the URL in this field of the list, a dotted path.
    Url(String),
    /// They are at a path with fields of the record: `/v1/invoices/{id}/lines`.
    Path(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename = "Embedded")]
struct Flat {
    list: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl TryFrom<Flat> for Embedded {
    type Error = String;

    fn try_from(Flat { list, url, path }: Flat) -> Result<Self, String> {
        let place = match (url, path) {
            (None, None) => EmbeddedPlace::Next,
            (Some(url), None) => EmbeddedPlace::Url(url),
            (None, Some(path)) => EmbeddedPlace::Path(path),
            (Some(_), Some(_)) => {
                return Err(format!(
                    "the embedded list `{list}` has both `url` and `path`: keep one"
                ));
            }
        };
        match list.is_empty() {
            true => Err("`list` is empty: it is the dotted path of a list in the record".into()),
            false => Ok(Embedded { list, place }),
        }
    }
}

impl From<Embedded> for Flat {
    fn from(Embedded { list, place }: Embedded) -> Self {
        let (url, path) = match place {
            EmbeddedPlace::Next => (None, None),
            EmbeddedPlace::Url(url) => (Some(url), None),
            EmbeddedPlace::Path(path) => (None, Some(path)),
        };
        Flat { list, url, path }
    }
}
