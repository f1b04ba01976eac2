//! Checks of a cursor that need its field or the whole resource.

use super::ResourceSpec;
use crate::cursor::CursorSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Method;
use crate::record::{CursorValue, WireFormat};

/// Refuses a cursor whose format does not fit its field, or whose windows do not fit its resource.
pub(super) fn validate(cursor: &CursorSpec, of: &ResourceSpec) -> Result<()> {
    let wrong = |why: String| Err(Error::new(ErrorKind::Usage, why));
    if cursor.sent.is_some() && matches!(cursor.format, WireFormat::Integer | WireFormat::Number) {
        return wrong(format!(
            "`.format(…)` is the format of a time, and `{}` holds plain numbers: `UnixTime` and `UnixMillis` are times",
            cursor.keys.join(".")
        ));
    }
    if cursor.in_body && of.method != Method::Post {
        return wrong("a cursor with `.in_body()` needs `.post()`: a GET has no body".to_owned());
    }
    let Some((from, _)) = &cursor.windows else {
        return Ok(());
    };
    if !of.changes.is_empty() {
        return wrong("a feed cannot be read in windows".to_owned());
    }
    if !cursor.is_bounded() {
        return wrong("windows need both `.param(…)` and `.until(…)`".to_owned());
    }
    match cursor.parse(from).as_ref().and_then(CursorValue::place) {
        Some(_) => Ok(()),
        None => wrong(format!(
            "windows cannot start at `{from}`: `{}` has no times, or the value is not a time",
            cursor.keys.join(".")
        )),
    }
}
