//! Checks of a cursor's windows, which need the whole resource.

use super::ResourceSpec;
use crate::cursor::CursorSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::record::CursorValue;

/// Refuses a cursor whose windows do not fit its resource.
pub(super) fn validate(cursor: &CursorSpec, of: &ResourceSpec) -> Result<()> {
    let Some((from, _)) = &cursor.windows else {
        return Ok(());
    };
    let wrong = |why: String| Err(Error::new(ErrorKind::Usage, why));
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
