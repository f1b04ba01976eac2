//! Arguments, output, exit codes; nothing else.

mod check;
mod diff;
mod existing;
mod explain;
mod inspect;
mod learn;
mod new;
mod update;
mod wishes;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::diagnostics::{Diagnostic, Kind, Severity};
use crate::infer::{facts::Facts, infer};
use crate::plan::package::Package;
use crate::spec::api::Api;
use crate::spec::{Input, read, strict};

/// Reads an OpenAPI document and writes a strongly typed connector crate in Rust.
#[derive(Parser)]
#[command(name = "etlgen", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Writes a connector crate for the API that a document describes
    New(new::Arguments),
    /// Brings a crate up to its document, its etlgen.toml and this etlgen, and keeps what its owner changed
    Update(update::Arguments),
    /// Fails where conflicts are open, or where `etlgen update` would change something
    Check(check::Arguments),
    /// Compares two documents or crates: what changes for the Rust API and for the tables, and the next version
    Diff(diff::Arguments),
    /// Shows what is inferred of a document: resources, keys, paginators, cursors, parents
    Inspect(inspect::Arguments),
    /// Says why a resource, one of its fields or the auth is taken to be what it is, and what changes it
    Explain(explain::Arguments),
    /// Learns the records of a resource without a schema from samples: `etlgen learn RESOURCE < sample.json`
    Learn(learn::Arguments),
}

/// Why a command ends early: it has been said, or is said now.
enum Failure {
    /// Everything has been said.
    Said,
    /// It is done, and its owner has to settle what has been said.
    Conflicts,
    /// Two documents differ more than was allowed.
    Serious,
    Diagnostic(Diagnostic),
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Failure::Diagnostic(diagnostic)
    }
}

/// Runs the command line. Exit codes: 0 all is well, 1 there is no result, 2 usage, or conflicts to be settled, 3 changes
/// that `diff` was to fail on.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.command {
        Command::New(arguments) => new::run(&arguments),
        Command::Update(arguments) => update::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Learn(arguments) => learn::run(&arguments),
    };
    match result {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Said) => {}
        Err(Failure::Conflicts) => return ExitCode::from(2),
        Err(Failure::Serious) => return ExitCode::from(3),
        Err(Failure::Diagnostic(diagnostic)) => say(&diagnostic.to_string()),
    }
    ExitCode::FAILURE
}

/// A document, what it says and what it means.
struct Understood {
    input: Input,
    api: Api,
    facts: Facts,
}

/// Reads a document and tells what was found wrong with it: notes only where they are wanted.
fn understand(spec: &str, overlays: &[String], notes: bool) -> Result<Understood, Failure> {
    let input = read_all(spec, overlays)?;
    let (api, diagnostics) = read(&input);
    let (shown, hidden): (Vec<_>, Vec<_>) = diagnostics
        .iter()
        .partition(|diagnostic| notes || diagnostic.severity() > Severity::Note);
    for diagnostic in shown {
        say(&diagnostic.to_string());
    }
    if !hidden.is_empty() {
        say(&format!(
            "{} notes on repairs of the document (`--notes` shows them)",
            hidden.len()
        ));
    }
    if notes && let Err(reason) = strict(&input) {
        say(&format!(
            "note: readers that keep to OpenAPI 3.0 to the letter refuse this document: {reason}"
        ));
    }
    let api = api.ok_or(Failure::Said)?;
    let facts = infer(&api);
    Ok(Understood { input, api, facts })
}

/// The bytes of a document and of its overlays.
fn read_all(spec: &str, overlays: &[String]) -> Result<Input, Failure> {
    let mut input = Input::load(spec)?;
    let overlays = overlays.iter().map(|overlay| Input::load(overlay));
    input.overlays = overlays.collect::<Result<_, _>>()?;
    Ok(input)
}

/// An error with its way out.
fn refuse(kind: Kind, message: impl Into<String>, hint: &str) -> Failure {
    Failure::Diagnostic(Diagnostic::error(kind, message).with_hint(hint))
}

/// A URL, or a file as seen from the folder of `etlgen.toml`.
fn beside(config: &Path, file: &str) -> String {
    if file.contains("://") {
        return file.to_owned();
    }
    let folder = config.parent().unwrap_or(Path::new(""));
    folder.join(file).display().to_string()
}

/// Names the licences whose texts the crate lacks.
fn license_texts(package: &Package, folder: &Path) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_text = |name: &str| {
        name.starts_with("LICENSE") || name.starts_with("LICENCE") || name.starts_with("COPYING")
    };
    let own = entries.filter(|entry| {
        let name = entry.file_name().to_string_lossy().to_uppercase();
        is_text(&name) && !["LICENSE-MIT", "LICENSE-APACHE"].contains(&name.as_str())
    });
    let missing = &package.texts.missing;
    if own.count() == 0 && !missing.is_empty() {
        say(&format!(
            "note: the text of {} is yours to add, as LICENSE, before you publish the crate",
            missing.join(", ")
        ));
    }
}

/// A line on standard error; there is nobody left to tell if it fails.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Text on standard output; a reader who has gone (`| head`) is no error.
fn out(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}
