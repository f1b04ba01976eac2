//! The state of one slice of a resource.

use serde::{Deserialize, Serialize};

use super::format::{RowFormat, unreadable};
use crate::cursor::Interval;
use crate::error::Result;
use crate::page::{Position, Proof};
use crate::source::SliceRequest;

/// The state of one slice: how far it has been read, and the pass in progress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SliceState {
    /// The number of the format of the row.
    #[serde(default, skip_serializing)]
    pub format: RowFormat,
    /// The highest cursor value of a pass that was read to its end, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The newest records that it has shown. A request from the cursor on returns one of them, or the
    /// API does not filter as it was asked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<Edge>,
    /// The pass that has begun and not ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pass: Option<Pass>,
    /// The id of the last pass that was read to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<String>,
    /// How well it is known that its rows are complete; `None`: it is proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Whether the last pass left its list out by a rule of the owner, so that it has no rows of
    /// that pass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left_out: bool,
    /// For a child slice: what its parent supplies to its requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<SliceRequest>,
    /// For a child resource as a whole: the last load that read its parent without it. There may
    /// then be parents whose slices were not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<String>,
    /// For a child resource as a whole: whether the last pass has seen that the key is not unique,
    /// so that the next one reads all records again and compares their keys.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub collided: bool,
}

/// The records of a slice with the highest cursor value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// That value, as text. It may be later than [`SliceState::cursor`], which is not later than the
    /// start of its pass.
    pub value: String,
    /// Hashes of the keys of some of them; empty without a key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<u64>,
    /// Whether the times of the cursor have no zone, so that requests begin a day earlier.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub zoneless: bool,
}

/// One reading of a slice, from its first page to its last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// The id of the load in which it began.
    pub id: String,
    /// When it began by this machine's clock, in microseconds since 1970, if its id states another
    /// time because that clock was set back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<i64>,
    /// When it began by the API's clock, in microseconds since 1970, if the responses state the
    /// time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<i64>,
    /// Where it continues.
    #[serde(default)]
    pub position: Position,
    /// Whether its rows are staged and replace the rows of the table at its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub staged: bool,
    /// Whether it does not show every record. A record that it lacks may then still exist.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// The lower bound of the cursor that it requests, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Whether it began without such a bound, which only says where it continues then: its records
    /// are all there are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_full: bool,
    /// The highest cursor value that it has seen, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<String>,
    /// Hashes of the keys of some records that have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tops: Vec<u64>,
    /// Whether the times of the cursor have no zone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub zoneless: bool,
    /// Whether it has shown a record that the passes before it have shown: it goes on where they
    /// ended.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub joined: bool,
    /// How well it is known that nothing was missed so far; `None`: it is proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Whether it has seen that the list is not sorted as declared.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsorted: bool,
    /// For a pass that is read in windows: the parts of the cursor's range that have been read, in
    /// order, none of which touches another.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Interval>,
    /// For a pass that is read in windows: those that have begun and not ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<OpenWindow>,
}

/// A window that has begun and not ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OpenWindow {
    /// The part of the cursor's range that it reads.
    pub window: Interval,
    /// Where it continues.
    #[serde(default)]
    pub position: Position,
}

/// Returns the id of a load that begins at that time, in microseconds since 1970: seconds with six
/// decimals.
pub(crate) fn load_id(micros: i64) -> String {
    let micros = micros.max(0);
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Returns the time in the id of a load, in microseconds since 1970.
pub(crate) fn load_time(id: &str) -> Option<i64> {
    let (seconds, micros) = id.split_once('.')?;
    let seconds: i64 = seconds.parse().ok()?;
    let micros: i64 = micros.parse().ok().filter(|_| micros.len() == 6)?;
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}

impl Pass {
    /// Returns whether it has begun to read.
    pub fn is_begun(&self) -> bool {
        self.position != Position::default() || self.is_windowed()
    }

    /// Returns whether it is read in windows.
    pub fn is_windowed(&self) -> bool {
        !self.closed.is_empty() || !self.open.is_empty()
    }

    /// Returns when it began by this machine's clock, in microseconds since 1970.
    pub fn began(&self) -> Option<i64> {
        self.started.or_else(|| load_time(&self.id))
    }
}

impl SliceState {
    /// Reads a state row's value.
    pub fn parse(resource: &str, slice: &str, value: &str) -> Result<Self> {
        serde_json::from_str(value).map_err(|error| {
            let which = if slice.is_empty() {
                resource.to_owned()
            } else {
                format!("{resource} {slice}")
            };
            let what = format!("the state of {which}");
            let hint = "`state reset` forgets it, and the next run reads everything again";
            unreadable(&what, value, error, hint)
        })
    }

    /// Returns the value of a state row.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Returns the value of a state row that a rollback restores, without the pass in progress: the records that the pass has
/// found unchanged are no longer known once a later load has ended it, and its end would delete them.
pub(crate) fn without_pass(value: &str) -> String {
    match serde_json::from_str::<SliceState>(value) {
        Ok(state) if state.pass.is_some() => {
            let pass = None;
            SliceState { pass, ..state }.to_json()
        }
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{SliceState, without_pass};

    #[test]
    fn a_restored_row_has_no_pass_in_progress() {
        let open = r#"{"cursor":"7","pass":{"id":"5.5"},"done":"4.5"}"#;
        assert_eq!(without_pass(open), r#"{"cursor":"7","done":"4.5"}"#);
        for other in [
            r#"{"done":"4.5","cursor":"7"}"#,
            "{}",
            "\u{0}",
            r#"{"pass":7}"#,
        ] {
            assert_eq!(without_pass(other), other);
        }
    }

    #[test]
    fn a_row_of_a_later_format_is_refused_and_one_without_a_number_is_of_the_first() {
        for value in [r#"{"cursor":"7"}"#, r#"{"cursor":"7","format":1}"#] {
            let state = SliceState::parse("orders", "", value).unwrap();
            assert_eq!(state.to_json(), r#"{"cursor":"7"}"#);
        }
        let later = r#"{"cursor":{"new":"form"},"format":2}"#;
        let error = SliceState::parse("orders", "", later).unwrap_err();
        let text = error.report();
        assert!(
            text.contains("the state of orders has the format 2"),
            "{text}"
        );
        assert!(text.contains("cargo update -p etlgen-runtime"), "{text}");
    }
}
