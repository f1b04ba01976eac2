//! Values derived from an index alone, and the mock API's record of changes.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use serde_json::Value;

use super::Scenario;

/// The time of the first record: 2024-01-01T00:00:00Z.
pub(super) const START: i64 = 1_704_067_200;

/// The time of a test's first change, later than all initial data: 2025-06-01T00:00:00Z.
const CHANGES: i64 = 1_748_736_000;

const DAY: i64 = 86_400;

pub(super) const NAMES: [&str; 8] = [
    "Ada Winter",
    "Björn Åkesson",
    "Chidi Okafor",
    "Dana O'Neill",
    "Emi 田中",
    "Farid Haddad",
    "Greta Lind",
    "Hugo \"Max\" Roth",
];
pub(super) const CITIES: [&str; 5] = ["Lisbon", "Zürich", "Oslo", "Kraków", "Dublin"];
pub(super) const COUNTRIES: [&str; 5] = ["PT", "CH", "NO", "PL", "IE"];
pub(super) const WORDS: [&str; 7] = [
    "gateway", "ledger", "parser", "mirror", "beacon", "harbour", "quarry",
];

/// Returns the value of a list that belongs to an index.
pub(super) fn pick<'a>(list: &[&'a str], index: usize) -> &'a str {
    list[index % list.len()]
}

/// Returns whether a record differs from the document, as every 50th does.
pub(super) fn drifts(index: usize) -> bool {
    index % 50 == 49
}

/// Adds the keys of one object to another.
pub(super) fn extend(record: &mut Value, more: Value) {
    if let (Value::Object(record), Value::Object(more)) = (record, more) {
        record.extend(more);
    }
}

/// Returns an evenly spread number (SplitMix64).
pub(super) fn mix(index: usize) -> u64 {
    let mut mixed = (index as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Formats a date: `2024-01-31`.
pub(super) fn date(seconds: i64) -> String {
    // Days count from 0000-03-01, so that the leap day is the last of a year.
    let days = seconds.div_euclid(DAY) + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Formats a time: `2024-01-31T10:20:30Z`.
pub(super) fn timestamp(seconds: i64) -> String {
    let time = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{}T{hour:02}:{minute:02}:{second:02}Z", date(seconds))
}

/// Parses an RFC 3339 time or a date into seconds; a fraction is dropped.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let year = year - i64::from(month <= 2);
    let days = year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719_468;
    if text.len() == 10 {
        return Some(days * DAY);
    }
    let seconds = number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    let zone = text
        .get(19..)?
        .trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    let offset = match zone.as_bytes() {
        b"Z" => 0,
        [sign @ (b'+' | b'-'), ..] if zone.len() == 6 => {
            let hours: i64 = zone.get(1..3)?.parse().ok()?;
            let minutes: i64 = zone.get(4..6)?.parse().ok()?;
            let size = hours * 3600 + minutes * 60;
            if *sign == b'+' { size } else { -size }
        }
        _ => return None,
    };
    Some(days * DAY + seconds - offset)
}

/// Kinds of records that can be changed one by one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Issue,
    Task,
}

/// The numbers of records of each kind, and the changes with their times.
pub(super) struct Store {
    pub customers: AtomicUsize,
    pub invoices: AtomicUsize,
    pub events: AtomicUsize,
    pub issues_per_repo: AtomicUsize,
    pub commits_per_repo: AtomicUsize,
    pub tasks_per_project: AtomicUsize,
    changes: AtomicI64,
    /// The times of the changes, by kind, parent and number.
    changed: Mutex<HashMap<(Kind, usize, usize), i64>>,
}

impl Store {
    pub fn new(scenario: &Scenario) -> Store {
        Store {
            customers: scenario.customers.into(),
            invoices: scenario.invoices.into(),
            events: scenario.events.into(),
            issues_per_repo: scenario.issues_per_repo.into(),
            commits_per_repo: scenario.commits_per_repo.into(),
            tasks_per_project: scenario.tasks_per_project.into(),
            changes: 0.into(),
            changed: Mutex::default(),
        }
    }

    /// Marks a record as changed, one minute after the previous change.
    pub fn touch(&self, kind: Kind, parent: usize, number: usize) {
        let at = CHANGES + 60 * self.changes.fetch_add(1, Ordering::SeqCst);
        let mut changed = self.changed.lock().unwrap();
        changed.insert((kind, parent, number), at);
    }

    pub fn changed_at(&self, kind: Kind, parent: usize, number: usize) -> Option<i64> {
        let changed = self.changed.lock().unwrap();
        changed.get(&(kind, parent, number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_a_round_trip() {
        for seconds in [0, 951_782_400, START + 59, 1_735_689_599, CHANGES] {
            assert_eq!(parse_time(&timestamp(seconds)), Some(seconds));
        }
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(parse_time("2024-01-01"), Some(START));
        let offset = parse_time("2024-01-01T02:00:00.125+02:00");
        assert_eq!(offset, Some(START));
        // A `+` that was not encoded becomes a space.
        assert_eq!(parse_time("2024-01-01T02:00:00 02:00"), None);
    }
}
