//! The progress of a run as JSON: one object per line on standard error.

use std::io::Write;

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::record::sortable;
use crate::run::{Observer, Outcome, Progress, RunReport};
use crate::world::World;

/// Writes each event as one line: `time` (RFC 3339, UTC), `level` (`info`, `warn`, `error`),
/// `event`, `resource` if it concerns one, and the event's own fields. The first event is
/// `started` (unless the run fails before), the last one `ended`.
pub struct JsonLog {
    pub world: World,
    /// The version of the connector.
    pub version: String,
}

impl Observer for JsonLog {
    fn on(&self, progress: Progress) {
        self.write(self.line(progress));
    }
}

impl JsonLog {
    /// Says that a signal was heard.
    pub fn stopping(&self) {
        self.write(self.event("info", "stopping", None, json!({})));
    }

    /// Writes the end of a run that has a report.
    pub fn ended(&self, report: &RunReport, code: u8) {
        self.write(self.end(report, code));
    }

    /// Writes the end of a run that failed as a whole. The message holds no secret.
    pub fn failed(&self, error: &Error, message: &str) {
        let fields = json!({
            "outcome": "failed",
            "exit_code": error.kind().exit_code(),
            "error": {"kind": error.kind().name(), "message": message},
        });
        self.write(self.event("error", "ended", None, fields));
    }

    fn write(&self, line: Value) {
        // If this fails, standard error is closed, and the error cannot be reported either.
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    fn event(&self, level: &str, event: &str, resource: Option<String>, fields: Value) -> Value {
        let time = sortable(self.world.micros()).as_str().to_owned();
        let mut line = Map::new();
        line.insert("time".to_owned(), time.into());
        line.insert("level".to_owned(), level.into());
        line.insert("event".to_owned(), event.into());
        if let Some(resource) = resource {
            line.insert("resource".to_owned(), resource.into());
        }
        if let Value::Object(fields) = fields {
            line.extend(fields);
        }
        Value::Object(line)
    }

    fn end(&self, report: &RunReport, code: u8) -> Value {
        let sum = |of: fn(&crate::run::ResourceReport) -> u64| -> u64 {
            report.resources.iter().map(of).sum()
        };
        let names = |wanted: fn(&Outcome) -> bool| -> Vec<&str> {
            let found = report.resources.iter().filter(|r| wanted(&r.outcome));
            found.map(|report| report.name.as_str()).collect()
        };
        let failed = names(|outcome| matches!(outcome, Outcome::Failed(..)));
        let stopped = names(|outcome| matches!(outcome, Outcome::Stopped));
        let (level, outcome) = match (failed.len(), stopped.len()) {
            (0, 0) => ("info", "complete"),
            (0, _) => ("info", "stopped"),
            (failed, _) if failed == report.resources.len() => ("error", "failed"),
            _ => ("error", "partial"),
        };
        let fields = json!({
            "outcome": outcome,
            "exit_code": code,
            "load_id": report.load_id,
            "elapsed_seconds": report.elapsed.as_secs_f64(),
            "resources": report.resources.len(),
            "failed": failed,
            "stopped": stopped,
            "records": sum(|report| report.records),
            "rows": sum(|report| report.tables.iter().map(|(_, rows)| rows).sum()),
            "bytes": sum(|report| report.bytes),
            "requests": sum(|report| report.requests),
            "retries": sum(|report| report.retries),
        });
        self.event(level, "ended", None, fields)
    }

    fn line(&self, progress: Progress) -> Value {
        match progress {
            Progress::Started {
                load_id,
                source,
                destination,
                resources,
            } => {
                let fields = json!({
                    "source": source,
                    "version": self.version,
                    "destination": destination,
                    "load_id": load_id,
                    "resources": resources,
                });
                self.event("info", "started", None, fields)
            }
            Progress::Page {
                resource,
                pages,
                records,
                total,
                requests,
            } => {
                let fields = json!({
                    "pages": pages,
                    "records": records,
                    "total": total,
                    "requests": requests,
                });
                self.event("info", "page", Some(resource), fields)
            }
            Progress::Retry {
                resource, reason, ..
            } => self.event("warn", "retry", Some(resource), json!({"reason": reason})),
            Progress::Waiting { resource, time } => {
                let fields = json!({"seconds": time.as_secs_f64()});
                self.event("info", "waiting", Some(resource), fields)
            }
            Progress::Warning { resource, message } => {
                let fields = json!({"message": message});
                self.event("warn", "warning", Some(resource), fields)
            }
            Progress::Committed { rows } => {
                self.event("info", "committed", None, json!({"rows": rows}))
            }
            Progress::Finished { resource, error } => {
                let level = if error.is_some() { "error" } else { "info" };
                self.event(level, "finished", Some(resource), json!({"error": error}))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let log = JsonLog {
            world: World::real(),
            version: "1.2.3".to_owned(),
        };
        let progress = Progress::Retry {
            resource: "a\nb".into(),
            reason: "503".into(),
            cause: "503".into(),
        };
        let text = log.line(progress).to_string();
        assert!(
            text.ends_with(
                r#"Z","level":"warn","event":"retry","resource":"a\nb","reason":"503"}"#
            ),
            "{text}"
        );
        let failed = Progress::Finished {
            resource: "a".into(),
            error: Some("no".into()),
        };
        assert_eq!(log.line(failed)["level"], "error");
        let started = log.line(Progress::Started {
            load_id: "1.0".into(),
            source: "shop".into(),
            destination: "sqlite:shop.db".into(),
            resources: 3,
        });
        assert_eq!(
            (
                &started["event"],
                &started["version"],
                &started["resources"]
            ),
            (&json!("started"), &json!("1.2.3"), &json!(3))
        );
    }
}
