//! The command line of a connector: `main.rs` of a generated crate is one call of [`main`].

mod args;
mod commands;
mod destination;
mod log;
mod options;
#[cfg(feature = "otel")]
mod otel;
mod progress;
mod report;
mod retries;
mod rollback;
mod state;
mod sync;
mod table;
mod tables;
mod target;
mod values;

use std::io::Write;
use std::process::ExitCode;

use crate::error::Result;
use crate::hosts;
use crate::hosts::process::{block_on, err, fail, printable};
use crate::load::Destinations;
use crate::settings::{Places, Redactor, Secret, Settings};
use crate::source::Source;

/// Runs the command line: `sync`, `check`, `discover`, `read`, `resources`, `state`, `tables`, `rollback`.
///
/// Exit codes: 0 success; 1 a system error; 2 usage or settings; 3 credentials; 4 the API or its
/// paging; 5 the destination or the state; 6 some resources failed and the others are loaded; 130
/// stopped by a signal.
pub fn main<C: Settings>(name: &str, version: &str, source: fn(&C) -> Source) -> ExitCode {
    main_with(name, version, source, Destinations::default())
}

/// Does the same as [`main`] with more destinations: `Destinations::default().with("jsonl",
/// "FOLDER", Jsonl::new)`.
pub fn main_with<C: Settings>(
    name: &str,
    version: &str,
    source: fn(&C) -> Source,
    destinations: Destinations,
) -> ExitCode {
    if let Some(code) = hosts::run(name, version, source, std::env::args_os()) {
        return code;
    }
    let placeholder = source(&C::placeholder());
    let mut into = destination::Into::new(destinations, placeholder.name());
    // `--help` needs no settings: a file that cannot be read is reported later.
    let places = Places::here(C::PREFIX);
    if let Ok(places) = &places {
        into = into.set_by(places, C::SETTINGS);
    }
    let command = args::command_into(name, version, &into);
    let command = command.args(args::settings(C::PREFIX, C::SETTINGS));
    let matches = match command.try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // clap returns help and version as errors too. A closed terminal is not an error of
            // this program.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let configured = places.and_then(|places| {
        into.check(&matches)?;
        configure::<C>(places, &matches)
    });
    let (settings, secrets) = match configured {
        Ok(configured) => configured,
        Err(error) => return fail(&error, None),
    };
    let source = source(&settings).hide(secrets.iter().cloned());
    #[cfg(feature = "otel")]
    let _export = match otel::Export::start(name, version) {
        Ok(export) => export,
        Err(error) => return fail(&error, Some(&Redactor::new(secrets))),
    };
    match commands::run(&matches, &source) {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&error, Some(&Redactor::new(secrets))),
    }
}

/// Reads the settings from all their sources; a command that sends no request does not need those
/// that are missing.
fn configure<C: Settings>(
    mut places: Places,
    matches: &clap::ArgMatches,
) -> Result<(C, Vec<Secret>)> {
    for setting in C::SETTINGS {
        if let Some(value) = args::value(matches, setting) {
            places.flag(setting.name, value);
        }
    }
    let settings = match C::load_from(&places) {
        Err(_) if !args::sends(matches) => C::placeholder(),
        settings => settings?,
    };
    Ok((settings, places.secrets(C::SETTINGS)))
}

/// Writes a line to standard output. A reader that has closed the pipe (`| head`) is not an error.
fn out(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{}", printable(text)) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
