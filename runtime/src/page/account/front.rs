//! Lists whose pages are sorted by the time of the last change, the newest first, and that are read
//! by tokens, links or ids: a record that changes while they are read moves in front of the pages that
//! have been read. The first page, requested again after the last one, has all such records in front
//! of one that has not changed.

use serde_json::{Map, Value};

use super::{Account, At, Judgement, on_disk};
use crate::error::Result;
use crate::page::advance::{PageFacts, Step};
use crate::page::proof::Proof;
use crate::record::{CursorValue, WireFormat, raw_scalar};

/// How often the times of a sorted list fall at least: those of a few rows may do so once by chance.
const FALLS: u32 = 2;
/// Parts of the names of fields with the time of the last change.
const CHANGES: [&str; 4] = ["updat", "modif", "chang", "mtime"];

/// The order of the pages of a list by the fields that may have the time of the last change.
#[derive(Debug, Default)]
pub(super) struct Newest(Option<Vec<Trail>>);

/// The values of one field, which have not risen so far.
#[derive(Debug)]
struct Trail {
    field: [String; 1],
    last: Option<String>,
    /// How often they have fallen.
    falls: u32,
}

impl Newest {
    /// Adds a page: its first, middle and last rows.
    fn see(&mut self, page: &PageFacts<'_>) {
        let Some(first) = page.record(0) else {
            return;
        };
        let trails = self.0.get_or_insert_with(|| trails(first));
        let last = usize::try_from(page.rows).unwrap_or(1).saturating_sub(1);
        for row in [0, last / 2, last] {
            if trails.is_empty() {
                return;
            }
            let record = page.record(row).unwrap_or_default();
            trails.retain_mut(|trail| trail.follows(record));
        }
    }

    /// Returns the field by which the list is sorted.
    fn field(&self) -> Option<&str> {
        let trails = self.0.as_deref().unwrap_or_default();
        let trail = trails.iter().find(|trail| trail.falls >= FALLS)?;
        Some(&trail.field[0])
    }
}

impl Trail {
    /// Returns whether a record is not newer than those before it.
    fn follows(&mut self, record: &str) -> bool {
        let Some(value) = raw_scalar(record.as_bytes(), &self.field) else {
            return false;
        };
        if let Some(last) = &self.last {
            match order(&value, last) {
                std::cmp::Ordering::Greater => return false,
                std::cmp::Ordering::Equal => {}
                std::cmp::Ordering::Less => self.falls = self.falls.saturating_add(1),
            }
        }
        self.last = Some(value);
        true
    }
}

/// Returns the fields of a record that may have the time of its last change.
fn trails(record: &str) -> Vec<Trail> {
    let fields: Map<String, Value> = serde_json::from_str(record).unwrap_or_default();
    let is_change = |name: &str| {
        let name = name.to_ascii_lowercase();
        CHANGES.iter().any(|part| name.contains(part))
    };
    let is_time = |value: &Value| match value {
        Value::String(text) => moment(text).is_some(),
        // Seconds or milliseconds since 1970.
        Value::Number(number) => number.as_f64().is_some_and(|number| number >= 1e8),
        _ => false,
    };
    let fields = fields.into_iter();
    let fields = fields.filter(|(name, value)| is_change(name) && is_time(value));
    let trail = |(name, _)| Trail {
        field: [name],
        last: None,
        falls: 0,
    };
    fields.map(trail).collect()
}

/// Returns the moment that a text stands for, in microseconds since 1970.
pub(super) fn moment(text: &str) -> Option<i64> {
    CursorValue::parse(WireFormat::Rfc3339, text).ok()?.micros()
}

fn order(one: &str, other: &str) -> std::cmp::Ordering {
    let number = |text: &str| text.parse::<f64>().ok();
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return one.total_cmp(&other);
    }
    match (moment(one), moment(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.cmp(other),
    }
}

impl Account {
    /// Returns the step after the end of a list: if its pages are sorted by the time of the last
    /// change, its first page.
    pub(super) fn look_to_front(&mut self, at: At<'_>, step: Step) -> Step {
        let position = at.position;
        let follows = position.pages > 0 || matches!(step, Step::Next(_));
        let numbered = at.paginator.is_numbered() || !at.paginator.is_paged();
        if !follows || numbered || self.terms.embedded {
            return step;
        }
        self.newest.see(at.page);
        let (Step::End(proof), Some(field)) = (&step, self.newest.field()) else {
            return step;
        };
        if !proof.is_proved() || at.paginator.by_place(position, &step) {
            return step;
        }
        match self.terms.keyed {
            true => Step::Next(position.back_to_front(proof.clone())),
            false => Step::End(Proof::Consistent(moves(field))),
        }
    }

    /// Judges the first page of a list that is sorted by the time of the last change, after its end:
    /// records in front of one that has not changed have changed, or are new.
    pub(super) fn front(&mut self, page: &PageFacts<'_>, proof: &Proof) -> Result<Judgement> {
        let added = self.rows.add_page(page.ids, page.contents);
        let added = added.map_err(on_disk)?;
        let field = self.newest.field().unwrap_or_default();
        let proof = match added.unchanged {
            0 => Proof::Consistent(moves(field)),
            _ => proof.clone(),
        };
        let moved = added.new > 0 || !added.changed.is_empty();
        let rows = page.ids.len();
        Ok(Judgement {
            step: Ok(Step::End(proof)),
            known: if moved { 0 } else { rows },
            again: if moved {
                rows.saturating_sub(added.new) as u64
            } else {
                0
            },
        })
    }
}

fn moves(field: &str) -> String {
    format!(
        "its pages are sorted by `{field}`, the newest first: a record that changes while they are read moves in front of them, and may be missing"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn falls(values: &[&str]) -> bool {
        let record = |value: &&str| format!("{{\"id\": 1, \"updatedAt\": {value}}}");
        let records: Vec<String> = values.iter().map(record).collect();
        let mut trails = trails(&records[0]);
        for record in &records {
            trails.retain_mut(|trail| trail.follows(record));
        }
        trails.iter().any(|trail| trail.falls >= FALLS)
    }

    #[test]
    fn a_list_is_sorted_by_changes_if_their_times_fall_and_never_rise() {
        let time = |hour: u32| format!("\"2024-01-01T{hour:02}:00:00Z\"");
        let times = |hours: &[u32]| -> bool {
            let times: Vec<String> = hours.iter().map(|hour| time(*hour)).collect();
            falls(&times.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert!(times(&[9, 9, 8, 3]));
        assert!(falls(&["1700000300", "1700000200", "1700000100"]));
        for honest in [&[1, 2, 3][..], &[9, 8, 9], &[5, 5, 5], &[5], &[9, 8, 8]] {
            assert!(!times(honest), "{honest:?}");
        }
        // A number of changes is no time, and a record may have none.
        assert!(!falls(&["9", "8", "7"]));
        assert!(!falls(&["1700000300", "1700000200", "null"]));
    }
}
