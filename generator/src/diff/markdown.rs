//! The form of a report for a changelog, with the headings of Keep a Changelog.

use std::fmt::Write as _;

use super::shown::{Line, lines};
use super::{Diff, Kind, Level};
use crate::diagnostics::printable;

const HEADINGS: [&str; 3] = ["Removed", "Changed", "Added"];

/// Returns the changes under `### Removed`, `### Changed`, `### Added`; empty if there are none.
pub fn markdown(diff: &Diff) -> String {
    let lines = lines(diff);
    let mut out = String::new();
    for heading in HEADINGS {
        let mut here = lines
            .iter()
            .filter(|line| self::heading(line.kind) == heading)
            .peekable();
        if here.peek().is_none() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        // Writing to a string cannot fail.
        let _ = writeln!(out, "### {heading}\n");
        for line in here {
            let _ = writeln!(
                out,
                "- {}{}{}{}",
                mark(line),
                line.of.as_deref().unwrap_or_default(),
                said(&line.what),
                migration(line)
            );
        }
    }
    out
}

fn heading(kind: Kind) -> &'static str {
    match kind {
        Kind::ResourceAdded | Kind::FieldAdded | Kind::SettingAdded | Kind::FeatureAdded => "Added",
        Kind::ResourceRemoved
        | Kind::FieldRemoved
        | Kind::SettingRemoved
        | Kind::FeatureRemoved => "Removed",
        _ => "Changed",
    }
}

fn mark(line: &Line) -> &'static str {
    match (line.rust, line.tables) {
        (Level::Breaking, Level::Breaking) => "**Breaking:** ",
        (Level::Breaking, _) => "**Breaking for code:** ",
        (_, Level::Breaking) => "**Breaking for tables:** ",
        _ => "",
    }
}

fn migration(line: &Line) -> String {
    match &line.migration {
        Some(migration) => format!(". {}", capital(&said(migration))),
        None => String::new(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    // The name of a table keeps its case.
    match text.split(' ').next() {
        Some(word) if word.contains(['.', '_', '`']) => text.to_owned(),
        _ => first.into_iter().chain(letters).collect(),
    }
}

/// Escapes the text of a line.
fn said(text: &str) -> String {
    printable(text).replace('\n', " ").replace('<', "&lt;")
}
