//! Standard output, to which several threads write whole lines.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorKind, Result};
use crate::run::{Observer, Progress};
use crate::settings::Redactor;
use crate::world::World;

type Writer = BufWriter<Box<dyn Write + Send>>;

/// Writes the lines of several threads.
#[derive(Clone)]
pub(super) struct Out {
    to: Arc<Mutex<Writer>>,
    /// The records of each stream since its last state.
    records: Arc<Mutex<BTreeMap<String, u64>>>,
    /// The states of streams that are written at their ends.
    last: Arc<Mutex<BTreeMap<String, Map<String, Value>>>>,
    world: World,
}

impl Out {
    pub fn stdout() -> Self {
        let out: Box<dyn Write + Send> = Box::new(io::stdout());
        Out {
            to: Arc::new(Mutex::new(BufWriter::new(out))),
            records: Arc::default(),
            last: Arc::default(),
            world: World::real(),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, Writer> {
        self.to.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time in milliseconds since 1970.
    pub fn millis(&self) -> i64 {
        self.world.micros() / 1_000
    }

    /// Writes a message, and everything before it.
    pub fn message(&self, ty: &str, key: &str, value: Value) -> Result<()> {
        let message = json!({"type": ty, key: value});
        let mut out = self.lock();
        writeln!(out, "{message}")?;
        Ok(out.flush()?)
    }

    /// Writes a line for people. If this fails, standard output is closed, which a message reports.
    pub fn log(&self, level: &str, message: &str) {
        let _ = self.message("LOG", "log", json!({"level": level, "message": message}));
    }

    /// Counts records of a stream; returns their number since its last state.
    pub fn count(&self, stream: &str, records: usize) -> u64 {
        let mut all = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(stream.to_owned()).or_default();
        *count = count.saturating_add(records as u64);
        *count
    }

    /// Keeps the state of a stream until its end.
    pub fn keep(&self, stream: &str, state: Map<String, Value>) {
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(stream.to_owned(), state);
    }

    /// Returns the state that was kept of a stream.
    pub fn kept(&self, stream: &str) -> Map<String, Value> {
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(stream).unwrap_or_default()
    }

    /// Writes the state of a stream, with the number of its records since its last state.
    pub fn state(&self, stream: &str, state: &Value) -> Result<()> {
        let mut all = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        // The protocol counts in floating point.
        let count = all.remove(stream).unwrap_or_default() as f64;
        let message = json!({
            "type": "STREAM",
            "stream": {"stream_descriptor": {"name": stream}, "stream_state": state},
            "sourceStats": {"recordCount": count},
        });
        self.message("STATE", "state", message)
    }

    /// Writes the status of a stream.
    pub fn status(&self, stream: &str, status: &str) -> Result<()> {
        let trace = json!({
            "type": "STREAM_STATUS",
            "emitted_at": self.millis(),
            "stream_status": {"stream_descriptor": {"name": stream}, "status": status},
        });
        self.message("TRACE", "trace", trace)
    }

    /// Writes an error, of a stream or of the run.
    pub fn error(&self, error: &Error, stream: Option<&str>, redactor: Option<&Redactor>) {
        let text = error.report();
        let text = redactor.map_or(text.clone(), |redactor| redactor.redact(&text));
        self.failure(error.kind(), &text, stream);
    }

    /// Writes an error that holds no secret.
    pub fn failure(&self, kind: ErrorKind, text: &str, stream: Option<&str>) {
        let failure = match kind {
            ErrorKind::Usage | ErrorKind::Credentials | ErrorKind::State => "config_error",
            ErrorKind::Api => "transient_error",
            _ => "system_error",
        };
        let message = text.lines().next().unwrap_or_default();
        let mut error = json!({
            "message": message,
            "internal_message": text,
            "failure_type": failure,
        });
        if let Some(stream) = stream {
            error["stream_descriptor"] = json!({"name": stream});
        }
        let trace = json!({"type": "ERROR", "emitted_at": self.millis(), "error": error});
        // If this fails, standard output is closed, and the exit code says so.
        let _ = self.message("TRACE", "trace", trace);
    }
}

impl Observer for Out {
    fn on(&self, progress: Progress) {
        match progress {
            Progress::Retry {
                resource, reason, ..
            } => self.log("WARN", &format!("{resource}: {reason}")),
            Progress::Warning { resource, message } => {
                self.log("WARN", &format!("{resource}: {message}"));
            }
            _ => {}
        }
    }
}
