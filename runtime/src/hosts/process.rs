//! What every program of a connector does: it runs to its end or to a signal, and says how it ended.

use std::future::Future;
use std::io::Write;
use std::process::ExitCode;

use crate::error::{Error, ErrorKind, Result};
use crate::run::{Outcome, RunReport, StopSignal};
use crate::settings::Redactor;

/// Some resources failed, or are less certainly complete than the run requires; the rows that
/// arrived are loaded.
pub(crate) const EXIT_PARTIAL: u8 = 6;
/// A signal stopped the run; the next run continues.
pub(crate) const EXIT_STOPPED: u8 = 130;

/// Runs a future to completion on a Tokio runtime with two threads.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let result = runtime.block_on(future);
    // Name look-ups in progress must not delay the exit.
    runtime.shutdown_background();
    Ok(result)
}

/// Reports an error without the secrets, and returns its exit code.
pub(crate) fn fail(error: &Error, redactor: Option<&Redactor>) -> ExitCode {
    let text = format!("error: {error:#}");
    let text = redactor.map_or(text.clone(), |redactor| redactor.redact(&text));
    err(&text);
    ExitCode::from(error.kind().exit_code())
}

/// Writes a line to standard error.
pub(crate) fn err(text: &str) {
    // If this fails, standard error is closed, and that cannot be reported either.
    let _ = writeln!(std::io::stderr(), "{}", printable(text));
}

/// Makes text safe for a terminal: control characters become escapes.
pub(crate) fn printable(text: &str) -> String {
    let escape = |c: char| match c {
        '\n' => vec![c],
        c if c.is_control() => c.escape_default().collect(),
        c => vec![c],
    };
    text.chars().flat_map(escape).collect()
}

/// Returns the exit code: that of the error if the credentials were refused for all that was asked,
/// or all resources failed with the same kind; [`EXIT_PARTIAL`] if some failed or are less certainly complete than the run
/// requires.
pub(crate) fn exit_code(report: &RunReport, limited: bool) -> u8 {
    if report.is_refused_everywhere() {
        return ErrorKind::Credentials.exit_code();
    }
    let outcomes = || report.resources.iter().map(|resource| &resource.outcome);
    let failures: Vec<u8> = outcomes()
        .filter_map(|outcome| match outcome {
            Outcome::Failed(kind, _) => Some(kind.exit_code()),
            _ => None,
        })
        .collect();
    let stopped = outcomes().any(|outcome| matches!(outcome, Outcome::Stopped));
    match failures.first() {
        Some(code)
            if failures.len() == report.resources.len()
                && failures.iter().all(|other| other == code) =>
        {
            *code
        }
        Some(_) => EXIT_PARTIAL,
        None if stopped && !limited => EXIT_STOPPED,
        None if report.resources.iter().any(|r| !r.meets(report.required)) => EXIT_PARTIAL,
        None => 0,
    }
}

/// Sets the stop signal at the first SIGINT or SIGTERM, and exits at the second.
pub(crate) async fn stop_on_signals(stop: StopSignal) {
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
