//! The verb `read`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::catalog::{Configured, Wanted};
use super::messages::{IN_FULL, Messages, OTHERS, OWN};
use super::out::Out;
use crate::error::{Error, ErrorKind, Result};
use crate::hosts::bookmarks::{self, Bookmark};
use crate::hosts::process::{block_on, stop_on_signals};
use crate::load::Memory;
use crate::load::emit::Emitter;
use crate::run::{self, Outcome, RunOptions};
use crate::settings::Redactor;
use crate::source::Source;

/// Reads the configured streams; returns whether all of them were read to their ends.
pub(super) fn read(
    source: &Source,
    Configured(wanted): Configured,
    states: &Value,
    (out, redactor): (&Out, &Redactor),
) -> Result<bool> {
    let names: Vec<String> = wanted.iter().map(|it| it.stream.name.clone()).collect();
    if names.is_empty() {
        out.log("WARN", "the catalog has no stream");
        return Ok(true);
    }
    let memory = memory(states, &wanted)?;
    let in_full = wanted.iter().filter(|it| !it.is_incremental);
    let in_full: BTreeSet<String> = in_full.map(|it| it.stream.name.clone()).collect();
    for name in &names {
        out.status(name, "STARTED")?;
    }
    let messages = Messages::new(wanted, memory, out.clone());
    let options = RunOptions::default().resources(names.clone());
    let stop = options.stop.clone();
    let observer = Arc::new(out.clone());
    let ran = block_on(async move {
        tokio::spawn(stop_on_signals(stop));
        let into = Box::new(Emitter::new(messages));
        run::sync(source, into, &options, observer).await
    });
    let report = match ran.and_then(|report| report) {
        Ok(report) => report,
        Err(error) => {
            out.error(&error, None, Some(redactor));
            for name in &names {
                out.status(name, "INCOMPLETE")?;
            }
            return Ok(false);
        }
    };
    let mut complete = true;
    for name in &names {
        let resource = report.resources.iter().find(|it| it.name == *name);
        let status = match resource.map(|resource| &resource.outcome) {
            Some(Outcome::Complete) => {
                if in_full.contains(name) {
                    let mut state = out.kept(name);
                    state.insert(IN_FULL.to_owned(), true.into());
                    out.state(name, &Value::Object(state))?;
                }
                "COMPLETE"
            }
            Some(Outcome::Failed(kind, message)) => {
                out.failure(*kind, message, Some(name));
                "INCOMPLETE"
            }
            _ => "INCOMPLETE",
        };
        complete &= status == "COMPLETE";
        out.status(name, status)?;
    }
    for resource in &report.resources {
        let grade = resource.proof.grade();
        let why = resource.proof.why().unwrap_or_default();
        let text = format!(
            "{}: {} records, {grade} {why}",
            resource.name, resource.records
        );
        out.log("INFO", text.trim_end());
        let notes = resource.notes.iter();
        notes.for_each(|note| out.log("INFO", &format!("{}: {note}", resource.name)));
    }
    Ok(complete)
}

/// Returns the memory of the states of the streams that keep one.
fn memory(states: &Value, wanted: &[Wanted]) -> Result<Memory> {
    let keeping = wanted.iter().filter(|it| it.keeps_state());
    let keeping: BTreeSet<&str> = keeping.map(|it| it.stream.name.as_str()).collect();
    let selected: BTreeSet<&str> = wanted.iter().map(|it| it.stream.name.as_str()).collect();
    let unreadable = |name: &str, error: serde_json::Error| {
        let message = format!("the state of `{name}` cannot be read");
        Error::new(ErrorKind::State, message)
            .caused_by(error)
            .hint("reset the stream: everything is then read again")
    };
    let mut own: BTreeMap<String, Bookmark> = BTreeMap::new();
    for state in states.as_array().into_iter().flatten() {
        // The platform and its tools wrap the message, or do not.
        let stream = state
            .pointer("/state/stream")
            .or_else(|| state.get("stream"));
        let Some(stream) = stream else { continue };
        let name = stream
            .pointer("/stream_descriptor/name")
            .and_then(Value::as_str);
        let name = name.unwrap_or_default();
        if !keeping.contains(name) {
            continue;
        }
        let of = |key: &str| stream.pointer(&format!("/stream_state/{key}")).cloned();
        if let Some(kept) = of(OWN) {
            let kept = serde_json::from_value(kept).map_err(|error| unreadable(name, error))?;
            own.insert(name.to_owned(), kept);
        }
        let others = of(OTHERS).map(serde_json::from_value::<BTreeMap<String, Bookmark>>);
        let others = others
            .transpose()
            .map_err(|error| unreadable(name, error))?;
        for (other, kept) in others.into_iter().flatten() {
            if !selected.contains(other.as_str()) {
                own.insert(other, kept);
            }
        }
    }
    bookmarks::join(own)
}
