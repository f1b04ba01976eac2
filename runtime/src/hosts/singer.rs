//! A Singer tap: `connector singer`, or the connector called through a link named `tap-…`.
//!
//! Messages go to standard output, everything else to standard error.

mod about;
mod catalog;
mod messages;

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Map, Value, json};

use self::catalog::Selected;
use self::messages::Messages;
use super::connector::{Configured, file, json, object, parsed};
use super::log::{self, Log};
use super::process::{block_on, err, exit_code, fail, stop_on_signals};
use super::streams::Streams;
use super::{Crate, bookmarks};
use crate::error::{Error, ErrorKind, Result};
use crate::load::Memory;
use crate::load::emit::Emitter;
use crate::run::{self, RunOptions, RunReport};
use crate::schema::Dialect;
use crate::settings::{Redactor, Settings};
use crate::source::Source;

/// The command that runs the tap.
pub(super) const COMMAND: &str = "singer";

/// How the schemas of Singer call what JSON does not have.
const DIALECT: Dialect = Dialect {
    decimal: &[("format", "singer.decimal")],
    timestamp: &[("format", "date-time")],
    uuid: &[("format", "uuid")],
};

/// Runs the tap. `name` is that of the link.
pub(super) fn main<C: Settings>(of: &Crate<'_, C>, name: &str, args: &[OsString]) -> ExitCode {
    let matches = match parsed(command(name, of.version), name, args) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    let mut redactor = None;
    match tap(of, (name, &matches), &mut redactor) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&error, redactor.as_ref()),
    }
}

/// Returns the command line of the tap.
fn command(name: &str, version: &str) -> Command {
    let flag = |id: &'static str, help: &'static str| {
        Arg::new(id).long(id).action(ArgAction::SetTrue).help(help)
    };
    Command::new(name.to_owned())
        .version(version.to_owned())
        .about("Run as a Singer tap: print SCHEMA, RECORD and STATE messages")
        .arg(
            file("config", "Read the settings from this JSON file; `ENV` reads them from the environment alone [later files count more]")
                .short('c')
                .action(ArgAction::Append),
        )
        .arg(file("catalog", "Read the streams and fields that this catalog selects [default: all]").alias("properties"))
        .arg(file("state", "Start from the state in this file").short('s'))
        .arg(flag("discover", "Print the catalog").short('d'))
        .arg(flag("about", "Print what the tap is capable of"))
        .arg(
            Arg::new("format")
                .long("format")
                .value_parser(["text", "json", "markdown"])
                .default_value("text")
                .help("The form of `--about`"),
        )
        .arg(
            Arg::new("test")
                .long("test")
                .num_args(0..=1)
                .default_missing_value("all")
                .value_parser(["all", "records", "schema"])
                .help("Check the credentials with one request"),
        )
}

/// Does what the arguments say; returns the exit code.
fn tap<C: Settings>(
    of: &Crate<'_, C>,
    (name, matches): (&str, &ArgMatches),
    redactor: &mut Option<Redactor>,
) -> Result<u8> {
    let config = config(matches)?;
    let (discovers, about) = (matches.get_flag("discover"), matches.get_flag("about"));
    let configured = of.configured(&config, !discovers && !about)?;
    let Configured {
        source,
        redactor: hides,
    } = configured;
    *redactor = Some(hides);
    let file = |id: &str| matches.get_one::<PathBuf>(id).map(PathBuf::as_path);
    if about {
        let format = matches.get_one::<String>("format");
        let format = format.map_or("text", String::as_str);
        return print(&about::about(of, name, format)).map(|()| 0);
    }
    if discovers {
        let catalog = catalog::discovered(&streams(&source)?);
        let text = serde_json::to_string_pretty(&catalog).unwrap_or_default();
        return print(&text).map(|()| 0);
    }
    if matches.contains_id("test") {
        err(&block_on(run::check(&source))??);
        return Ok(0);
    }
    let streams = streams(&source)?;
    let selected = match file("catalog") {
        Some(file) => Selected::of(&json(file)?, &streams).map_err(|error| at(error, file))?,
        None => Selected::all(&streams),
    };
    let memory = match file("state") {
        Some(file) => memory(&json(file)?).map_err(|error| at(error, file))?,
        None => Memory::default(),
    };
    sync(&source, selected, memory)
}

fn at(error: Error, file: &Path) -> Error {
    error.at(file.display().to_string())
}

/// Returns the settings of all files.
fn config(matches: &ArgMatches) -> Result<Map<String, Value>> {
    let mut config = Map::new();
    for file in matches.get_many::<PathBuf>("config").into_iter().flatten() {
        if file.as_os_str() != "ENV" {
            config.extend(object(file)?);
        }
    }
    Ok(config)
}

fn streams(source: &Source) -> Result<Streams> {
    let streams = Streams::of(source)?;
    for (name, reason) in &streams.unfit {
        err(&format!("WARNING {name} is not in the catalog: {reason}"));
    }
    Ok(streams)
}

/// Reads the selected streams; returns the exit code.
fn sync(source: &Source, selected: Selected, memory: Memory) -> Result<u8> {
    let options = RunOptions::default()
        .resources(selected.names())
        .select(selected.rules());
    let stop = options.stop.clone();
    let out = Box::new(BufWriter::new(io::stdout()));
    let tap = Messages::new(selected.streams, memory, out);
    if options.resources.is_empty() {
        err("WARNING no stream is selected");
        return Ok(0);
    }
    let report = block_on(async move {
        tokio::spawn(stop_on_signals(stop));
        let into = Box::new(Emitter::new(tap));
        run::sync(source, into, &options, Arc::new(Log)).await
    })??;
    log::report(&report);
    metrics(&report);
    Ok(exit_code(&report, false))
}

/// Writes the counts that Singer's tools read.
fn metrics(report: &RunReport) {
    for resource in &report.resources {
        let metric = json!({
            "type": "counter",
            "metric": "record_count",
            "value": resource.records,
            "tags": {"stream": resource.name},
        });
        err(&format!("INFO METRIC: {metric}"));
    }
}

/// Returns the memory of a state: `{"bookmarks": {"STREAM": {…}}}`.
fn memory(state: &Value) -> Result<Memory> {
    let mut own = std::collections::BTreeMap::new();
    let bookmarks = state.get("bookmarks").and_then(Value::as_object);
    for (stream, bookmark) in bookmarks.into_iter().flatten() {
        // A bookmark of another tap has no state of ours.
        let Some(kept) = bookmark.get(messages::OWN) else {
            continue;
        };
        let kept = serde_json::from_value(kept.clone()).map_err(|error| {
            let message = format!("the state of `{stream}` cannot be read");
            Error::new(ErrorKind::State, message)
                .caused_by(error)
                .hint("without its bookmark, everything is read again")
        })?;
        own.insert(stream.clone(), kept);
    }
    bookmarks::join(own)
}

/// Writes a text to standard output.
fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
