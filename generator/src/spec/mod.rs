//! The only code that knows OpenAPI: it turns bytes into an [`api::Api`].
//!
//! One tolerant reader reads the JSON values of all dialects (2.0, 3.0, 3.1 and later), part by part and only what
//! operations reach. So an invalid part costs only that part, and every pointer refers to the original document.

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
mod told;

#[cfg(test)]
pub(crate) mod tests;

use api::Api;
use document::Documents;
pub use load::Input;
pub use parameter::placeholders;
use report::Report;
pub use strict::strict;

use crate::diagnostics::{Diagnostic, Position};

/// Returns the place of a part of a document in its text.
pub fn place(input: &Input, pointer: &str) -> Option<Position> {
    locate::locate(&parse::decode(&input.bytes), pointer)
}

/// Returns the value of a document with its overlays applied; `None` if it cannot be read, for
/// which [`read`] reports the reason.
pub fn overlaid(input: &Input) -> Option<serde_json::Value> {
    let mut report = Report::default();
    let (_, mut value) = parse::parse(input, &mut report)?;
    overlay::apply(input, &mut value, &mut report);
    (!report.failed()).then_some(value)
}

/// Returns no place: without a document, names and places are unknown.
fn nowhere(_file: usize, _pointer: &str) -> (String, Option<Position>) {
    (String::new(), None)
}

/// Reads a document. Without an `Api`, the diagnostics contain at least one error.
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
