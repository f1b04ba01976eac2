//! The only code that knows OpenAPI: bytes become an [`api::Api`].
//!
//! All dialects (2.0, 3.0, 3.1 and later) are read by one tolerant reader of JSON values, part by part and only as far as
//! operations reach. So a bad part costs that part, and every pointer is one of the original document.

pub mod api;
mod document;
mod identify;
mod load;
mod locate;
mod node;
mod operation;
mod overlay;
mod parameter;
mod parse;
pub mod path;
mod report;
mod response;
mod root;
mod sampled;
mod schema;
mod security;
mod strict;

#[cfg(test)]
pub(crate) mod tests;

use api::Api;
use document::Documents;
pub use load::Input;
pub use parameter::placeholders;
use report::Report;
pub use strict::strict;

use crate::diagnostics::{Diagnostic, Position};

/// Where a part of a document stands in its text.
pub fn place(input: &Input, pointer: &str) -> Option<Position> {
    locate::locate(&parse::decode(&input.bytes), pointer)
}

/// The value of a document with its overlays applied; `None` if there is none, which [`read`] explains.
pub fn overlaid(input: &Input) -> Option<serde_json::Value> {
    let mut report = Report::default();
    let (_, mut value) = parse::parse(input, &mut report)?;
    overlay::apply(input, &mut value, &mut report);
    (!report.failed()).then_some(value)
}

/// No document is there yet: its name and places are unknown.
fn nowhere(_file: usize, _pointer: &str) -> (String, Option<Position>) {
    (String::new(), None)
}

/// Reads a document. Without an `Api` there is at least one error among the diagnostics.
pub fn read(input: &Input) -> (Option<Api>, Vec<Diagnostic>) {
    let mut report = Report::default();
    let Some((text, mut value)) = parse::parse(input, &mut report) else {
        return (None, report.finish(nowhere));
    };
    let edits = overlay::apply(input, &mut value, &mut report);
    if report.failed() {
        return (None, report.finish(nowhere));
    }
    let dialect = identify::identify(&value, &mut report);
    let documents = Documents::gather(input, text, value, edits);
    let api = dialect
        .and_then(|dialect| root::api(&documents, dialect, &mut report))
        .filter(|_| !report.failed());
    (
        api,
        report.finish(|file, pointer| documents.place(file, pointer)),
    )
}
