//! `etlgen inspect`.

use clap::ValueEnum;

use super::{Failure, out, understand};
use crate::inspect;

#[derive(clap::Args)]
pub struct Arguments {
    /// The document: a file, a URL, or `-` for standard input
    #[arg(long)]
    spec: String,
    /// How it is shown
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
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
    let understood = understand(&arguments.spec, arguments.notes)?;
    match arguments.format {
        Format::Table => out(&inspect::table(&understood.api, &understood.facts)),
        Format::Json => {
            let json = inspect::json(&understood.api, &understood.facts);
            out(&serde_json::to_string_pretty(&json).unwrap_or_default());
        }
    }
    Ok(())
}
