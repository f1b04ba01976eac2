//! `etlgen diff`.

use std::path::{Path, PathBuf};

use semver::Version;

use super::{End, config, out, print_notes};
use crate::diagnostics::{Diagnostic, Kind, printable};
use crate::diff::{Level, json, markdown, next, summary, text};
use crate::spec::Input;
use crate::{Comparison, ConfigFile, Revision};

#[derive(clap::Args)]
pub struct Arguments {
    /// Old side: a document (a file, a URL, or `-` for standard input) or the folder of a crate
    #[arg(value_name = "OLD")]
    old: String,
    /// New side, likewise
    #[arg(value_name = "NEW")]
    new: String,
    /// Apply the overrides of this etlgen.toml to both documents [default: that of the crate]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Format of the output
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Exit with 3 if any change, of the Rust API or of the tables, is this severe or worse
    #[arg(long, value_enum, value_name = "LEVEL")]
    fail_on: Option<Level>,
}

#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    /// For a terminal
    #[default]
    Text,
    /// For a changelog or a pull request
    Markdown,
    /// For programs
    Json,
}

pub fn run(arguments: &Arguments) -> Result<End, Diagnostic> {
    let compared = compare(arguments)?;
    print_notes(&compared.notes, false);
    let level = compared.changes.level();
    let versions = compared.versions.as_ref();
    match arguments.format {
        Format::Json => out(&format!("{:#}", json(&compared.changes, versions))),
        Format::Text => {
            out(&text(&compared.changes));
            if let Some(level) = level {
                out(&format!("\n{}", next_version(level, versions)));
            }
        }
        Format::Markdown => {
            let (old, new) = (printable(&arguments.old), printable(&arguments.new));
            out(&format!("## From {old} to {new}\n\n{}", body(&compared)));
        }
    }
    Ok(match arguments.fail_on {
        Some(limit) if level >= Some(limit) => End::Severe,
        _ => End::Done,
    })
}

fn compare(arguments: &Arguments) -> Result<Comparison, Diagnostic> {
    let (old, new) = (Path::new(&arguments.old), Path::new(&arguments.new));
    if arguments.old == "-" && arguments.new == "-" {
        let message = "both documents cannot come from standard input";
        return Err(
            Diagnostic::error(Kind::Usage, message).with_hint("name a file for one of them")
        );
    }
    let crates = [old.is_dir(), new.is_dir()];
    if let (Some(file), true) = (&arguments.config, crates.contains(&true)) {
        let message = format!("{} is not used: a crate has its own", file.display());
        return Err(Diagnostic::error(Kind::Usage, message)
            .with_hint("leave out `--config`, or name two documents"));
    }
    let config = config(arguments.config.as_ref())?;
    // A document that is compared with a crate gets the overlays of the crate.
    let load = |place: &str| match crates.contains(&true) {
        true => Input::load(place),
        false => config.input(Some(place), &[]),
    };
    let inputs = [(old, &arguments.old), (new, &arguments.new)];
    let inputs = inputs.map(|(path, place)| match path.is_dir() {
        true => Ok(Input::default()),
        false => load(place),
    });
    let [before, after] = inputs;
    let (before, after) = (before?, after?);
    crate::diff(
        revision(old, &before, &config),
        revision(new, &after, &config),
    )
}

fn revision<'a>(path: &'a Path, input: &'a Input, config: &'a ConfigFile) -> Revision<'a> {
    match path.is_dir() {
        true => Revision::Crate(path),
        false => Revision::Document(input, config),
    }
}

fn body(compared: &Comparison) -> String {
    let (changes, versions) = (&compared.changes, compared.versions.as_ref());
    match changes.level() {
        None => summary(changes),
        Some(level) => format!(
            "{}\n{}; {}.",
            markdown(changes),
            summary(changes),
            next_version(level, versions)
        ),
    }
}

/// Describes the next version of the crate, or gives examples.
fn next_version(level: Level, versions: Option<&(Version, Version)>) -> String {
    if let Some((from, to)) = versions {
        return format!("the next version of {from} is {to}");
    }
    let [early, late] = [Version::new(0, 1, 0), Version::new(1, 0, 0)].map(|from| {
        let to = next(&from, level);
        format!("{from} is {to}")
    });
    format!("the next version of {early}, of {late}")
}
