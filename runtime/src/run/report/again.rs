//! Reads the JSON of a report again.

use std::time::Duration;

use serde_json::Value;

use super::{Outcome, ResourceReport, RunReport};
use crate::error::ErrorKind;
use crate::page::{Proof, Required};
use crate::record::parse_instant;

impl RunReport {
    /// Reads the JSON of [`RunReport::to_json`]. What is missing is empty; `None` if it is no report.
    pub(crate) fn from_json(json: &Value) -> Option<RunReport> {
        let required = text(&json["required"]);
        let mut grades = Required::ALL.into_iter();
        let started = json["started_at"].as_str();
        let off = serde_json::from_value(json["off"].clone());
        Some(RunReport {
            load_id: json["load_id"].as_str()?.to_owned(),
            source: text(&json["source"]),
            destination: text(&json["destination"]),
            resources: list(&json["resources"]).map(resource).collect(),
            off: off.unwrap_or_default(),
            required: grades
                .find(|grade| grade.name() == required)
                .unwrap_or_default(),
            notes: list(&json["notes"]).map(text).collect(),
            refused: json["refused"].as_bool().unwrap_or_default(),
            started: started
                .and_then(|time| parse_instant(time, false))
                .unwrap_or_default(),
            elapsed: duration(&json["elapsed_seconds"]).unwrap_or_default(),
        })
    }
}

fn resource(json: &Value) -> ResourceReport {
    let number = |key: &str| json[key].as_u64().unwrap_or_default();
    let why = || text(&json["proof"]["why"]);
    let ends = |from: &Value, to: &Value| (optional(from), optional(to));
    let cursor = &json["cursor"];
    let times = &cursor["times"];
    let tables = list(&json["tables"]);
    let drift = list(&json["drift"]).map(|drift| {
        let values = drift["values"].as_u64().unwrap_or_default();
        let key = text(&drift["key"]);
        (text(&drift["table"]), key, text(&drift["done"]), values)
    });
    ResourceReport {
        name: text(&json["name"]),
        parent: optional(&json["parent"]),
        outcome: outcome(json),
        records: number("records"),
        different: number("different"),
        unchanged: number("unchanged"),
        pages: number("pages"),
        requests: number("requests"),
        retries: number("retries"),
        bytes: number("bytes"),
        slices: number("slices"),
        restarts: json["restarts"].as_bool().unwrap_or_default(),
        skipped: list(&json["skipped"])
            .filter_map(|skipped| {
                let status = u16::try_from(skipped["status"].as_u64()?).ok()?;
                Some((status, skipped["lists"].as_u64()?))
            })
            .collect(),
        waited: duration(&json["waited_seconds"]).unwrap_or_default(),
        began: duration(&json["began_seconds"]),
        ended: duration(&json["ended_seconds"]),
        cursor: cursor
            .is_object()
            .then(|| ends(&cursor["from"], &cursor["to"])),
        times: times.is_array().then(|| ends(&times[0], &times[1])),
        proof: match json["proof"]["grade"].as_str() {
            Some("proved") => Proof::Proved(why()),
            Some("consistent") => Proof::Consistent(why()),
            Some("assumed") => Proof::Assumed(why()),
            Some("unproved") => Proof::Unproved(why()),
            _ => Proof::Open,
        },
        tables: tables
            .map(|table| {
                (
                    text(&table["name"]),
                    table["rows"].as_u64().unwrap_or_default(),
                )
            })
            .collect(),
        drift: drift.collect(),
        notes: list(&json["notes"]).map(text).collect(),
    }
}

fn outcome(json: &Value) -> Outcome {
    match json["outcome"].as_str() {
        Some("failed") => {
            let kind = text(&json["error"]["kind"]);
            let kind = ErrorKind::named(&kind).unwrap_or(ErrorKind::System);
            Outcome::Failed(kind, text(&json["error"]["message"]))
        }
        Some("stopped") => Outcome::Stopped,
        _ => Outcome::Complete,
    }
}

fn text(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

fn optional(json: &Value) -> Option<String> {
    json.as_str().map(str::to_owned)
}

fn list(json: &Value) -> impl Iterator<Item = &Value> {
    json.as_array().into_iter().flatten()
}

fn duration(json: &Value) -> Option<Duration> {
    Duration::try_from_secs_f64(json.as_f64()?).ok()
}
