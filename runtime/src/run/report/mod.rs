//! The report of a run.

pub(crate) mod stats;
pub(crate) mod trace;
mod written;

use std::time::Duration;

use serde_json::{Value, json};

use crate::error::ErrorKind;
use crate::page::{Proof, Required};
use crate::run::plan::OffResource;

/// The report of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RunReport {
    /// The load's id (`_etl_load_id`).
    pub load_id: String,
    /// The source's name.
    pub source: String,
    /// The destination: `sqlite:stripe.db`.
    pub destination: String,
    /// One per resource, in the source's order.
    pub resources: Vec<ResourceReport>,
    /// The resources that the run left out since they are off.
    pub off: Vec<OffResource>,
    /// The worst grade with which a resource passes.
    pub required: Required,
    /// Notes that belong to no resource of the run.
    pub notes: Vec<String>,
    /// Whether the API refused the source's own credentials: one resource reports it, and the run
    /// stopped.
    pub refused: bool,
    /// The time from start to end.
    pub elapsed: Duration,
}

impl RunReport {
    /// Returns whether every resource was read to its end.
    pub fn is_complete(&self) -> bool {
        self.resources
            .iter()
            .all(|resource| !matches!(resource.outcome, Outcome::Failed(..)))
    }

    /// Returns whether the API has refused the credentials for every list that was asked, so that
    /// nothing came; the children of those lists were not read.
    pub(crate) fn is_refused_everywhere(&self) -> bool {
        let was_refused = |resource: &ResourceReport| match &resource.outcome {
            Outcome::Failed(kind, _) => Some(*kind == ErrorKind::Credentials),
            Outcome::Stopped if resource.requests == 0 => None,
            Outcome::Stopped | Outcome::Complete => Some(false),
        };
        let mut asked = self.resources.iter().filter_map(was_refused).peekable();
        self.refused || asked.peek().is_some() && asked.all(|refused| refused)
    }
}

impl RunReport {
    /// Returns the report as JSON. Later versions may add keys; these stay:
    ///
    /// - `version` (1), `load_id`, `source`, `destination`, `elapsed_seconds`, `complete` (no
    ///   resource failed), `required` (the grade that the run requires: `proved`, `consistent`,
    ///   `assumed` or `any`),
    /// - `resources`, each with `name`, `outcome` (`complete`, `stopped` or `failed`), `error`
    ///   (`kind`, `message`; null unless it failed), `proof` (`grade`: `proved`, `consistent`,
    ///   `assumed`, `unproved` or `open`; `why`), `required` (whether the grade is as good as the
    ///   run requires), the numbers `records`, `different` (records with
    ///   different keys), `unchanged` (records that were not written again), `pages`, `requests`,
    ///   `retries`, `bytes`, `slices`
    ///   and `waited_seconds`, `restarts` (it was stopped in a list that the next run reads from its
    ///   start again), `skipped` (`status`, `lists`), `cursor` (`from`, `to`; null without
    ///   one), `tables` (`name`, `rows`), `drift` (`table`, `key`, `done`, `values`) and `notes`,
    /// - `refused`: the API refused the credentials, and the run stopped,
    /// - `off`, the resources that were left out since they are off, each with `name`, `reason` and
    ///   `settle`,
    /// - `notes` that belong to no resource.
    ///
    /// It contains no secrets.
    pub fn to_json(&self) -> Value {
        let resources: Vec<Value> = self
            .resources
            .iter()
            .map(|report| report.to_json(self.required))
            .collect();
        json!({
            "version": 1,
            "load_id": self.load_id,
            "source": self.source,
            "destination": self.destination,
            "elapsed_seconds": self.elapsed.as_secs_f64(),
            "complete": self.is_complete(),
            "required": self.required.name(),
            "resources": resources,
            "off": self.off,
            "notes": self.notes,
            "refused": self.refused,
        })
    }
}

impl ResourceReport {
    /// Returns whether the end of the resource is proved as well as the run requires. This is true
    /// for a resource that failed: its outcome reports the failure.
    pub fn meets(&self, required: Required) -> bool {
        match (&self.outcome, &self.proof) {
            (Outcome::Failed(..), _) => true,
            // There was nothing to read.
            (Outcome::Complete, Proof::Open) => true,
            (_, proof) => required.is_met_by(proof),
        }
    }

    fn to_json(&self, required: Required) -> Value {
        let (outcome, error) = match &self.outcome {
            Outcome::Complete => ("complete", Value::Null),
            Outcome::Stopped => ("stopped", Value::Null),
            Outcome::Failed(kind, message) => {
                ("failed", json!({"kind": kind.name(), "message": message}))
            }
        };
        let (grade, why) = (self.proof.grade(), self.proof.why());
        let skipped = self.skipped.iter();
        let skipped = skipped.map(|(status, lists)| json!({"status": status, "lists": lists}));
        let tables = self.tables.iter();
        let tables = tables.map(|(name, rows)| json!({"name": name, "rows": rows}));
        let drift = self.drift.iter().map(|(table, key, done, values)| {
            json!({"table": table, "key": key, "done": done, "values": values})
        });
        let cursor = self.cursor.as_ref();
        json!({
            "name": self.name,
            "outcome": outcome,
            "error": error,
            "proof": {"grade": grade, "why": why},
            "required": self.meets(required),
            "records": self.records,
            "different": self.different,
            "unchanged": self.unchanged,
            "pages": self.pages,
            "requests": self.requests,
            "retries": self.retries,
            "bytes": self.bytes,
            "slices": self.slices,
            "restarts": self.restarts,
            "waited_seconds": self.waited.as_secs_f64(),
            "skipped": skipped.collect::<Vec<_>>(),
            "cursor": cursor.map(|(from, to)| json!({"from": from, "to": to})),
            "tables": tables.collect::<Vec<_>>(),
            "drift": drift.collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

/// The report of one resource.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResourceReport {
    /// The resource.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Records received (before the owner's filters).
    pub records: u64,
    /// Of these, the records with different keys; without a key, all of them.
    pub different: u64,
    /// Of the records received, those that were not written because the destination had them unchanged.
    pub unchanged: u64,
    /// Pages received.
    pub pages: u64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests that were tried again.
    pub retries: u64,
    /// Bytes of the bodies received, decompressed.
    pub bytes: u64,
    /// Slices read (1 for a resource without a parent).
    pub slices: u64,
    /// Whether it was stopped in a list that the next run reads from its start again, since the
    /// pages of the list are numbered.
    pub restarts: bool,
    /// Lists that were left out as [`crate::source::Resource::on_status`] says: (status, how many).
    pub skipped: Vec<(u16, u64)>,
    /// The total time that its requests waited for the rate limit.
    pub waited: Duration,
    /// The cursor before and after, as text, if the resource has one.
    pub cursor: Option<(Option<String>, Option<String>)>,
    /// How the end was proved.
    pub proof: Proof,
    /// The different rows per table, root first; those of unchanged records count too.
    pub tables: Vec<(String, u64)>,
    /// Drift: (table, key or column, what was done with it, how many values).
    pub drift: Vec<(String, String, String, u64)>,
    /// Notes about the resource: a filter that the API refused, a resource that was read in full.
    pub notes: Vec<String>,
}

/// How a resource ended.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It was read to its end.
    Complete,
    /// It was stopped by `--limit` or by a signal. The next run resumes it, or starts again
    /// ([`ResourceReport::restarts`]).
    Stopped,
    /// It failed. The message holds no secret.
    Failed(ErrorKind, String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_says_everything_as_json() {
        let resource = ResourceReport {
            name: "items".into(),
            outcome: Outcome::Failed(ErrorKind::Api, "500".into()),
            records: 7,
            different: 7,
            unchanged: 2,
            pages: 1,
            requests: 3,
            retries: 2,
            bytes: 90,
            slices: 1,
            restarts: true,
            skipped: vec![(403, 2)],
            waited: Duration::from_millis(1500),
            cursor: Some((None, Some("2024".into()))),
            proof: Proof::Open,
            tables: vec![("items".into(), 7)],
            drift: vec![("items".into(), "x".into(), "new column".into(), 4)],
            notes: vec!["a note".into()],
        };
        let report = RunReport {
            load_id: "1.0".into(),
            source: "s".into(),
            destination: "memory".into(),
            resources: vec![resource],
            off: Vec::new(),
            required: Required::Any,
            notes: vec!["another".into()],
            refused: false,
            elapsed: Duration::from_secs(2),
        };
        let expected = json!({
            "version": 1, "load_id": "1.0", "source": "s", "destination": "memory", "elapsed_seconds": 2.0,
            "complete": false, "required": "any", "off": [], "notes": ["another"], "refused": false,
            "resources": [{
                "name": "items", "outcome": "failed", "error": {"kind": "api", "message": "500"},
                "proof": {"grade": "open", "why": null}, "required": true,
                "records": 7,
                "different": 7, "unchanged": 2, "pages": 1, "requests": 3, "retries": 2, "bytes": 90, "slices": 1, "restarts": true,
                "waited_seconds": 1.5, "skipped": [{"status": 403, "lists": 2}],
                "cursor": {"from": null, "to": "2024"}, "tables": [{"name": "items", "rows": 7}],
                "drift": [{"table": "items", "key": "x", "done": "new column", "values": 4}],
                "notes": ["a note"],
            }],
        });
        assert_eq!(report.to_json(), expected);
        let code = include_str!("mod.rs");
        let documented = code.split("pub fn to_json").next().unwrap_or_default();
        let resource = expected["resources"][0].as_object().unwrap().keys();
        for key in expected.as_object().unwrap().keys().chain(resource) {
            assert!(documented.contains(&format!("`{key}`")), "{key}");
        }
    }
}
