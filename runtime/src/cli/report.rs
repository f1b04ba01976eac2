//! The report of a run as text.

use etlgen_model::counted;

use super::table::align;
use crate::page::Proof;
use crate::run::{Outcome, ResourceReport, RunReport};
use crate::text::wrapped;

/// What a reader of the report knows already.
#[derive(Clone, Copy, Default)]
pub struct Known {
    /// `--limit` stopped the run.
    pub limited: bool,
    /// The progress has shown each failure on the same terminal.
    pub failures: bool,
}

/// Renders the report as text, in lines of at most 80 characters where names allow it.
pub fn render(report: &RunReport, known: Known) -> String {
    let mut lines = vec![format!(
        "{} -> {}  (load {}, {:.1} s)",
        report.source,
        report.destination,
        report.load_id,
        report.elapsed.as_secs_f64()
    )];
    section(&mut lines, None, &numbers(&report.resources, known.limited));

    let mut rows = vec![vec!["table".to_owned(), "rows".to_owned()]];
    let tables = report.resources.iter().flat_map(|r| &r.tables);
    for (table, count) in tables.filter(|(table, rows)| *rows > 0 || !table.contains("__")) {
        rows.push(vec![table.clone(), count.to_string()]);
    }
    section(&mut lines, Some(""), &rows);

    let cursors = report.resources.iter().filter_map(|resource| {
        let (from, to) = resource.cursor.as_ref()?;
        let from = from.as_deref().unwrap_or("the beginning");
        Some(match to {
            Some(to) if from == to.as_str() => format!("{}: stays at {to}", resource.name),
            Some(to) => format!("{}: from {from} to {to}", resource.name),
            None => format!("{}: from {from}", resource.name),
        })
    });
    list(&mut lines, "cursors", cursors.collect());
    let notes = report
        .resources
        .iter()
        .flat_map(|r| r.notes.iter().map(|note| format!("{}: {note}", r.name)));
    let notes = notes.chain(report.notes.iter().cloned());
    list(&mut lines, "notes", notes.collect());
    let drift = report.resources.iter().flat_map(|r| &r.drift);
    let drift = drift.map(|(table, keys, what, count)| {
        format!("{table}: {keys}: {what} ({})", counted(*count, "time"))
    });
    list(&mut lines, "not declared by the structs", drift.collect());
    let left_out = report.off.iter();
    let left_out =
        left_out.map(|off| (off.name.clone(), format!("{} ({})", off.reason, off.settle)));
    lines.extend(off(&left_out.collect::<Vec<_>>()));
    proofs(&mut lines, report);
    doubts(&mut lines, report);
    list(&mut lines, "failed", failures(report, known));
    lines.join("\n")
}

/// Returns the failures, those with one message together: one missing setting may keep many
/// resources from being read. Credentials that no list accepts are one failure, that of the first.
fn failures(report: &RunReport, known: Known) -> Vec<String> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for resource in &report.resources {
        let Outcome::Failed(_, message) = &resource.outcome else {
            continue;
        };
        let message = within(&resource.name, message);
        if !report.refused
            && report.is_refused_everywhere()
            && let Some((_, names)) = found.first_mut()
        {
            names.push(&resource.name);
            continue;
        }
        match found.iter_mut().find(|(known, _)| *known == message) {
            Some((_, names)) => names.push(&resource.name),
            None => found.push((message, vec![&resource.name])),
        }
    }
    let lines = found.into_iter().map(|(message, names)| {
        let names = names.join(", ");
        match known.failures {
            true => names,
            false => format!("{names}: {message}"),
        }
    });
    lines.collect()
}

/// Returns the message of a failure without the name of the resource, which stands before it.
pub fn within<'a>(resource: &str, message: &'a str) -> &'a str {
    let place = format!("resource {resource}: ");
    message.strip_prefix(&place).unwrap_or(message)
}

/// Lists why the ends of resources are known, and where the next run continues those that were
/// stopped.
fn proofs(lines: &mut Vec<String>, report: &RunReport) {
    let mut whys: Vec<(String, Vec<&str>)> = Vec::new();
    for resource in &report.resources {
        let why = match (&resource.outcome, &resource.proof) {
            (Outcome::Stopped, _) if resource.requests == 0 && report.refused => {
                "not read: the API refuses the credentials".to_owned()
            }
            (Outcome::Stopped, _) if resource.requests == 0 => {
                "not read: its parent was not read to its end".to_owned()
            }
            (Outcome::Stopped, _) if resource.restarts => {
                "stopped; the next run reads this list from its start again".to_owned()
            }
            (Outcome::Stopped, _) => "stopped; the next run continues".to_owned(),
            (Outcome::Complete, Proof::Proved(why)) => format!("proved: {why}"),
            (Outcome::Complete, Proof::Consistent(why)) => format!("consistent: {why}"),
            _ => continue,
        };
        match whys.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(&resource.name),
            None => whys.push((why, vec![&resource.name])),
        }
    }
    let whys = whys.into_iter();
    let whys = whys.map(|(why, names)| format!("{}: {why}", names.join(", ")));
    list(lines, "ends", whys.collect());
}

/// Lists the resources that are not proved complete, and those whose proof is weaker than the run
/// requires.
fn doubts(lines: &mut Vec<String>, report: &RunReport) {
    let complete = report
        .resources
        .iter()
        .filter(|r| matches!(r.outcome, Outcome::Complete));
    let unproved = complete.clone().filter_map(|r| match &r.proof {
        Proof::Unproved(why) => Some(format!("{}: {why}", r.name)),
        _ => None,
    });
    list(lines, "warning: not proved complete", unproved.collect());
    let mut assumed: Vec<(&str, Vec<&str>)> = Vec::new();
    for resource in complete {
        if let Proof::Assumed(why) = &resource.proof {
            match assumed.iter_mut().find(|(known, _)| known == why) {
                Some((_, names)) => names.push(&resource.name),
                None => assumed.push((why, vec![&resource.name])),
            }
        }
    }
    let assumed = assumed.into_iter();
    let assumed = assumed.map(|(why, names)| format!("{}: {why}", names.join(", ")));
    list(lines, "assumed complete", assumed.collect());
    let below = report
        .resources
        .iter()
        .filter(|r| !r.meets(report.required));
    let below = below.map(|r| format!("{}: {}", r.name, r.proof.grade()));
    let required = format!("below `--require {}`", report.required.name());
    list(lines, &required, below.collect());
}

/// Lists the resources that a run leaves out, with the reasons.
pub fn off(resources: &[(String, String)]) -> Vec<String> {
    let mut lines = Vec::new();
    let items = resources.iter();
    let items = items.map(|(name, reason)| format!("{name}: {reason}"));
    list(&mut lines, "off", items.collect());
    lines
}

fn section(lines: &mut Vec<String>, gap: Option<&str>, rows: &[Vec<String>]) {
    if rows.len() > 1 {
        lines.extend(gap.map(str::to_owned));
        lines.extend(align(rows));
    }
}

fn list(lines: &mut Vec<String>, title: &str, items: Vec<String>) {
    if !items.is_empty() {
        lines.push(format!("\n{title}"));
        lines.extend(items.iter().flat_map(|item| wrapped("  ", 4, item)));
    }
}

/// Returns the numbers of the resources as rows; columns that tell nothing are left out.
fn numbers(resources: &[ResourceReport], limited: bool) -> Vec<Vec<String>> {
    let retried = resources.iter().any(|report| report.retries > 0);
    let sliced = resources.iter().any(|report| report.slices > 1);
    let repeated = resources.iter().any(|report| report.unchanged > 0);
    let columns = [
        ("resource", true),
        ("records", true),
        ("unchanged", repeated),
        ("pages", true),
        ("requests", true),
        ("retries", retried),
        ("bytes", true),
        ("slices", sliced),
        ("end", true),
    ];
    let row = |cells: [String; 9]| -> Vec<String> {
        let cells = cells.into_iter().zip(columns);
        cells
            .filter_map(|(cell, (_, shown))| shown.then_some(cell))
            .collect()
    };
    let head = row(columns.map(|(name, _)| name.to_owned()));
    let rows = resources.iter().map(|report| {
        row([
            report.name.clone(),
            report.records.to_string(),
            report.unchanged.to_string(),
            report.pages.to_string(),
            report.requests.to_string(),
            report.retries.to_string(),
            bytes(report.bytes),
            report.slices.to_string(),
            end(report, limited).to_owned(),
        ])
    });
    [head].into_iter().chain(rows).collect()
}

/// Returns how a resource ended, in a few words.
fn end(report: &ResourceReport, limited: bool) -> &'static str {
    match (&report.outcome, &report.proof) {
        (Outcome::Failed(..), _) => "failed",
        (Outcome::Stopped, _) if report.requests == 0 => "not read",
        (Outcome::Stopped, _) if limited => "at --limit",
        (Outcome::Stopped, _) => "stopped",
        (Outcome::Complete, Proof::Proved(_)) => "proved",
        (Outcome::Complete, Proof::Consistent(_)) => "consistent",
        (Outcome::Complete, Proof::Assumed(_)) => "assumed",
        (Outcome::Complete, Proof::Unproved(_)) => "not proved",
        (Outcome::Complete, Proof::Open) => "empty",
    }
}

/// Formats a number of bytes (`12.3 MB`).
fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", count as f64 / 1e6),
        _ => format!("{:.1} GB", count as f64 / 1e9),
    }
}
