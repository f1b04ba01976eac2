//! Merges one file that both its owner and etlgen changed.

use std::path::Path;

use super::manifest::manifest;
use super::merge::{Merged, Side, merge, whole};
use super::rust::{self, Definition};

/// A merged file and its conflicts: line from 1, and reason.
pub struct Combined {
    pub text: String,
    pub conflicts: Vec<(usize, String)>,
}

/// The formatting of a crate's Rust files.
pub struct Style<'a> {
    folder: &'a Path,
    /// Whether the owner has a rustfmt configuration.
    own: bool,
}

impl<'a> Style<'a> {
    pub fn of(folder: &'a Path) -> Self {
        let own = rust::config(folder).is_some();
        Style { folder, own }
    }

    /// Formats a Rust text with the owner's configuration, if there is one.
    pub fn apply(&self, path: &str, text: &str) -> String {
        let wanted = self.own && path.ends_with(".rs");
        let formatted = wanted.then(|| rust::formatted(text, Some(self.folder)));
        formatted.flatten().unwrap_or_else(|| text.to_owned())
    }

    /// Returns whether two texts differ only in formatting.
    pub fn same(&self, path: &str, a: &str, b: &str) -> bool {
        if a == b {
            return true;
        }
        if !path.ends_with(".rs") {
            return false;
        }
        let plain = |text: &str| rust::formatted(text, None);
        let same = |a: Option<String>, b: Option<String>| a.is_some() && a == b;
        // rustfmt leaves some constructs unchanged, so both forms are tried.
        same(plain(a), plain(b))
            || self.own && same(rust::formatted(b, Some(self.folder)), Some(a.to_owned()))
    }
}

/// Merges a file whose three texts all differ. Without a base, the owner has created the file.
pub fn combine(
    path: &str,
    base: Option<&str>,
    [mine, theirs]: [&str; 2],
    style: &Style,
    side: Option<Side>,
) -> Combined {
    let Some(base) = base else {
        let why = "you have created a file where one is generated now";
        return because(why, whole("", mine, theirs, side));
    };
    if path.ends_with(".rs") {
        return combine_rust(path, [base, mine, theirs], style, side);
    }
    let reads = |text: &str| match path.rsplit('.').next() {
        Some("json") => serde_json::from_str::<serde_json::Value>(text).is_ok(),
        Some("toml") => toml::from_str::<toml::Table>(text).is_ok(),
        _ => true,
    };
    if path == "Cargo.toml"
        && let Some(merged) = manifest(base, mine, theirs, side)
    {
        return told(merged);
    }
    let merged = merge(base, mine, theirs, side);
    if merged.conflicts.is_empty() && reads(mine) && !reads(&merged.text) {
        return told(whole(base, mine, theirs, side));
    }
    told(merged)
}

fn told(merged: Merged) -> Combined {
    because("you and etlgen changed the same lines", merged)
}

fn because(why: &str, merged: Merged) -> Combined {
    let conflicts = merged.conflicts.iter().map(|line| (*line, why.to_owned()));
    Combined {
        conflicts: conflicts.collect(),
        text: merged.text,
    }
}

fn combine_rust(
    path: &str,
    [base, mine, theirs]: [&str; 3],
    style: &Style,
    side: Option<Side>,
) -> Combined {
    // If the owner's file is formatted by the owner's rustfmt, the others are formatted the same way.
    let formed = style.own && style.apply(path, mine) == mine;
    let form = |text: &str| match formed {
        true => style.apply(path, text),
        false => text.to_owned(),
    };
    // A later rustfmt may format the same text differently.
    let base = form(&rust::formatted(base, None).unwrap_or_else(|| base.to_owned()));
    let theirs = form(theirs);
    let (base, theirs) = (base.as_str(), theirs.as_str());
    let own = match rust::parse(mine) {
        Ok(own) => own,
        Err((line, error)) => {
            let why = format!(
                "your file is not valid Rust at its line {line} ({error}): it is not merged"
            );
            return because(&why, whole(base, mine, theirs, side));
        }
    };
    let mut merged = merge(base, mine, theirs, side);
    let parts = match merged.conflicts.is_empty() {
        true => vec![merged.text.clone()],
        false => [Side::Mine, Side::Theirs]
            .map(|side| super::merge::settle(&merged.text, side))
            .to_vec(),
    };
    if parts.iter().any(|text| rust::parse(text).is_err()) {
        let why = "your changes and those of etlgen do not form valid Rust together";
        return because(why, whole(base, mine, theirs, side));
    }
    if merged.conflicts.is_empty() {
        let before = rust::doubled(&own).len();
        while let Some(parted) = part(&merged.text, mine, before, side) {
            let marked = !parted.conflicts.is_empty();
            merged = parted;
            if marked {
                break;
            }
        }
    }
    told(merged)
}

/// Separates an item that is defined twice after the merge, once by each side.
fn part(text: &str, mine: &str, known: usize, side: Option<Side>) -> Option<Merged> {
    let doubled = rust::doubled(&rust::parse(text).ok()?);
    if doubled.len() <= known {
        return None;
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let of = |it: &Definition| {
        lines
            .get(it.lines.0 - 1..it.lines.1)
            .map(|lines| lines.concat())
    };
    let (first, second) = doubled.into_iter().next_back()?;
    let (own, other) = match of(&first).is_some_and(|text| mine.contains(&text)) {
        true => (first, second),
        false => (second, first),
    };
    let (own_text, other_text) = (of(&own)?, of(&other)?);
    let same = own_text == other_text || own.kind == "field" && own.what == other.what;
    let side = if same { Some(Side::Mine) } else { side };
    let mut out = String::new();
    let mut conflicts = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let at = at + 1;
        if at == own.lines.0 {
            let merged = merge("", &own_text, &other_text, side);
            if !merged.conflicts.is_empty() {
                conflicts.push(out.matches('\n').count() + 1);
            }
            out.push_str(&merged.text);
        }
        let within = |it: &Definition| (it.lines.0..=it.lines.1).contains(&at);
        if !within(&own) && !within(&other) {
            out.push_str(line);
        }
    }
    Some(Merged {
        text: out,
        conflicts,
    })
}
