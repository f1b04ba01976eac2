//! The form of a report for a terminal.

use std::fmt::Write as _;

use super::shown::sections;
use super::{Diff, Level};
use crate::diagnostics::printable;

/// Returns a summary, such as `3 changes: 1 breaking, 2 minor`.
pub fn summary(diff: &Diff) -> String {
    let count = diff.changes.len();
    let levels = [Level::Breaking, Level::Minor, Level::Patch];
    let counts = levels.map(|level| (diff.count(level), level.word()));
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    match count {
        0 => "nothing has changed".to_owned(),
        1 => format!("1 change, {}", counts.join("").replace("1 ", "")),
        count => format!("{count} changes: {}", counts.join(", ")),
    }
}

/// Returns one line per change, grouped: its levels for the Rust API and for the tables, what
/// changed, and what to do.
pub fn text(diff: &Diff) -> String {
    let mut out = format!("{}\n", summary(diff));
    let sections = sections(diff);
    if !sections.is_empty() {
        out.push_str("\nRust      tables\n");
    }
    for section in sections {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "\n{}", section.title);
        for line in section.lines {
            let (rust, tables) = (line.rust.word(), line.tables.word());
            let what = line.what.replace('`', "");
            let _ = writeln!(out, "{rust:<10}{tables:<10}{what}");
            if let Some(migration) = line.migration {
                let _ = writeln!(out, "{:<20}  {}", "", printable(&migration));
            }
        }
    }
    out
}
