//! `etlgen inspect`.

use clap::ValueEnum;

use super::{Failure, out, understand};
use crate::inspect::{self, View};

#[derive(clap::Args)]
pub struct Arguments {
    /// The document: a file, a URL, or `-` for standard input
    #[arg(long)]
    spec: String,
    /// An OpenAPI Overlay that repairs the document: a file or a URL; may be repeated
    #[arg(long, value_name = "FILE")]
    overlay: Vec<String>,
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
        let message = "`--top` shortens the table; JSON always holds every resource";
        return Err(Failure::Message(message.to_owned()));
    }
    let understood = understand(&arguments.spec, &arguments.overlay, arguments.notes)?;
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

/// The terminal's width, where the shell tells it.
fn columns() -> Option<usize> {
    let columns: usize = std::env::var("COLUMNS").ok()?.parse().ok()?;
    (columns > 0).then_some(columns)
}
