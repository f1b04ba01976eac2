//! The report of a run as text.

use std::collections::HashMap;

use super::page::Page;
use super::screen::{Ink, Screen};
use super::table::Table;
use crate::page::Proof;
use crate::run::{Outcome, ResourceReport, RunReport};
use crate::text::{bytes, grouped};
use etlgen_model::counted;

/// What a reader of the report knows already, and wants to know.
#[derive(Clone, Copy, Default)]
pub(crate) struct Known {
    /// `--limit` stopped the run.
    pub limited: bool,
    /// The progress has shown each failure on the same terminal.
    pub failures: bool,
    /// Only what needs attention, and the totals.
    pub quiet: bool,
    pub screen: Screen,
}

/// Labels and texts of a list.
pub(super) type Items = Vec<(String, String)>;

/// Renders the report as text, in lines that fit the screen where names allow it.
pub(crate) fn render(report: &RunReport, known: Known) -> String {
    let mut page = Page::new(known.screen);
    if !known.quiet {
        page.line(
            Ink::Title,
            &format!(
                "{} -> {}  (load {}, {:.1} s)",
                report.source,
                report.destination,
                report.load_id,
                report.elapsed.as_secs_f64()
            ),
        );
        let numbers = numbers(&report.resources, known.limited);
        if !numbers.is_empty() {
            page.table(&numbers);
        }
        let tables = tables(report);
        if !tables.is_empty() {
            page.gap();
            page.table(&tables);
        }
        page.list("cursors", Ink::Plain, &cursors(report));
        page.list("notes", Ink::Plain, &notes(report));
        page.list("not declared by the structs", Ink::Plain, &drift(report));
        let off = report.off.iter();
        let off = off.map(|off| (off.name.clone(), format!("{} ({})", off.reason, off.settle)));
        page.list("off", Ink::Plain, &grouped_by_text(off));
        page.list("ends", Ink::Plain, &ends(report));
    }
    doubts(&mut page, report);
    page.list("failed", Ink::Bad, &failures(report, known));
    page.gap();
    page.line(Ink::Title, &totals(report));
    page.text()
}

impl std::fmt::Display for RunReport {
    /// Writes the report as the command line does, in lines of 80 characters.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&render(self, Known::default()))
    }
}

/// Returns the sums over all resources on one line.
fn totals(report: &RunReport) -> String {
    let sum = |of: fn(&ResourceReport) -> u64| report.resources.iter().map(of).sum::<u64>();
    let records = sum(|report| report.records);
    let rows = sum(|report| report.tables.iter().map(|(_, rows)| rows).sum());
    let complete = |report: &&ResourceReport| matches!(report.outcome, Outcome::Complete);
    let complete = report.resources.iter().filter(complete).count() as u64;
    let all = report.resources.len() as u64;
    let resources = match complete == all {
        true => counted(all, "resource"),
        false => format!("{complete} of {}", counted(all, "resource")),
    };
    let seconds = report.elapsed.as_secs_f64();
    let mut read = many(records, "record");
    if seconds > 0.0 && records > 0 {
        read.push_str(&format!(
            " ({}/s)",
            grouped((records as f64 / seconds) as u64)
        ));
    }
    let parts = [
        resources,
        read,
        many(rows, "row"),
        bytes(sum(|report| report.bytes)),
        many(sum(|report| report.requests), "request"),
        format!("{seconds:.1} s"),
    ];
    format!("total: {}", parts.join(", "))
}

/// Returns a large number of things: `1,200 records`.
pub(super) fn many(count: u64, thing: &str) -> String {
    let text = counted(count, thing);
    match text.split_once(' ') {
        Some((number, thing)) if number == count.to_string() => {
            format!("{} {thing}", grouped(count))
        }
        _ => text,
    }
}

/// Puts labels with the same text together: many resources have one reason.
fn grouped_by_text(items: impl Iterator<Item = (String, String)>) -> Items {
    let mut found: Vec<(Vec<String>, String)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (label, text) in items {
        match places.get(&text) {
            Some(place) => found[*place].0.push(label),
            None => {
                places.insert(text.clone(), found.len());
                found.push((vec![label], text));
            }
        }
    }
    let items = found.into_iter();
    items
        .map(|(labels, text)| (labels.join(", "), text))
        .collect()
}

fn tables(report: &RunReport) -> Table {
    let mut table = Table::new(&[("table", 0), ("rows", 0)]);
    let tables = report.resources.iter().flat_map(|r| &r.tables);
    for (name, rows) in tables.filter(|(name, rows)| *rows > 0 || !name.contains("__")) {
        table.plain([name.clone(), grouped(*rows)]);
    }
    table
}

fn cursors(report: &RunReport) -> Items {
    let cursors = report.resources.iter().filter_map(|resource| {
        let (from, to) = resource.cursor_shown()?;
        let from = from.as_deref().unwrap_or("the beginning");
        let text = match to {
            Some(to) if from == to.as_str() => format!("stays at {to}"),
            Some(to) => format!("from {from} to {to}"),
            None => format!("from {from}"),
        };
        Some((resource.name.clone(), text))
    });
    grouped_by_text(cursors)
}

pub(super) fn notes(report: &RunReport) -> Items {
    let of = |report: &ResourceReport| {
        let name = report.name.clone();
        let notes = report.notes.clone().into_iter();
        notes.map(move |note| (name.clone(), note))
    };
    let mut notes = grouped_by_text(report.resources.iter().flat_map(of));
    notes.extend(
        report
            .notes
            .iter()
            .map(|note| (note.clone(), String::new())),
    );
    notes
}

fn drift(report: &RunReport) -> Items {
    let drift = report.resources.iter().flat_map(|r| &r.drift);
    let drift = drift.map(|(table, keys, what, count)| {
        let text = format!("{keys}: {what} ({})", counted(*count, "time"));
        (table.clone(), text)
    });
    drift.collect()
}

/// Returns the failures, those with one message together: one missing setting may keep many
/// resources from being read. Credentials that no list accepts are one failure, that of the first.
fn failures(report: &RunReport, known: Known) -> Items {
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
    let items = found.into_iter().map(|(message, names)| {
        let message = match known.failures {
            true => String::new(),
            false => message.to_owned(),
        };
        (names.join(", "), message)
    });
    items.collect()
}

/// Returns the message of a failure without the name of the resource, which stands before it.
pub(crate) fn within<'a>(resource: &str, message: &'a str) -> &'a str {
    let place = format!("resource {resource}: ");
    message.strip_prefix(&place).unwrap_or(message)
}

/// Returns why the ends of resources are known, and where the next run continues those that were
/// stopped.
pub(super) fn ends(report: &RunReport) -> Items {
    let whys = report.resources.iter().filter_map(|resource| {
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
            _ => return None,
        };
        Some((resource.name.clone(), why))
    });
    grouped_by_text(whys)
}

/// Lists the resources that are not proved complete, and those whose proof is weaker than the run
/// requires.
fn doubts(page: &mut Page, report: &RunReport) {
    let complete = report
        .resources
        .iter()
        .filter(|r| matches!(r.outcome, Outcome::Complete));
    let unproved = complete.clone().filter_map(|r| match &r.proof {
        Proof::Unproved(why) => Some((r.name.clone(), why.clone())),
        _ => None,
    });
    let unproved = grouped_by_text(unproved);
    page.list("warning: not proved complete", Ink::Doubt, &unproved);
    let assumed = complete.filter_map(|r| match &r.proof {
        Proof::Assumed(why) => Some((r.name.clone(), why.clone())),
        _ => None,
    });
    page.list("assumed complete", Ink::Plain, &grouped_by_text(assumed));
    let below = report
        .resources
        .iter()
        .filter(|r| !r.meets(report.required));
    let below = below.map(|r| (r.name.clone(), r.proof.grade().to_owned()));
    let required = format!("below `--require {}`", report.required.name());
    page.list(&required, Ink::Bad, &below.collect::<Items>());
}

/// Returns the resources with the depth of each, children below their parents.
pub(super) fn tree(resources: &[ResourceReport]) -> Vec<(&ResourceReport, usize)> {
    let has = |name: &str| resources.iter().any(|report| report.name == name);
    let parent = |report: &ResourceReport| {
        let parent = report.parent.clone();
        parent.filter(|parent| *parent != report.name && has(parent))
    };
    let mut below: HashMap<Option<String>, Vec<&ResourceReport>> = HashMap::new();
    for report in resources {
        below.entry(parent(report)).or_default().push(report);
    }
    let mut waiting: Vec<(&ResourceReport, usize)> = Vec::new();
    let mut shown = Vec::new();
    let roots = below.remove(&None).unwrap_or_default();
    waiting.extend(roots.into_iter().rev().map(|report| (report, 0)));
    while let Some((report, depth)) = waiting.pop() {
        shown.push((report, depth));
        let children = below.remove(&Some(report.name.clone())).unwrap_or_default();
        waiting.extend(children.into_iter().rev().map(|report| (report, depth + 1)));
    }
    shown
}

/// Returns the numbers of the resources; columns that tell nothing are left out.
fn numbers(resources: &[ResourceReport], limited: bool) -> Table {
    let retried = resources.iter().any(|report| report.retries > 0);
    let sliced = resources.iter().any(|report| report.slices > 1);
    let repeated = resources.iter().any(|report| report.unchanged > 0);
    let columns = [
        (("resource", 0), true),
        (("records", 0), true),
        (("unchanged", 1), repeated),
        (("pages", 4), true),
        (("requests", 3), true),
        (("retries", 2), retried),
        (("bytes", 5), true),
        (("slices", 6), sliced),
        (("end", 0), true),
    ];
    let shown = columns.iter().filter(|(_, shown)| *shown);
    let mut table = Table::new(&shown.map(|(column, _)| *column).collect::<Vec<_>>());
    for (report, depth) in tree(resources) {
        let (end, ink) = end(report, limited);
        let cells = [
            (format!("{}{}", "  ".repeat(depth), report.name), Ink::Plain),
            (grouped(report.records), Ink::Plain),
            (grouped(report.unchanged), Ink::Plain),
            (grouped(report.pages), Ink::Plain),
            (grouped(report.requests), Ink::Plain),
            (grouped(report.retries), Ink::Plain),
            (bytes(report.bytes), Ink::Plain),
            (grouped(report.slices), Ink::Plain),
            (end.to_owned(), ink),
        ];
        let cells = cells.into_iter().zip(columns);
        table.row(cells.filter_map(|(cell, (_, shown))| shown.then_some(cell)));
    }
    table
}

/// Returns how a resource ended, in a few words.
fn end(report: &ResourceReport, limited: bool) -> (&'static str, Ink) {
    match (&report.outcome, &report.proof) {
        (Outcome::Failed(..), _) => ("failed", Ink::Bad),
        (Outcome::Stopped, _) if report.requests == 0 => ("not read", Ink::Doubt),
        (Outcome::Stopped, _) if limited => ("at --limit", Ink::Plain),
        (Outcome::Stopped, _) => ("stopped", Ink::Doubt),
        (Outcome::Complete, Proof::Proved(_)) => ("proved", Ink::Good),
        (Outcome::Complete, Proof::Consistent(_)) => ("consistent", Ink::Good),
        (Outcome::Complete, Proof::Assumed(_)) => ("assumed", Ink::Plain),
        (Outcome::Complete, Proof::Unproved(_)) => ("not proved", Ink::Doubt),
        (Outcome::Complete, Proof::Open) => ("empty", Ink::Faint),
    }
}
