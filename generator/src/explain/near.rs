//! Errors about unknown names, with similar ones.

use crate::diagnostics::{Diagnostic, Kind};

/// An error that lists the most similar names.
pub(super) fn unknown<'a>(
    message: &str,
    wanted: &str,
    names: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let wanted = wanted.to_lowercase();
    let names: Vec<&str> = names.collect();
    let mut near: Vec<(usize, &str)> = names
        .iter()
        .map(|name| (distance(&wanted, &name.to_lowercase()), *name))
        .filter(|(distance, name)| {
            let close = *distance <= wanted.chars().count() / 3 + 1;
            let part = wanted.len() > 2
                && (name.to_lowercase().contains(&wanted)
                    || (name.len() > 2 && wanted.contains(name)));
            close || part
        })
        .collect();
    near.sort();
    near.dedup();
    near.truncate(6);
    let near: Vec<String> = near.iter().map(|(_, name)| format!("`{name}`")).collect();
    let hint = if !near.is_empty() {
        Some(format!("similar: {}", near.join(", ")))
    } else if names.is_empty() {
        None
    } else {
        let first: Vec<String> = names
            .iter()
            .take(8)
            .map(|name| format!("`{name}`"))
            .collect();
        let more = if names.len() > first.len() {
            ", …"
        } else {
            ""
        };
        Some(format!("known: {}{more}", first.join(", ")))
    };
    let error = Diagnostic::error(Kind::Usage, message);
    match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// The edit distance.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (at, wanted) in other.iter().enumerate() {
            let replaced = corner + usize::from(letter != *wanted);
            corner = row[at + 1];
            row[at + 1] = replaced.min(corner + 1).min(row[at] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
