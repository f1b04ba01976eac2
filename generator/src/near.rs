//! Errors about unknown names, with similar ones.

use etlgen_model::distance;

use crate::diagnostics::{Diagnostic, Kind};

/// The most names in a hint.
const SHOWN: usize = 8;

/// Returns an error with the nearest names as a hint.
pub fn unknown<'a>(
    message: &str,
    wanted: &str,
    names: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let names: Vec<&str> = names.collect();
    let error = Diagnostic::error(Kind::Usage, message);
    match hint(wanted, &names) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Returns a hint with the near names, or else with the first ones; `None`: there are no names.
pub fn hint(wanted: &str, names: &[&str]) -> Option<String> {
    match near(wanted, names).as_slice() {
        [] if names.is_empty() => None,
        [] => Some(format!("there are {}", listed(names, SHOWN))),
        [near] => Some(format!("a similar name: `{near}`")),
        near => Some(format!("similar names: {}", listed(near, SHOWN))),
    }
}

/// Returns the nearest name, if one is near.
pub fn nearest<'a>(wanted: &str, names: &[&'a str]) -> Option<&'a str> {
    near(wanted, names).first().copied()
}

/// Lists names in backticks, at most `most` of them.
pub fn listed(names: &[&str], most: usize) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(most)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = if names.len() > most { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Returns the near names, the nearest first.
fn near<'a>(wanted: &str, names: &[&'a str]) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
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
    near.into_iter().map(|(_, name)| name).collect()
}
