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

use std::future::Future;
use std::io::Write;
use std::process::ExitCode;

use crate::error::{Error, Result};
use crate::load::Destinations;
use crate::run::StopSignal;
use crate::settings::{Places, Redactor, Secret, Settings};
use crate::source::Source;

/// Some resources failed, or are less certainly complete than the run requires; the rows that
/// arrived are loaded.
const EXIT_PARTIAL: u8 = 6;
/// A signal stopped the run; the next run continues.
const EXIT_STOPPED: u8 = 130;

/// Runs a future to completion on a Tokio runtime with two threads.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(future);
    // Name look-ups in progress must not delay the exit.
    runtime.shutdown_background();
    Ok(result)
}

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

fn fail(error: &Error, redactor: Option<&Redactor>) -> ExitCode {
    let text = format!("error: {error:#}");
    let text = redactor.map_or(text.clone(), |redactor| redactor.redact(&text));
    // If this fails, standard error is closed, and the error cannot be reported either.
    let _ = writeln!(std::io::stderr(), "{}", printable(&text));
    ExitCode::from(error.kind().exit_code())
}

/// Makes text safe for a terminal: control characters become escapes.
fn printable(text: &str) -> String {
    let escape = |c: char| match c {
        '\n' => vec![c],
        c if c.is_control() => c.escape_default().collect(),
        c => vec![c],
    };
    text.chars().flat_map(escape).collect()
}

/// Writes a line to standard output. A reader that has closed the pipe (`| head`) is not an error.
fn out(text: &str) -> Result<()> {
    match writeln!(std::io::stdout(), "{}", printable(text)) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Sets the stop signal at the first SIGINT or SIGTERM, and exits at the second.
async fn stop_on_signals(stop: StopSignal) {
    if interrupted().await.is_err() {
        return;
    }
    stop.set();
    let _ = writeln!(
        std::io::stderr(),
        "stopping after the pages in progress; a second signal stops at once (what is committed stays)"
    );
    if interrupted().await.is_ok() {
        std::process::exit(EXIT_STOPPED.into());
    }
}

#[cfg(unix)]
async fn interrupted() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        biased;
        done = tokio::signal::ctrl_c() => done,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn interrupted() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

#[cfg(test)]
mod tests;
