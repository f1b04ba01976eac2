//! Which part of a resource a pass asks for: bounds on its cursor.

use crate::cursor::CursorSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::http::Request;
use crate::record::CursorValue;
use crate::run::RunOptions;

/// Bounds on the cursor of one pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    /// Sent as the lower bound.
    pub from: Option<CursorValue>,
    /// Rows below are left out: the caller asked for it (`--since`).
    since: Option<CursorValue>,
    /// Rows from here on are left out: the caller asked for it (`--until`).
    until: Option<CursorValue>,
}

impl Window {
    /// What `--since` and `--until` ask for; `None` if they ask for nothing or the resource has no cursor.
    pub fn explicit(cursor: Option<&CursorSpec>, options: &RunOptions) -> Result<Option<Self>> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let parse = |flag: &str, text: &Option<String>| {
            let Some(text) = text else { return Ok(None) };
            cursor.parse(text).map(Some).ok_or_else(|| {
                Error::new(
                    ErrorKind::Usage,
                    format!(
                        "`--{flag} {text}` is not a bound for `{}`",
                        cursor.keys.join(".")
                    ),
                )
                .hint("a date (2024-01-31) or a time (2024-01-31T12:00:00Z)")
            })
        };
        let (since, until) = (
            parse("since", &options.since)?,
            parse("until", &options.until)?,
        );
        Ok((since.is_some() || until.is_some()).then(|| Window {
            from: since.clone(),
            since,
            until,
        }))
    }

    /// Everything from a stored value on.
    pub fn from(value: Option<CursorValue>) -> Self {
        Window {
            from: value,
            since: None,
            until: None,
        }
    }

    /// Whether a row belongs to the window; a row without the cursor's field does.
    pub fn holds(&self, cursor: Option<&CursorValue>) -> bool {
        let Some(value) = cursor else { return true };
        self.since.as_ref().is_none_or(|since| value >= since)
            && self.until.as_ref().is_none_or(|until| value < until)
    }

    /// Puts the bounds into a request; false if there was nothing to put.
    pub fn apply(&self, cursor: &CursorSpec, request: &mut Request) -> bool {
        let mut sent = false;
        let from = self.from.as_ref().map(|from| cursor.bound(from));
        let until = self.until.as_ref().map(CursorValue::to_string);
        for (param, bound) in [(&cursor.param, from), (&cursor.until, until)] {
            if let (Some(param), Some(bound)) = (param, bound) {
                request.set_query(param, &bound);
                sent = true;
            }
        }
        sent
    }
}
