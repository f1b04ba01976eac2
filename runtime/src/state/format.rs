//! The number of a stored format. An unknown number is refused: a later version wrote the data, and
//! reading it without knowing the format would lose its meaning.

use serde::{Deserialize, Deserializer};

use crate::error::{Error, ErrorKind, Result};

/// The format that is written. Data without a number has format 1.
pub(crate) const FORMAT: u32 = 1;

/// Refuses a format that this version does not know. `what` is the subject of the message: `the
/// manifest`.
pub(crate) fn check(what: &str, found: u64) -> Result<()> {
    if found == u64::from(FORMAT) {
        return Ok(());
    }
    let message =
        format!("{what} has the format {found}, and this connector reads the format {FORMAT} only");
    Err(Error::new(ErrorKind::State, message).hint(
        "a later etlgen-runtime wrote it: use the connector that did, or `cargo update -p etlgen-runtime` and build again",
    ))
}

/// The field `format` of a row of the state: any number but 1 is an error, and 1 is not written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RowFormat;

impl<'de> Deserialize<'de> for RowFormat {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let found = u64::deserialize(from)?;
        let known = check("it", found).map(|()| RowFormat);
        known.map_err(serde::de::Error::custom)
    }
}

/// Returns why a row cannot be read: its format if that is unknown, else the parser's error with a
/// hint.
pub(super) fn unreadable(what: &str, value: &str, error: serde_json::Error, hint: &str) -> Error {
    #[derive(Deserialize)]
    struct Numbered {
        format: Option<u64>,
    }
    let numbered = serde_json::from_str::<Numbered>(value);
    let found = numbered.ok().and_then(|numbered| numbered.format);
    if let Some(Err(unknown)) = found.map(|found| check(what, found)) {
        return unknown;
    }
    Error::new(ErrorKind::State, format!("{what} cannot be read"))
        .caused_by(error)
        .hint(hint)
}
