//! Lists whose tokens are values of a field that is not the key: if several records have the same
//! value and the next page begins behind it, those that the page before had no room for are missing.

use serde_json::{Map, Value};

use super::front::moment;
use super::{Account, on_disk};
use crate::error::Result;
use crate::page::advance::PageFacts;
use crate::page::paginator::Next;
use crate::page::places::spelled;
use crate::record::raw_scalar;

/// Shorter tokens may equal a value by chance.
const SHORTEST: usize = 4;

/// The field whose values the tokens of a list are.
#[derive(Debug, Default)]
pub(super) struct Ties {
    field: Option<[String; 1]>,
    /// Whether a token has been the value of no such field.
    other: bool,
    /// Whether the next page is to show whether it begins behind the value.
    waits: bool,
    /// Whether a page has begun behind the value of the last record before it.
    behind: bool,
    /// Whether records next to each other have the same value.
    tied: bool,
}

impl Ties {
    /// Adds a page that leads to the next one. `key`: the paths of the key.
    pub fn lead(&mut self, next: &Next, page: &PageFacts<'_>, key: &[Vec<String>]) {
        let last = usize::try_from(page.rows)
            .unwrap_or_default()
            .checked_sub(1);
        let Some(record) = last.and_then(|last| page.record(last)) else {
            return;
        };
        if self.other {
            return;
        }
        let tokens: Vec<String> = spelled(next)
            .into_iter()
            .filter(|token| token.len() >= SHORTEST)
            .collect();
        let is_token = |value: &str| tokens.iter().any(|token| equals(value, token));
        match &self.field {
            Some(field) => {
                let value = raw_scalar(record.as_bytes(), field);
                self.other = !value.is_some_and(|value| is_token(&value));
            }
            None => {
                let is_key = |name: &str| {
                    key.iter()
                        .any(|path| path.first().is_some_and(|key| key == name))
                };
                let keys = key
                    .iter()
                    .filter_map(|path| raw_scalar(record.as_bytes(), path));
                let by_key = keys.into_iter().any(|value| is_token(&value));
                let fields: Map<String, Value> = match tokens.is_empty() || by_key {
                    true => Map::new(),
                    false => serde_json::from_str(record).unwrap_or_default(),
                };
                let mut names = fields.into_iter().filter(|(name, value)| {
                    let text = match value {
                        Value::String(text) => text.clone(),
                        Value::Number(number) => number.to_string(),
                        _ => return false,
                    };
                    !is_key(name) && is_token(&text)
                });
                self.field = names.next().map(|(name, _)| [name]);
                self.other = self.field.is_none();
            }
        }
        self.waits = !self.other;
        self.see(page);
    }

    /// Looks for equal values next to each other.
    fn see(&mut self, page: &PageFacts<'_>) {
        let Some(field) = self.field.as_ref().filter(|_| !self.other && !self.tied) else {
            return;
        };
        let rows = usize::try_from(page.rows).unwrap_or_default();
        let value = |row| raw_scalar(page.record(row)?.as_bytes(), field);
        let mut before = None;
        for row in 0..rows {
            let now = value(row);
            if now.is_some() && now == before {
                self.tied = true;
                return;
            }
            before = now;
        }
    }

    /// Returns why records may be missing.
    pub fn doubt(&self) -> Option<String> {
        let field = self.field.as_ref().filter(|_| !self.other)?;
        (self.tied && self.behind).then(|| {
            format!(
                "each page begins behind the `{}` of the last record before it, and several records share a value of it: records with the value at which a page ends may be missing",
                field[0]
            )
        })
    }
}

impl Account {
    /// Records whether a page begins behind the value by which it was requested, before its rows are
    /// counted.
    pub(super) fn see_tie(&mut self, page: &PageFacts<'_>) -> Result<()> {
        if !std::mem::take(&mut self.ties.waits) {
            return Ok(());
        }
        if let Some(first) = page.ids.first() {
            self.ties.behind |= !self.rows.contains(*first).map_err(on_disk)?;
            self.ties.see(page);
        }
        Ok(())
    }
}

/// Returns whether a token is this value, or another spelling of the same time.
fn equals(value: &str, token: &str) -> bool {
    if value == token {
        return true;
    }
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    let unit = match token.len() {
        10 if digits => 1_000_000,
        13 if digits => 1_000,
        16 if digits => 1,
        _ => return moment(token).is_some_and(|at| moment(value) == Some(at)),
    };
    let at = token.parse::<i64>().ok();
    at.zip(moment(value))
        .is_some_and(|(at, value)| value.div_euclid(unit) == at)
}
