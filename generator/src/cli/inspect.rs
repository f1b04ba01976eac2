//! `etlgen inspect`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::wishes::Wishes;
use super::{Failure, out, refuse, say, understand};
use crate::diagnostics::Kind;
use crate::infer::facts::Facts;
use crate::inspect::{self, View};
use crate::plan::overrides::Overrides;
use crate::plan::{adjust, select, unknown_fields};

#[derive(clap::Args)]
pub struct Arguments {
    /// The document: a file, a URL, or `-` for standard input
    #[arg(long, required_unless_present = "config")]
    spec: Option<String>,
    /// An OpenAPI Overlay that repairs the document: a file or a URL; may be repeated
    #[arg(long, value_name = "FILE")]
    overlay: Vec<String>,
    /// An etlgen.toml whose wishes, overlays and learnt records count, as `new --config` takes them
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How it is shown
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Only the N commonest lists of the table
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Shows also what was repaired in the document
    #[arg(long)]
    notes: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.top.is_some() && matches!(arguments.format, Format::Json) {
        return Err(refuse(
            Kind::Usage,
            "`--top` shortens the table; JSON always holds every resource",
            "leave out `--top` or `--format json`",
        ));
    }
    let wishes = Wishes::read(arguments.config.as_ref())?;
    let spec = wishes.document(arguments.spec.as_ref())?;
    let overlays = wishes.overlays(&arguments.overlay);
    let mut understood = understand(&spec, &overlays, arguments.notes)?;
    adjust(&understood.api, &mut understood.facts, &wishes.overrides)?;
    for warning in unknown_fields(&understood.api, &understood.facts, &wishes.overrides) {
        say(&warning.to_string());
    }
    keep(&mut understood.facts, &wishes.overrides)?;
    match arguments.format {
        Format::Table => {
            let mut view = View {
                top: arguments.top,
                ..View::default()
            };
            if let Some(width) = columns() {
                view.width = width;
            }
            out(&inspect::show(&understood.api, &understood.facts, &view));
        }
        Format::Json => {
            let json = inspect::json(&understood.api, &understood.facts);
            out(&serde_json::to_string_pretty(&json).unwrap_or_default());
        }
    }
    Ok(())
}

/// Only the resources that the owner wants, where he names any or leaves any out.
fn keep(facts: &mut Facts, overrides: &Overrides) -> Result<(), Failure> {
    let (include, exclude) = (&overrides.include, &overrides.exclude);
    if include.is_empty() && exclude.is_empty() {
        return Ok(());
    }
    let chosen = select(facts, include, exclude)?;
    let mut at = 0..;
    facts
        .resources
        .retain(|_| at.next().is_some_and(|at| chosen.contains(&at)));
    Ok(())
}

/// The terminal's width, where the shell tells it.
fn columns() -> Option<usize> {
    let columns: usize = std::env::var("COLUMNS").ok()?.parse().ok()?;
    (columns > 0).then_some(columns)
}
