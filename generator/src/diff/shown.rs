//! Writes changes as lines of text, which are the same in a terminal and in markdown. Adjacent new
//! fields share a line.

use super::{Change, Diff, Group, Kind, Level};
use crate::diagnostics::printable;

/// A line of a report, and the action that it requires.
pub struct Line {
    pub rust: Level,
    pub tables: Level,
    pub kind: Kind,
    /// The resource of the change, if neither the heading nor the name of a struct shows it.
    pub of: Option<String>,
    pub what: String,
    pub migration: Option<String>,
}

/// Lines under one heading.
pub struct Section {
    pub title: String,
    pub lines: Vec<Line>,
}

/// Returns the lines, grouped by what they belong to; added and removed resources have sections of
/// their own.
pub fn sections(diff: &Diff) -> Vec<Section> {
    let mut out: Vec<Section> = Vec::new();
    let mut changes = diff.changes.as_slice();
    while let Some((line, rest)) = line(changes) {
        let title = title(&changes[0]);
        match out.iter_mut().find(|section| section.title == title) {
            Some(section) => section.lines.push(line),
            None => out.push(Section {
                title,
                lines: vec![line],
            }),
        }
        changes = rest;
    }
    out
}

/// Returns all lines, the most severe first.
pub fn lines(diff: &Diff) -> Vec<Line> {
    let sections = sections(diff).into_iter();
    let mut lines: Vec<Line> = sections.flat_map(|section| section.lines).collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.rust.max(line.tables)));
    lines
}

/// Returns text as a piece of code, on one line.
pub fn code(text: &str) -> String {
    let text = printable(text).replace('\n', " ").replace('`', "'");
    format!("`{text}`")
}

fn title(change: &Change) -> String {
    match (change.kind, &change.group) {
        (Kind::ResourceRemoved, _) => "removed resources".to_owned(),
        (Kind::ResourceAdded, _) => "new resources".to_owned(),
        (_, Group::Source) => "the source".to_owned(),
        (_, Group::Resource(name)) => printable(name),
        (_, Group::Struct(name)) => {
            format!("{}, in {} resources", printable(name), change.elsewhere + 1)
        }
    }
}

/// Returns the next line, and the remaining changes.
fn line(changes: &[Change]) -> Option<(Line, &[Change])> {
    let first = changes.first()?;
    let record = |change: &Change| change.subject.split('.').next().map(str::to_owned);
    let together = changes.iter().take_while(|change| {
        let alike = change.kind == Kind::FieldAdded && first.kind == Kind::FieldAdded;
        let plain = change.migration.is_none() && first.migration.is_none();
        alike && plain && change.group == first.group && record(change) == record(first)
    });
    let count = together.count().max(1);
    let (these, rest) = changes.split_at(count);
    let line = Line {
        rust: first.rust,
        tables: first.tables,
        kind: first.kind,
        of: of(first),
        what: match these {
            [one] => what(one),
            several => {
                let fields = several.iter().map(|change| {
                    let field = change
                        .subject
                        .split_once('.')
                        .map_or("", |(_, field)| field);
                    code(&format!(
                        "{field}: {}",
                        change.after.as_deref().unwrap_or_default()
                    ))
                });
                let fields: Vec<String> = fields.collect();
                let record = record(first).unwrap_or_default();
                format!(
                    "{} has new fields: {}{}",
                    code(&record),
                    fields.join(", "),
                    elsewhere(first)
                )
            }
        },
        migration: first.migration.clone(),
    };
    Some((line, rest))
}

/// Returns the number of further resources, if the heading does not show it.
fn elsewhere(change: &Change) -> String {
    match (&change.group, change.elsewhere) {
        (Group::Struct(_), _) | (_, 0) => String::new(),
        (_, 1) => " (also in 1 more resource)".to_owned(),
        (_, count) => format!(" (also in {count} more resources)"),
    }
}

fn what(change: &Change) -> String {
    let subject = match change.subject.contains(['.', ':']) {
        true => code(&change.subject),
        false => change.subject.clone(),
    };
    let before = code(change.before.as_deref().unwrap_or_default());
    let after = code(change.after.as_deref().unwrap_or_default());
    let name = code(&change.subject);
    let elsewhere = elsewhere(change);
    let said = match change.kind {
        Kind::ResourceAdded | Kind::ResourceRemoved => {
            let endpoint = if change.kind == Kind::ResourceAdded {
                after
            } else {
                before
            };
            return format!("{name}, {endpoint}");
        }
        Kind::ResourceRenamed => format!("was called {before}"),
        Kind::FieldAdded => {
            let field = format!(
                "{}: {}",
                change.subject,
                change.after.as_deref().unwrap_or_default()
            );
            format!("{} is new", code(&field))
        }
        Kind::FieldRemoved => format!("{name} was removed, {before}"),
        Kind::FieldRenamed => format!("{name} was probably {before}"),
        Kind::SettingAdded => format!("setting {name} is new, {after}"),
        Kind::SettingRemoved => format!("setting {name} was removed"),
        Kind::FeatureAdded => format!("feature {name} is new"),
        Kind::FeatureRemoved => format!("feature {name} was removed"),
        Kind::FeatureChanged if change.group == Group::Source => {
            format!("feature {name} needed {before}, needs {after}")
        }
        Kind::ParameterAdded => format!("{} is sent, {after}", change.subject),
        Kind::ParameterRemoved => format!("{} is no longer sent, {before}", change.subject),
        _ => format!("{subject} was {before}, is {after}"),
    };
    format!("{}{elsewhere}", printable(&said))
}

fn of(change: &Change) -> Option<String> {
    match (change.kind, &change.group) {
        (Kind::ResourceAdded | Kind::ResourceRemoved, _) => Some("resource ".to_owned()),
        (kind, Group::Resource(name)) if kind < Kind::StructRenamed => {
            Some(format!("{}: ", code(name)))
        }
        _ => None,
    }
}
