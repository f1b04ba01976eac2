//! The counters of a resource.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use etlgen_model::counted;

use crate::cursor::CursorSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::page::Proof;
use crate::record::Longest;
use crate::run::report::written::Written;
use crate::run::report::{Outcome, ResourceReport};
use crate::schema::TableBatch;

/// The number of notes about one resource that a run collects: a note may name the place where a list
/// was cut off, and there are many lists.
const NOTES: usize = 100;

/// The counters of a resource, which its slices share.
#[derive(Default)]
pub(crate) struct Stats {
    pub records: AtomicU64,
    pub pages: AtomicU64,
    pub requests: AtomicU64,
    pub retries: AtomicU64,
    pub bytes: AtomicU64,
    pub slices: AtomicU64,
    /// Microseconds that its requests waited for the rate limit.
    pub waited: AtomicU64,
    /// Lists that were answered 404 although their parents exist.
    pub hidden: AtomicU64,
    /// Lists that were left out by a rule of the owner although earlier passes have rows of them,
    /// in a pass that replaces all rows.
    pub lost: AtomicU64,
    /// Records without a value that the requests of their children need.
    pub unlinked: AtomicU64,
    /// Lists that cannot be requested, because a value of the parent cannot be part of a path.
    pub unsendable: AtomicU64,
    /// Rows without a cursor value; they are loaded.
    pub without_cursor: AtomicU64,
    /// Records whose key occurred earlier in their list.
    pub again: AtomicU64,
    /// Those of them whose contents differ.
    pub changed: AtomicU64,
    /// Records whose key occurred earlier in another slice.
    pub foreign: AtomicU64,
    /// Records that replaced a row that an interrupted run of the pass had loaded.
    pub replaced: AtomicU64,
    /// Whether a list was stopped that the next run reads from its start again.
    pub restarts: AtomicBool,
    pub shared: Mutex<Shared>,
}

#[derive(Default)]
pub(crate) struct Shared {
    pub proof: Option<Proof>,
    pub cursor: Option<(Option<String>, Option<String>)>,
    pub written: Written,
    /// Lists that were left out, by the status that they were answered with.
    pub skipped: BTreeMap<u16, u64>,
    /// Those of them that a rule of the owner leaves out.
    pub ruled_out: BTreeMap<u16, u64>,
    /// The number of records that hold only the beginning of a list, by the path of the list.
    pub cut: BTreeMap<String, u64>,
    /// The longest lists within records, by their paths.
    pub longest: BTreeMap<String, Longest>,
    /// The number of rows outside the bounds on the cursor, by the reason why they are left out.
    pub outside: BTreeMap<&'static str, u64>,
    pub notes: Vec<String>,
}

impl Stats {
    /// Adds a sentence to the report, once; of very many, only the first ones.
    pub fn note(&self, note: String) {
        let mut shared = self.lock();
        if shared.notes.len() < NOTES && !shared.notes.contains(&note) {
            shared.notes.push(note);
            if shared.notes.len() == NOTES {
                shared.notes.push("more notes are left out".to_owned());
            }
        }
    }

    /// Adds the proof of a slice.
    pub fn prove(&self, proof: Proof) {
        Proof::weaken(&mut self.lock().proof, proof);
    }

    /// Counts records that hold only the beginning of a list.
    pub fn cut(&self, lists: &BTreeMap<String, u64>) {
        if !lists.is_empty() {
            let mut shared = self.lock();
            for (list, records) in lists {
                *shared.cut.entry(list.clone()).or_default() += records;
            }
        }
    }

    /// Adds the longest lists within the records of a page.
    pub fn measure(&self, lists: &BTreeMap<String, Longest>) {
        if !lists.is_empty() {
            let mut shared = self.lock();
            for (list, longest) in lists {
                match shared.longest.get_mut(list) {
                    Some(known) => known.merge(*longest),
                    None => {
                        shared.longest.insert(list.clone(), *longest);
                    }
                }
            }
        }
    }

    /// Counts rows outside the bounds on the cursor.
    pub fn leave_outside(&self, rows: u64, why: &'static str) {
        if rows > 0 {
            *self.lock().outside.entry(why).or_default() += rows;
        }
    }

    /// Counts the rows of a chunk that is sent.
    pub fn wrote(&self, tables: &[TableBatch]) -> Result<()> {
        self.lock().written.add(tables).map_err(uncounted)
    }

    /// Counts a list that was left out.
    pub fn skip(&self, status: u16) {
        *self.lock().skipped.entry(status).or_default() += 1;
    }

    /// Counts a list that a rule of the owner leaves out.
    pub fn rule_out(&self, status: u16) {
        *self.lock().ruled_out.entry(status).or_default() += 1;
    }

    /// Records in the proof and in the notes what is not loaded as it came.
    fn told(&self, name: &str, shared: &mut Shared) {
        let cut = shared.cut.iter().map(|(list, records)| format!(
            "`{list}` continues beyond the record in {}; `.embedded(Embedded::list(\"{list}\")…)` reads the rest; if there is none, `whole_lists = [\"{list}\"]` in etlgen.toml says so, `.whole_list(\"{list}\")` in code", counted(*records, "record")
        ));
        let limits = shared
            .longest
            .iter()
            .filter(|(list, _)| !shared.cut.contains_key(*list));
        let limits = limits.filter_map(|(list, longest)| {
            let (length, records) = longest.limit()?;
            Some(format!(
                "no `{list}` within a record has more than {length} items, and {records} have exactly as many: the API may cut them off; `whole_lists = [\"{list}\"]` in etlgen.toml says that it does not, `.whole_list(\"{list}\")` in code"
            ))
        });
        let said: Vec<String> = cut.chain(limits).chain(self.collisions(name)).collect();
        for why in said {
            let proof = shared.proof.take().unwrap_or(Proof::Open);
            shared.proof = Some(proof.and(Proof::Unproved(why.clone())));
            shared.notes.push(why);
        }
    }

    /// Describes records that replace others because their keys are the same.
    fn collisions(&self, table: &str) -> Vec<String> {
        let (changed, foreign) = (self.changed.load(Relaxed), self.foreign.load(Relaxed));
        let mut said = Vec::new();
        if changed > 0 {
            said.push(format!(
                "`{table}`: {} repeated a key with other contents, which replaced the earlier contents; if the key is wrong, `primary_key = […]` in etlgen.toml names another one, and `primary_key = []` keeps every record", counted(changed, "record")
            ));
        }
        if foreign > 0 {
            said.push(format!(
                "`{table}`: {} had a key that another parent's record has, and one row is kept per key; `.within_parent()` keeps one for each parent (`within_parent = true` in etlgen.toml), `primary_key = []` every record", counted(foreign, "record")
            ));
        }
        let replaced = self.replaced.load(Relaxed);
        if replaced > 0 {
            said.push(format!(
                "`{table}`: {} had the key of a record that an interrupted run of this pass has loaded, and replaced it; if that is another record, `primary_key = […]` in etlgen.toml names another key, and `within_parent = true` keeps one record for each parent", counted(replaced, "record")
            ));
        }
        said
    }

    /// Adds the notes about slices and records that were left out, or that lack a value.
    fn left_out(&self, cursor: Option<&CursorSpec>, shared: &mut Shared) {
        let load = |counter: &AtomicU64| counter.load(Relaxed);
        let hidden = load(&self.hidden);
        if hidden > 0 {
            shared.notes.push(format!(
                "404 for {} although the parent exists: the rows are unchanged; if such a list is empty, `on_status = {{ 404 = \"empty\" }}` says so",
                counted(hidden, "slice")
            ));
        }
        let ruled_out = shared
            .ruled_out
            .iter()
            .map(|(status, lists)| ruled_out(*status, *lists));
        shared.notes.extend(ruled_out.collect::<Vec<_>>());
        // Without a rule, only the lists of parents that this pass has not seen are left out.
        let ruled_out = shared.ruled_out.get(&404).copied().unwrap_or_default();
        let gone = shared.skipped.get(&404).copied().unwrap_or_default();
        let gone = gone.saturating_sub(hidden + ruled_out);
        if gone > 0 {
            shared.notes.push(format!(
                "404 for {} whose parent this pass has not read: it may be deleted",
                counted(gone, "slice")
            ));
        }
        let unlinked = load(&self.unlinked);
        if unlinked > 0 {
            shared.notes.push(format!(
                "no value for the request of a child's list in {}: the list was not read",
                counted(unlinked, "record")
            ));
        }
        let unsendable = load(&self.unsendable);
        if unsendable > 0 {
            shared.notes.push(format!(
                "{} not read: a value of the parent is empty, `.` or `..`, and cannot be part of a path",
                counted(unsendable, "list")
            ));
        }
        let keys = cursor
            .map(|cursor| cursor.keys.join("."))
            .unwrap_or_default();
        let outside = shared.outside.iter().map(|(why, records)| {
            let records = counted(*records, "record");
            format!("left out {records} outside of the bounds on `{keys}`: {why}")
        });
        shared.notes.extend(outside.collect::<Vec<_>>());
        let without = load(&self.without_cursor);
        if without > 0 && !keys.is_empty() {
            shared.notes.push(format!(
                "kept {} without a value of `{keys}`",
                counted(without, "record")
            ));
        }
    }

    /// Returns how many lists were left out for this status.
    pub fn skipped(&self, status: u16) -> u64 {
        self.lock()
            .skipped
            .get(&status)
            .copied()
            .unwrap_or_default()
    }

    pub fn lock(&self) -> std::sync::MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Returns the resource's part of the report.
    pub fn report(
        &self,
        name: &str,
        cursor: Option<&CursorSpec>,
        outcome: Outcome,
        drift: Vec<(String, String, String, u64)>,
    ) -> ResourceReport {
        let mut shared = std::mem::take(&mut *self.lock());
        let load = |counter: &AtomicU64| counter.load(Relaxed);
        self.left_out(cursor, &mut shared);
        let waited = Duration::from_micros(load(&self.waited));
        if waited >= Duration::from_secs(1) {
            let seconds = waited.as_secs_f64();
            shared.notes.push(format!(
                "its requests waited {seconds:.1} s for the rate limit"
            ));
        }
        self.told(name, &mut shared);
        let tables = std::mem::take(&mut shared.written).tables();
        let records = load(&self.records);
        let different = records.saturating_sub(load(&self.again) + load(&self.foreign));
        let open = matches!(outcome, Outcome::Failed(..) | Outcome::Stopped);
        ResourceReport {
            name: name.to_owned(),
            proof: if open {
                Proof::Open
            } else {
                shared.proof.unwrap_or(Proof::Open)
            },
            outcome,
            records,
            different,
            unchanged: 0,
            pages: load(&self.pages),
            requests: load(&self.requests),
            retries: load(&self.retries),
            bytes: load(&self.bytes),
            slices: load(&self.slices),
            restarts: self.restarts.load(Relaxed),
            skipped: shared.skipped.into_iter().collect(),
            waited,
            cursor: shared.cursor,
            tables,
            drift,
            notes: shared.notes,
        }
    }
}

/// Describes lists that a rule of the owner left out.
fn ruled_out(status: u16, lists: u64) -> String {
    let were = if lists == 1 { "was" } else { "were" };
    format!(
        "{} {were} answered {status} and left out, as `on_status` says",
        counted(lists, "list")
    )
}

fn uncounted(error: std::io::Error) -> Error {
    let message = "the written rows cannot be counted in a temporary file";
    Error::new(ErrorKind::System, message).caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_many_lists_do_not_fill_the_memory() {
        let stats = Stats::default();
        for list in 0..1_000 {
            stats.note(format!("list {list} was cut off"));
            stats.note("one note".to_owned());
        }
        let notes = &stats.lock().notes;
        assert_eq!(notes.len(), NOTES + 1);
        assert_eq!(notes[0], "list 0 was cut off");
        assert_eq!(notes[NOTES], "more notes are left out");
    }
}
