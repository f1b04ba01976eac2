//! The command `sync`: it plans or runs, reports, and returns an exit code.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ArgMatches;
use serde_json::json;

use super::log::JsonLog;
use super::options::sync_options;
use super::progress::{Detail, Teller};
use super::target::into;
use super::{block_on, out, put, terminal};
use crate::error::{Error, ErrorKind, Result};
use crate::hosts::process::{exit_code, stop_on_signals_and};
use crate::load::{self, LoadInfo};
use crate::run::{self, Known, Observer, RunPlan, render};
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
    let format = matches.get_one::<String>("format").map(String::as_str);
    let plan = planned(matches, source)?;
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
    let teller = Arc::new(Teller::new(&source.world, detail(matches)));
    let json_log = matches
        .get_one::<String>("log-format")
        .is_some_and(|name| name == "json");
    let log = json_log.then(|| {
        Arc::new(JsonLog {
            world: source.world.clone(),
            version: source.version_text().unwrap_or_default().to_owned(),
        })
    });
    let observer: Arc<dyn Observer> = match &log {
        Some(log) => log.clone(),
        None => teller.clone(),
    };
    let heard = (teller.clone(), log.clone());
    let say = move |text: &str| match heard {
        (_, Some(log)) => log.stopping(),
        (teller, None) => teller.stopping(text),
    };
    let stop = options.stop.clone();
    let mut prints = false;
    let report = into(matches).and_then(|into| {
        prints = into.prints();
        block_on(async move {
            tokio::spawn(stop_on_signals_and(stop, say));
            run::sync(source, into, &options, observer).await
        })?
    });
    teller.clear();
    let limited = matches.get_one::<u64>("limit").is_some();
    let json = match &report {
        Ok(report) => {
            let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
            let known = Known {
                limited,
                failures: terminal && !json_log,
                quiet: detail(matches) == Detail::Quiet,
                screen: match prints {
                    true => terminal::err(),
                    false => terminal::out(),
                },
            };
            let rendered = render(report, known);
            match prints {
                // If this fails, standard error is closed, and that cannot be reported either.
                true => drop(writeln!(std::io::stderr(), "{rendered}")),
                false => put(&rendered)?,
            }
            if let Some(log) = &log {
                log.ended(report, exit_code(report, limited));
            }
            report.to_json()
        }
        Err(error) => {
            if let Some(log) = &log {
                log.failed(error, &source.redactor().redact(&error.report()));
            }
            failed_report(source, error)
        }
    };
    let written = file.map_or(Ok(()), |file| write_report(file, &json));
    let report = match (report, &log) {
        // The log has told it.
        (Err(error), Some(_)) => return Ok(error.kind().exit_code()),
        (report, _) => report?,
    };
    written?;
    Ok(exit_code(&report, limited))
}

/// Returns how much the run tells.
fn detail(matches: &ArgMatches) -> Detail {
    match (matches.get_flag("quiet"), matches.get_flag("verbose")) {
        (true, _) => Detail::Quiet,
        (_, true) => Detail::Verbose,
        _ => Detail::Usual,
    }
}

/// Returns the report of a run that failed as a whole: the keys of [`RunReport::to_json`] that
/// apply.
pub(super) fn failed_report(source: &Source, error: &Error) -> serde_json::Value {
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
pub(super) fn check_report(file: &Path) -> Result<()> {
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
pub(super) fn write_report(file: &Path, report: &serde_json::Value) -> Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, format!("{report:#}\n"))
        .and_then(|()| std::fs::rename(&beside, file))
        .map_err(|error| Error::file(ErrorKind::System, "write", file, error).at("--report"))
}
