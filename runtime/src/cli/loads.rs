//! The commands `loads` and `report`.

use clap::ArgMatches;

use super::target::open;
use super::{out, out_table, put, terminal};
use crate::error::{Error, ErrorKind, Result};
use crate::load::{Destination, LoadRow};
use crate::run::{Known, RunReport, Table, html_page, render};
use crate::source::Source;
use crate::state::load_time;
use crate::text::{alternatives, grouped};

pub fn list(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let (mut into, _) = open(matches, source)?;
    let loads = into.loads()?;
    if loads.is_empty() {
        out(&format!(
            "{} has no loads of {}",
            into.describe(),
            source.name()
        ))?;
        return Ok(0);
    }
    let mut table = Table::new(&[
        ("load", 0),
        ("time", 1),
        ("status", 0),
        ("rows", 0),
        ("resources", 3),
        ("seconds", 2),
    ]);
    for load in loads.iter().rev() {
        let report = kept(&mut *into, load)?;
        let seconds = report.as_ref().map(|report| report.elapsed.as_secs_f64());
        table.plain([
            load.id.clone(),
            time(&load.id),
            load.status.name().to_owned(),
            grouped(load.rows),
            report.as_ref().map_or(String::new(), resources),
            seconds.map_or(String::new(), |seconds| format!("{seconds:.1}")),
        ]);
    }
    out_table(&table)?;
    Ok(0)
}

pub fn report(matches: &ArgMatches, source: &Source) -> Result<u8> {
    let (mut into, _) = open(matches, source)?;
    let loads = into.loads()?;
    let load = match matches.get_one::<String>("load") {
        Some(id) => named(&loads, id)?,
        None => loads.iter().rfind(|load| load.reported).ok_or_else(|| {
            let message = format!("{} keeps no report of {}", into.describe(), source.name());
            Error::new(ErrorKind::Usage, message)
                .hint("each run that ends leaves one; some destinations keep none")
        })?,
    };
    let Some(text) = into.report(&load.id)? else {
        let message = format!("the report of the load {} is not kept", load.id);
        return Err(Error::new(ErrorKind::Usage, message).hint("`loads` lists the loads"));
    };
    let report = parsed(&text).ok_or_else(|| {
        let message = format!("the report of the load {} cannot be read", load.id);
        Error::new(ErrorKind::State, message)
    })?;
    let format = matches.get_one::<String>("format").map(String::as_str);
    match (matches.get_flag("html"), format) {
        (true, _) => put(&html_page(&report))?,
        (_, Some("json")) => out(&format!("{:#}", report.to_json()))?,
        _ => put(&render(
            &report,
            Known {
                screen: terminal::out(),
                ..Known::default()
            },
        ))?,
    }
    Ok(0)
}

fn named<'a>(loads: &'a [LoadRow], id: &str) -> Result<&'a LoadRow> {
    loads.iter().find(|load| load.id == id).ok_or_else(|| {
        let ids: Vec<&str> = loads.iter().rev().map(|load| load.id.as_str()).collect();
        Error::new(ErrorKind::Usage, format!("there is no load `{id}`"))
            .hint(alternatives(id, &ids))
    })
}

fn kept(into: &mut dyn Destination, load: &LoadRow) -> Result<Option<RunReport>> {
    match load.reported {
        false => Ok(None),
        true => Ok(into.report(&load.id)?.and_then(|text| parsed(&text))),
    }
}

fn parsed(text: &str) -> Option<RunReport> {
    RunReport::from_json(&serde_json::from_str(text).ok()?)
}

/// Returns the resources of a run: `12`, or `11 of 12` if not all were read to their ends.
fn resources(report: &RunReport) -> String {
    let complete = |report: &&crate::run::ResourceReport| {
        matches!(report.outcome, crate::run::Outcome::Complete)
    };
    let complete = report.resources.iter().filter(complete).count();
    match report.resources.len() {
        all if all == complete => all.to_string(),
        all => format!("{complete} of {all}"),
    }
}

/// Returns the time of a load, which its id holds.
fn time(id: &str) -> String {
    let micros = load_time(id).map(|micros| micros.div_euclid(1_000_000) * 1_000_000);
    micros.map_or(String::new(), |micros| {
        crate::record::rfc3339(micros).as_str().to_owned()
    })
}
