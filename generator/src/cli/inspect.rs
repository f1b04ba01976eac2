//! `etlgen inspect`.

use clap::ValueEnum;

use super::{DocumentArguments, End, out, print_notes};
use crate::diagnostics::{Diagnostic, Kind};
use crate::draft::Draft;
use crate::inspect::{self, View};
use crate::options::Options;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    document: DocumentArguments,
    /// Format of the output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Show only the N most common lists of the table
    #[arg(long, value_name = "N", value_parser = number)]
    top: Option<usize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For programs
    Json,
}

fn number(text: &str) -> Result<usize, String> {
    text.parse()
        .map_err(|_| "it is not a whole number".to_owned())
}

pub fn run(arguments: &Arguments) -> Result<End, Diagnostic> {
    if arguments.top.is_some() && matches!(arguments.format, Format::Json) {
        let message = "`--top` shortens the table; JSON always holds every resource";
        return Err(Diagnostic::error(Kind::Usage, message)
            .with_hint("leave out `--top` or `--format json`"));
    }
    let draft = draft(&arguments.document, false)?;
    match arguments.format {
        Format::Table => {
            let view = View {
                top: arguments.top,
                ..view()
            };
            out(&inspect::table(&draft, &view));
        }
        Format::Json => {
            let json = inspect::json(&draft);
            out(&serde_json::to_string_pretty(&json).unwrap_or_default());
        }
    }
    Ok(End::Done)
}

/// Plans a document: the resources that its owner selects, or every resource. Prints the notes.
pub fn draft(arguments: &DocumentArguments, every: bool) -> Result<Draft, Diagnostic> {
    let config = arguments.config()?;
    let input = config.input(arguments.spec.as_deref(), &arguments.overlay)?;
    let selects = config.overrides.selects();
    let options = Options {
        config,
        everything: every || !selects,
        ..Options::default()
    };
    let overrides = options.overrides()?;
    let wanted = options.plan(&input);
    let mut draft = Draft::new(input, &overrides, &wanted)?;
    if arguments.notes {
        draft.notes.extend(draft.strictness());
    }
    print_notes(&draft.notes, arguments.notes);
    Ok(draft)
}

/// Returns a view as wide as the terminal, if the shell exports its width.
pub fn view() -> View {
    let columns = std::env::var("COLUMNS").ok();
    let columns = columns.and_then(|columns| columns.parse::<usize>().ok());
    let mut view = View::default();
    if let Some(columns) = columns.filter(|columns| *columns > 0) {
        view.width = columns;
    }
    view
}
