//! The counters of a part of a resource as a plain value, which another process adds to its own.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use serde::{Deserialize, Serialize};

use crate::page::Proof;
use crate::record::Longest;
use crate::run::report::stats::Stats;

/// The counters of a part of a resource, by their names in [`Stats`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Counted {
    pub records: u64,
    pub pages: u64,
    pub requests: u64,
    pub retries: u64,
    pub bytes: u64,
    pub slices: u64,
    pub waited: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub hidden: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub lost: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub unlinked: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub unsendable: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub without_cursor: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub again: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub changed: u64,
    #[serde(skip_serializing_if = "is_zero")]
    pub foreign: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<(Option<String>, Option<String>)>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<u16, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ruled_out: BTreeMap<u16, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cut: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub longest: BTreeMap<String, Longest>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub outside: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Stats {
    /// Returns the counters so far.
    pub fn counted(&self) -> Counted {
        let shared = self.lock();
        Counted {
            records: self.records.load(Relaxed),
            pages: self.pages.load(Relaxed),
            requests: self.requests.load(Relaxed),
            retries: self.retries.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            slices: self.slices.load(Relaxed),
            waited: self.waited.load(Relaxed),
            hidden: self.hidden.load(Relaxed),
            lost: self.lost.load(Relaxed),
            unlinked: self.unlinked.load(Relaxed),
            unsendable: self.unsendable.load(Relaxed),
            without_cursor: self.without_cursor.load(Relaxed),
            again: self.again.load(Relaxed),
            changed: self.changed.load(Relaxed),
            foreign: self.foreign.load(Relaxed),
            proof: shared.proof.clone(),
            cursor: shared.cursor.clone(),
            skipped: shared.skipped.clone(),
            ruled_out: shared.ruled_out.clone(),
            cut: shared.cut.clone(),
            longest: shared.longest.clone(),
            outside: shared.outside.clone(),
            notes: shared.notes.clone(),
        }
    }

    /// Adds the counters of a part.
    pub fn absorb(&self, part: &Counted) {
        for (counter, more) in [
            (&self.records, part.records),
            (&self.pages, part.pages),
            (&self.requests, part.requests),
            (&self.retries, part.retries),
            (&self.bytes, part.bytes),
            (&self.slices, part.slices),
            (&self.waited, part.waited),
            (&self.hidden, part.hidden),
            (&self.lost, part.lost),
            (&self.unlinked, part.unlinked),
            (&self.unsendable, part.unsendable),
            (&self.without_cursor, part.without_cursor),
            (&self.again, part.again),
            (&self.changed, part.changed),
            (&self.foreign, part.foreign),
        ] {
            counter.fetch_add(more, Relaxed);
        }
        self.cut(&part.cut);
        self.measure(&part.longest);
        part.notes.iter().for_each(|note| self.note(note.clone()));
        let mut shared = self.lock();
        if let Some(proof) = &part.proof {
            Proof::weaken(&mut shared.proof, proof.clone());
        }
        shared.cursor = part.cursor.clone().or(shared.cursor.take());
        add(&mut shared.skipped, &part.skipped);
        add(&mut shared.ruled_out, &part.ruled_out);
        add(&mut shared.outside, &part.outside);
    }
}

fn add<K: Ord + Clone>(sums: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    for (key, count) in more {
        *sums.entry(key.clone()).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_the_weakest_proof_stays() {
        let whole = Stats::default();
        for number in 1..=2 {
            let part = Stats::default();
            part.records.fetch_add(number, Relaxed);
            part.prove(match number {
                1 => Proof::Unproved("it is cut".into()),
                _ => Proof::Proved("the end".into()),
            });
            part.skip(404);
            part.leave_outside(number, "older");
            part.note("the same".into());
            let json = serde_json::to_string(&part.counted()).unwrap();
            whole.absorb(&serde_json::from_str(&json).unwrap());
        }
        let sum = whole.counted();
        assert_eq!((sum.records, sum.outside["older"]), (3, 3));
        assert_eq!(sum.proof, Some(Proof::Unproved("it is cut".into())));
        assert_eq!(sum.skipped, BTreeMap::from([(404, 2)]));
        assert_eq!(sum.notes, ["the same"]);
    }
}
