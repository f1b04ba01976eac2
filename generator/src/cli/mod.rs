//! Arguments, output and exit codes; everything else is in the library.

mod check;
mod diff;
mod explain;
mod inspect;
mod learn;
mod new;
mod update;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::diagnostics::{Diagnostic, Kind, Severity, counted};
use crate::plan::package::Package;

/// Generate a typed connector crate in Rust from an OpenAPI document
#[derive(Parser)]
#[command(name = "etlgen", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Generate a connector crate from an OpenAPI document
    New(new::Arguments),
    /// Regenerate a crate and merge in your edits
    Update(update::Arguments),
    /// Fail if conflicts are open or `etlgen update` would change something
    Check(check::Arguments),
    /// Compare two documents or crates: changes of the Rust API and of the tables, and the next version
    Diff(diff::Arguments),
    /// Show what will be generated: resources, keys, paginators, cursors, parents, and what is unsure
    Inspect(inspect::Arguments),
    /// Show the evidence for an inferred resource, field or auth, and how to override it
    Explain(explain::Arguments),
    /// Learn the records of a resource without a schema from samples: `etlgen learn RESOURCE < sample.json`
    Learn(learn::Arguments),
}

/// The end of a command, which is its exit code.
///
/// | code | meaning |
/// |---|---|
/// | 0 | done |
/// | 1 | no result; an error was printed. `check`: something is out of date |
/// | 2 | usage: an argument is wrong, or has a wrong value. `update`, `check`: conflicts are open |
/// | 3 | `diff --fail-on`: a change is that severe or worse |
#[derive(Clone, Copy)]
enum End {
    Done,
    Failed,
    Usage,
    Conflicts,
    Severe,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        ExitCode::from(match end {
            End::Done => 0,
            End::Failed => 1,
            End::Usage | End::Conflicts => 2,
            End::Severe => 3,
        })
    }
}

impl From<&Diagnostic> for End {
    fn from(error: &Diagnostic) -> Self {
        match error.kind() {
            Kind::Conflict => End::Conflicts,
            Kind::Usage => End::Usage,
            _ => End::Failed,
        }
    }
}

/// Runs the command line; `End` has the exit codes.
pub fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::New(arguments) => new::run(&arguments),
        Command::Update(arguments) => update::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Learn(arguments) => learn::run(&arguments),
    };
    let end = result.unwrap_or_else(|error| {
        say(&error.to_string());
        End::from(&error)
    });
    end.into()
}

/// The document, its overlays and the overrides, as several commands take them.
#[derive(clap::Args)]
struct DocumentArguments {
    /// The document: a file, a URL, or `-` for standard input [`inspect` and `explain` default to that of ./etlgen.toml]
    #[arg(long)]
    spec: Option<String>,
    /// An OpenAPI Overlay that repairs the document: a file or a URL; may be repeated
    #[arg(long, value_name = "FILE")]
    overlay: Vec<String>,
    /// Apply the overrides of this etlgen.toml, its overlays, and what was learned next to it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Show notes on repairs of the document, too
    #[arg(long)]
    notes: bool,
}

impl DocumentArguments {
    /// Refuses arguments that name no document.
    fn check(&self) -> Result<(), Diagnostic> {
        if self.spec.is_some() || self.config.is_some() {
            return Ok(());
        }
        let message = "no document is named";
        Err(Diagnostic::error(Kind::Usage, message)
            .with_hint("name it with `--spec`: a file, a URL, or `-` for standard input"))
    }

    /// Loads the overrides, which name the document if `--spec` does not: in the folder of a crate,
    /// those of the crate.
    fn config(&self) -> Result<crate::ConfigFile, Diagnostic> {
        let here = PathBuf::from("etlgen.toml");
        match (&self.config, &self.spec) {
            (None, None) if here.is_file() => config(Some(&here)),
            (None, None) => {
                let message = "no document is named, and there is no etlgen.toml here";
                Err(Diagnostic::error(Kind::Usage, message)
                    .with_hint("name it with `--spec`, or run this in the folder of a crate"))
            }
            (file, _) => config(file.as_ref()),
        }
    }
}

/// Loads the overrides in a file, if there is one.
fn config(file: Option<&PathBuf>) -> Result<crate::ConfigFile, Diagnostic> {
    file.map_or_else(
        || Ok(crate::ConfigFile::default()),
        |file| crate::ConfigFile::load(file),
    )
}

/// Prints the warnings, and also the notes if `all`.
fn print_notes(notes: &[Diagnostic], all: bool) {
    let is_repair = |note: &&Diagnostic| {
        note.severity() == Severity::Note && note.kind() == Kind::Document && !all
    };
    let (hidden, shown): (Vec<_>, Vec<_>) = notes.iter().partition(is_repair);
    shown.iter().for_each(|note| say(&note.to_string()));
    if !hidden.is_empty() {
        say(&format!(
            "{} on repairs of the document (`--notes` shows them)",
            counted(hidden.len(), "note")
        ));
    }
}

/// Names the licences whose texts the crate lacks.
fn print_missing_licenses(package: &Package, folder: &Path) {
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
            "note: add the text of {} as LICENSE before you publish the crate",
            missing.join(", ")
        ));
    }
}

/// Prints a line on standard error. A failure is ignored, because it could not be reported.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Prints text on standard output; a reader that stops early (`| head`) is not an error.
fn out(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end());
}
