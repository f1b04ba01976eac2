//! The command `sync`: it plans or runs, reports, and returns an exit code.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;
use serde_json::json;

use super::log::JsonLog;
use super::options::sync_options;
use super::progress::Teller;
use super::target::into;
use super::{block_on, err, out, report};
use crate::error::{Error, ErrorKind, Result};
use crate::hosts::process::{exit_code, stop_on_signals};
use crate::load::{self, LoadInfo};
use crate::run::{self, Observer, RunPlan};
use crate::source::Source;

/// Returns what a run would do. Nothing is sent, locked or written.
pub(super) fn planned(matches: &ArgMatches, source: &Source) -> Result<RunPlan> {
    let options = sync_options(matches)?;
    let now = source.world.time();
    let load = LoadInfo::new(run::load_id(now), source.name(), options.layout);
    let into = into(matches)?;
    let memory = load::look(&*into, &load)?;
    let mut plan = run::plan(source, &memory, &options, now)?;
    plan.destination = Some(into.describe());
    Ok(plan)
}

fn plan(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let plan = planned(matches, source)?;
    let format = matches.get_one::<String>("format").map(String::as_str);
    out(&match format {
        Some("json") => serde_json::to_string_pretty(&plan).unwrap_or_default(),
        Some("full") => format!("{plan:#}").trim_end().to_owned(),
        _ => plan.to_string().trim_end().to_owned(),
    })?;
    Ok(0)
}

pub fn sync(matches: &ArgMatches, source: &Source) -> Result<u8> {
    if matches.get_flag("plan") {
        return plan(matches, source);
    }
    let options = sync_options(matches)?;
    let file = matches.get_one::<PathBuf>("report");
    file.map_or(Ok(()), |file| check_report(file))?;
    let teller = Arc::new(Teller::new(&source.world));
    let json_log = matches
        .get_one::<String>("log-format")
        .is_some_and(|name| name == "json");
    let observer: Arc<dyn Observer> = match json_log {
        true => Arc::new(JsonLog(source.world.clone())),
        false => teller.clone(),
    };
    let stop = options.stop.clone();
    let mut prints = false;
    let report = into(matches).and_then(|into| {
        prints = into.prints();
        block_on(async move {
            tokio::spawn(stop_on_signals(stop));
            run::sync(source, into, &options, observer).await
        })?
    });
    teller.clear();
    let limited = matches.get_one::<u64>("limit").is_some();
    let json = match &report {
        Ok(report) => {
            let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
            let known = report::Known {
                limited,
                failures: terminal && !json_log,
            };
            let rendered = report::render(report, known);
            match prints {
                true => err(&rendered),
                false => out(&rendered)?,
            }
            report.to_json()
        }
        Err(error) => failed_report(source, error),
    };
    let written = file.map_or(Ok(()), |file| write_report(file, &json));
    let report = report?;
    written?;
    Ok(exit_code(&report, limited))
}

/// Returns the report of a run that failed as a whole: the keys of [`RunReport::to_json`] that
/// apply.
fn failed_report(source: &Source, error: &Error) -> serde_json::Value {
    let message = source.redactor().redact(&error.report());
    json!({
        "version": 1,
        "source": source.name(),
        "complete": false,
        "error": {"kind": error.kind().name(), "message": message},
        "resources": [],
    })
}

/// Refuses a file that cannot be written, before anything is loaded.
fn check_report(file: &Path) -> Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let message = match folder {
        Some(folder) if !folder.is_dir() => format!("there is no folder `{}`", folder.display()),
        _ if file.is_dir() => format!("`{}` is a folder", file.display()),
        _ => return Ok(()),
    };
    Err(Error::new(ErrorKind::Usage, message).at("--report"))
}

/// Writes a temporary file and renames it, so that a reader never sees half a report.
fn write_report(file: &Path, report: &serde_json::Value) -> Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, format!("{report:#}\n"))
        .and_then(|()| std::fs::rename(&beside, file))
        .map_err(|error| Error::file(ErrorKind::System, "write", file, error).at("--report"))
}
