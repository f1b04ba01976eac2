//! `etlgen diff`.

use std::path::{Path, PathBuf};

use semver::Version;

use super::existing::{Document, Existing, open};
use super::wishes::Wishes;
use super::{Failure, out, refuse, understand};
use crate::diagnostics::{Kind, printable};
use crate::diff::{Diff, Level, Surface, diff, json, markdown, next, summary, text};
use crate::plan::{Ledger, Options, Plan, adjust, plan};
use crate::project::version;

#[derive(clap::Args)]
pub struct Arguments {
    /// What it was: a document (a file, a URL, or `-` for standard input) or the folder of a crate
    #[arg(value_name = "OLD")]
    old: String,
    /// What it is now, likewise
    #[arg(value_name = "NEW")]
    new: String,
    /// An etlgen.toml whose wishes count for both documents [default: that of the crate]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Ends with exit code 3 if a change is as serious as that, for the Rust API or for the tables
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

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (old, new) = (&arguments.old, &arguments.new);
    if old == "-" && new == "-" {
        return Err(refuse(
            Kind::Usage,
            "both documents cannot come from standard input",
            "name a file for one of them",
        ));
    }
    let crates = [crate_at(old)?, crate_at(new)?];
    if let (Some(config), true) = (&arguments.config, crates.iter().any(Option::is_some)) {
        return Err(refuse(
            Kind::Usage,
            format!("{} is not used: a crate has its own", config.display()),
            "leave `--config` out, or name two documents",
        ));
    }
    let (before, after) = match &crates {
        [Some(before), Some(after)] => (surface(before)?, surface(after)?),
        [Some(before), None] => (surface(before)?, of_document(before, new)?),
        [None, Some(after)] => (of_document(after, old)?, surface(after)?),
        [None, None] => documents(old, new, arguments.config.as_ref())?,
    };
    let found = diff(&before, &after);
    let level = found.level();
    let version = crates[0].as_ref().and_then(|it| version(&it.tree));
    let versions = version.map(|from| {
        let to = level.map_or(from.clone(), |level| next(&from, level));
        (from, to)
    });
    match arguments.format {
        Format::Json => out(&format!("{:#}", json(&found, versions.as_ref()))),
        Format::Text => {
            out(&text(&found));
            if let Some(level) = level {
                out(&format!("\n{}", following(level, versions.as_ref())));
            }
        }
        Format::Markdown => {
            let (old, new) = (printable(old), printable(new));
            out(&format!(
                "## From {old} to {new}\n\n{}",
                body(&found, versions.as_ref())
            ));
        }
    }
    match arguments.fail_on {
        Some(limit) if level >= Some(limit) => Err(Failure::Serious),
        _ => Ok(()),
    }
}

fn body(found: &Diff, versions: Option<&(Version, Version)>) -> String {
    match found.level() {
        None => summary(found),
        Some(level) => format!(
            "{}\n{}; {}.",
            markdown(found),
            summary(found),
            following(level, versions)
        ),
    }
}

/// The next version, or what it would be.
fn following(level: Level, versions: Option<&(Version, Version)>) -> String {
    if let Some((from, to)) = versions {
        return format!("the next version of {from} is {to}");
    }
    let [early, late] = [Version::new(0, 1, 0), Version::new(1, 0, 0)].map(|from| {
        let to = next(&from, level);
        format!("{from} is {to}")
    });
    format!("the next version of {early}, of {late}")
}

/// A crate, if there is one.
fn crate_at(place: &str) -> Result<Option<Existing>, Failure> {
    let folder = Path::new(place);
    match folder.is_dir() {
        true => open(folder).map(Some),
        false => Ok(None),
    }
}

/// What a crate offered when it was generated; else what its document makes of it now.
fn surface(crate_: &Existing) -> Result<Surface, Failure> {
    match &crate_.tree.lock.surface {
        Some(surface) => Ok(surface.clone()),
        None => Ok(Surface::from(&crate_.plan(&crate_.document(None))?.0)),
    }
}

/// What a document would make of a crate.
fn of_document(crate_: &Existing, place: &str) -> Result<Surface, Failure> {
    let document: Document = crate_.document(Some(place));
    Ok(Surface::from(&crate_.plan(&document)?.0))
}

fn documents(
    old: &str,
    new: &str,
    config: Option<&PathBuf>,
) -> Result<(Surface, Surface), Failure> {
    let wishes = Wishes::read(config)?;
    let old = planned(old, &wishes, None)?;
    let new = planned(new, &wishes, Some((&old.source, &old.ledger)))?;
    Ok((Surface::from(&old), Surface::from(&new)))
}

/// A document as it would be generated; names stay those of the one before.
fn planned(place: &str, wishes: &Wishes, before: Option<(&str, &Ledger)>) -> Result<Plan, Failure> {
    let mut understood = understand(place, &wishes.overlays(&[]), false)?;
    adjust(&understood.api, &mut understood.facts, &wishes.overrides)?;
    let plan_with = |ledger: Ledger| -> Result<Plan, Failure> {
        let stem = Path::new(place).file_stem().unwrap_or_default();
        let options = Options {
            name: before.map(|(name, _)| name.to_owned()),
            fallback_name: stem.to_string_lossy().into_owned(),
            overrides: wishes.overrides.clone(),
            ledger,
            ..Options::default()
        };
        Ok(plan(&understood.api, &understood.facts, &options)?)
    };
    let mut ledger = before.map_or(Ledger::new(), |(_, ledger)| ledger.clone());
    if !ledger.is_empty() {
        // Names of what is gone are free again.
        let known = plan_with(ledger.clone())?.ledger;
        ledger.retain(|what, _| known.contains_key(what));
    }
    plan_with(ledger)
}
