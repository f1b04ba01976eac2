//! The progress of a run as JSON: one object per line on standard error.

use std::io::Write;

use serde_json::{Value, json};

use crate::record::sortable;
use crate::run::{Observer, Progress};
use crate::world::World;

/// Writes each event as one line: `time` (RFC 3339, UTC), `level` (`info`, `warn`, `error`),
/// `event` (`page`, `retry`, `warning`, `committed`, `finished`), `resource` if it concerns one,
/// and the event's own fields.
pub struct JsonLog(pub World);

impl Observer for JsonLog {
    fn on(&self, progress: Progress) {
        // If this fails, standard error is closed, and the error cannot be reported either.
        let _ = writeln!(std::io::stderr(), "{}", line(progress, self.time()));
    }
}

impl JsonLog {
    fn time(&self) -> String {
        sortable(self.0.micros()).as_str().to_owned()
    }
}

fn line(progress: Progress, time: String) -> Value {
    let event = |level: &str, event: &str, resource: Option<String>, fields: Value| {
        let mut line = json!({"time": time, "level": level, "event": event});
        if let Some(resource) = resource {
            line["resource"] = resource.into();
        }
        if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
            line.extend(fields);
        }
        line
    };
    match progress {
        Progress::Page {
            resource,
            pages,
            records,
            total,
        } => {
            let fields = json!({"pages": pages, "records": records, "total": total});
            event("info", "page", Some(resource), fields)
        }
        Progress::Retry {
            resource, reason, ..
        } => event("warn", "retry", Some(resource), json!({"reason": reason})),
        Progress::Warning { resource, message } => event(
            "warn",
            "warning",
            Some(resource),
            json!({"message": message}),
        ),
        Progress::Committed { rows } => event("info", "committed", None, json!({"rows": rows})),
        Progress::Finished { resource, error } => {
            let level = if error.is_some() { "error" } else { "info" };
            event(level, "finished", Some(resource), json!({"error": error}))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let progress = Progress::Retry {
            resource: "a\nb".into(),
            reason: "503".into(),
            cause: "503".into(),
        };
        let text = line(progress, "2024-01-01T00:00:00Z".into()).to_string();
        assert_eq!(
            text,
            r#"{"time":"2024-01-01T00:00:00Z","level":"warn","event":"retry","resource":"a\nb","reason":"503"}"#
        );
        let failed = Progress::Finished {
            resource: "a".into(),
            error: Some("no".into()),
        };
        assert_eq!(line(failed, String::new())["level"], "error");
    }
}
