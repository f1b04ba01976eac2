//! The events of a run, as lines on standard error.

use super::process::err;
use crate::run::{Observer, Progress, RunReport};

/// Writes warnings, retries and failures.
pub(super) struct Log;

impl Observer for Log {
    fn on(&self, progress: Progress) {
        match progress {
            Progress::Retry {
                resource, reason, ..
            } => err(&line("WARNING", &resource, &reason)),
            Progress::Warning { resource, message } => err(&line("WARNING", &resource, &message)),
            Progress::Finished {
                resource,
                error: Some(error),
            } => err(&line("ERROR", &resource, &error)),
            _ => {}
        }
    }
}

fn line(level: &str, resource: &str, text: &str) -> String {
    format!("{level} {resource}: {}", text.replace('\n', " "))
}

/// Writes what the report says besides failures.
pub(super) fn report(report: &RunReport) {
    for resource in &report.resources {
        for note in &resource.notes {
            err(&line("INFO", &resource.name, note));
        }
        let grade = resource.proof.grade();
        let why = resource.proof.why().unwrap_or_default();
        err(&line(
            "INFO",
            &resource.name,
            &format!("{} records, {grade} {why}", resource.records),
        ));
    }
}
