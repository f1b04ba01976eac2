//! The commands of a run whose slices are read by several processes: `plan`, `extract`, `commit`.

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ArgMatches;

use super::options::sync_options;
use super::progress::{Detail, Teller};
use super::sync::{check_report, failed_report, write_report};
use super::target::into;
use super::{block_on, out, put, terminal};
use crate::error::Result;
use crate::hosts::process::{err, exit_code, stop_on_signals};
use crate::run::slices::{self, Committed, PlannedSlice};
use crate::run::{Known, RunOptions, StopSignal, render};
use crate::source::Source;

/// The most lists of a child resource that are one slice.
const GROUP: usize = 25;

/// The exit code if slices are missing.
const INCOMPLETE: u8 = 6;

/// The most missing slices that are named.
const NAMED: usize = 20;

fn text<'a>(matches: &'a ArgMatches, name: &str) -> &'a str {
    matches.get_one::<String>(name).map_or("", String::as_str)
}

/// Prints the slices that can be extracted.
pub(super) fn plan(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let slices = match matches.get_one::<String>("run") {
        Some(run) => block_on(slices::next(source, run))??,
        None => {
            let (options, into) = (sync_options(matches)?, into(matches)?);
            let group = matches.get_one::<u64>("group").copied();
            let group = group.map_or(GROUP, |group| usize::try_from(group).unwrap_or(usize::MAX));
            let place = text(matches, "out");
            block_on(slices::begin(source, &*into, &options, place, group))??
        }
    };
    print(&slices)
}

/// Prints the first slices that a plan would have.
pub(super) fn preview(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let (options, into) = (sync_options(matches)?, into(matches)?);
    print(&block_on(slices::preview(
        source, &*into, &options, GROUP,
    ))??)
}

fn print(slices: &[PlannedSlice]) -> Result<u8> {
    for slice in slices {
        out(&slice.to_line())?;
    }
    Ok(0)
}

/// Reads one slice, and prints its receipt.
pub(super) fn extract(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let slice = match text(matches, "slice") {
        "-" => {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line)?;
            PlannedSlice::parse(line.trim())?
        }
        line => PlannedSlice::parse(line)?,
    };
    let place = text(matches, "out");
    let stop = StopSignal::default();
    let source = match matches.get_one::<String>("budget-url") {
        Some(url) => source.clone().shared_budget(url, &slice.resource),
        None => source.clone(),
    };
    let receipt = block_on(async {
        tokio::spawn(stop_on_signals(stop.clone()));
        slices::extract(&source, place, &slice, stop, Arc::new(())).await
    })??;
    out(&receipt.summary())?;
    Ok(0)
}

/// Loads what was extracted.
pub(super) fn commit(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let file = matches.get_one::<PathBuf>("report");
    file.map_or(Ok(()), |file| check_report(file))?;
    let teller = Arc::new(Teller::new(&source.world, Detail::Usual));
    let options = RunOptions {
        wait: matches.get_one("wait").copied().unwrap_or_default(),
        ..RunOptions::default()
    };
    let into = into(matches)?;
    let (named, prints) = (into.describe(), into.prints());
    let done = block_on(async {
        tokio::spawn(stop_on_signals(options.stop.clone()));
        let place = text(matches, "run");
        slices::commit(source, place, into, &options, teller.clone()).await
    });
    teller.clear();
    let done = done.flatten();
    let json = match &done {
        Ok(Committed::Now(report)) => Some(report.to_json()),
        Ok(_) => None,
        Err(error) => Some(failed_report(source, error)),
    };
    let written = match file.zip(json) {
        Some((file, json)) => write_report(file, &json),
        None => Ok(()),
    };
    let done = done?;
    written?;
    let tell = |line: &str| match prints {
        // If this fails, standard error is closed, and that cannot be reported either.
        true => {
            let _ = writeln!(std::io::stderr(), "{line}");
            Ok(())
        }
        false => put(line),
    };
    match done {
        Committed::Now(run) => {
            let known = Known {
                limited: false,
                failures: std::io::stdout().is_terminal() && std::io::stderr().is_terminal(),
                quiet: false,
                screen: match prints {
                    true => terminal::err(),
                    false => terminal::out(),
                },
            };
            tell(&render(&run, known))?;
            Ok(exit_code(&run, false))
        }
        Committed::Before(load) => {
            tell(&format!(
                "nothing to do: the load {load} has committed this run into {named}"
            ))?;
            Ok(0)
        }
        Committed::Missing(missing) => {
            err(&named_missing(&missing));
            Ok(INCOMPLETE)
        }
    }
}

/// Names the slices that were not extracted.
fn named_missing(missing: &[PlannedSlice]) -> String {
    let count = etlgen_model::counted(missing.len() as u64, "slice");
    let mut lines = vec![format!("nothing was committed: {count} not extracted")];
    let named = missing.iter().take(NAMED);
    lines.extend(named.map(|slice| format!("  {}: {}", slice.id, slice.describe())));
    if missing.len() > NAMED {
        lines.push(format!("  and {} more", missing.len() - NAMED));
    }
    lines.push("  hint: `plan --run` lists them for `extract`".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};

    #[test]
    fn missing_slices_are_named_up_to_a_bound() {
        let line = r#"{"id":"a-1","run":"1.000000","resource":"a","resources":["a"],"cost":1,"connector":"x"}"#;
        let slice = PlannedSlice::parse(line).unwrap();
        assert_eq!(PlannedSlice::parse(&slice.to_line()).unwrap(), slice);
        let text = named_missing(&vec![slice; NAMED + 3]);
        assert!(text.contains("23 slices not extracted"), "{text}");
        assert!(text.contains("  a-1: a\n"), "{text}");
        assert!(text.contains("and 3 more"), "{text}");
        assert_eq!(
            PlannedSlice::parse("{}").unwrap_err().kind(),
            ErrorKind::Usage
        );
        let error: Error = PlannedSlice::parse(&line.replace("a-1", "../a")).unwrap_err();
        assert_eq!(error.message(), "the slice has no id");
    }
}
