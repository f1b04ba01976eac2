//! The traces of a run, through the crate `tracing`: spans `run`, `resource`, `slice`, `request`
//! and `commit`, each within the one before, and the events that an [`Observer`] gets. They hold no
//! secrets.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tracing::{Span, field::Empty, info, info_span, warn};

use crate::run::options::{Observer, Progress};
use crate::run::report::Outcome;
use crate::run::report::stats::Stats;

/// Returns the span of a run.
pub(crate) fn run(source: &str, load_id: &str, destination: &str) -> Span {
    info_span!("run", source, load_id, destination, complete = Empty)
}

/// Returns the span of a resource; [`ended`] records its outcome.
pub(crate) fn resource(name: &str) -> Span {
    info_span!(
        "resource",
        resource = name,
        records = Empty,
        pages = Empty,
        requests = Empty,
        outcome = Empty,
        otel.status_code = Empty,
    )
}

/// Returns the span of a slice: one parent's part of a child resource, or a whole resource (`""`).
pub(crate) fn slice(id: &str) -> Span {
    info_span!("slice", slice = id)
}

/// Returns the span of a commit.
pub(crate) fn commit(rows: u64) -> Span {
    info_span!("commit", rows)
}

/// Records in the span of a resource how its reading ended.
pub(crate) fn ended(span: &Span, stats: &Stats, outcome: &Outcome) {
    span.record("records", stats.records.load(Relaxed));
    span.record("pages", stats.pages.load(Relaxed));
    span.record("requests", stats.requests.load(Relaxed));
    let outcome = match outcome {
        Outcome::Complete => "complete",
        Outcome::Stopped => "stopped",
        Outcome::Failed(..) => {
            span.record("otel.status_code", "ERROR");
            "failed"
        }
    };
    span.record("outcome", outcome);
}

/// Traces the events of a run and passes them on.
pub(crate) struct Traced(pub Arc<dyn Observer>);

impl Observer for Traced {
    fn on(&self, progress: Progress) {
        match &progress {
            Progress::Retry {
                resource, reason, ..
            } => warn!(resource, reason, "retry"),
            Progress::Warning { resource, message } => warn!(resource, message, "warning"),
            Progress::Finished {
                resource,
                error: Some(error),
            } => tracing::error!(resource, error, "failed"),
            Progress::Page {
                resource,
                pages,
                records,
                ..
            } => tracing::debug!(resource, pages, records, "page"),
            Progress::Committed { rows } => info!(rows, "committed"),
            Progress::Finished { resource, .. } => info!(resource, "finished"),
        }
        self.0.on(progress);
    }
}
