//! Announces an update to the users of a crate: an entry in `CHANGELOG.md`, and the next version in `Cargo.toml`.

use semver::Version;
use toml_edit::DocumentMut;

use super::Lock;
use super::planned::{Outcome, Planned};
use super::tree::{Text, Tree};
use crate::diagnostics::Diagnostic;
use crate::diff::{Diff, Level, diff, markdown, next};
use crate::overrides::Overrides;

const CHANGELOG: &str = "CHANGELOG.md";
const MANIFEST: &str = "Cargo.toml";
const UNRELEASED: &str = "Unreleased";

const HEAD: &str = "\
# Changelog

This file lists the changes for users of this crate and of its tables. Records are read, not built: a new field is not a
breaking change.
";

/// The choice whether changelog and version are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announce {
    /// Whether `CHANGELOG.md` gets an entry.
    pub changelog: bool,
    /// Whether `Cargo.toml` gets the next version.
    pub bump: bool,
}

impl Announce {
    /// Reads the choice in `etlgen.toml`; both are written by default.
    pub fn of(overrides: &Overrides) -> Announce {
        Announce {
            changelog: overrides.top.changelog.as_ref().is_none_or(|key| key.0),
            bump: overrides.top.bump.as_ref().is_none_or(|key| key.0),
        }
    }
}

/// The changes since the last generation, and what happens to the version.
#[derive(Debug, Default)]
pub struct Release {
    /// The judged changes.
    pub diff: Diff,
    /// What happens to the version.
    pub version: Bump,
}

/// What happens to the version.
#[derive(Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Bump {
    /// Nothing changed, or the version is not to be written.
    #[default]
    None,
    /// It is raised from the first to the second.
    To(Version, Version),
    /// The owner has already raised it far enough.
    Own(Version),
    /// `Cargo.toml` does not hold it (the workspace does), or has an open conflict.
    Elsewhere(Level),
}

/// Returns the version of a crate on disk; `None`: its `Cargo.toml` has none, or cannot be read.
pub fn version(tree: &Tree) -> Option<Version> {
    match tree.read(MANIFEST) {
        Ok(Text::Some(text)) => version_of(&text),
        _ => None,
    }
}

fn version_of(manifest: &str) -> Option<Version> {
    let manifest: DocumentMut = manifest.parse().ok()?;
    let version = manifest.get("package")?.get("version")?.as_str()?;
    Version::parse(version).ok()
}

/// Adds the changelog and the next version to planned changes; `lock` is that of the new generation.
pub fn release(
    tree: &Tree,
    planned: &mut Planned,
    lock: &mut Lock,
    announce: Announce,
) -> Result<Release, Diagnostic> {
    lock.version.clone_from(&tree.lock.version);
    lock.unreleased = tree.lock.unreleased;
    let mut release = Release::default();
    let (Some(old), Some(new)) = (&tree.lock.surface, &lock.surface) else {
        return Ok(release);
    };
    release.diff = diff(old, new);
    let Some(level) = release.diff.level() else {
        return Ok(release);
    };
    let level = lock.unreleased.map_or(level, |before| level.max(before));
    lock.unreleased = Some(level);
    if announce.bump {
        release.version = bump(tree, planned, level)?;
        if let Bump::To(_, to) | Bump::Own(to) = &release.version {
            lock.version = Some(to.clone());
            lock.unreleased = None;
        }
    }
    if announce.changelog {
        let heading = match &release.version {
            Bump::To(_, to) | Bump::Own(to) => to.to_string(),
            Bump::None | Bump::Elsewhere(_) => UNRELEASED.to_owned(),
        };
        let text = match current(tree, planned, CHANGELOG)? {
            Text::Some(text) => text,
            Text::None => HEAD.to_owned(),
            Text::Other => return Ok(release),
        };
        let there = text != HEAD;
        let text = with_entry(&text, &heading, &markdown(&release.diff));
        let outcome = if there {
            Outcome::Announced
        } else {
            Outcome::New
        };
        planned.write(CHANGELOG, text, outcome);
    }
    Ok(release)
}

/// Returns the current text of a file, with the changes planned so far.
fn current(tree: &Tree, planned: &Planned, path: &str) -> Result<Text, Diagnostic> {
    match planned.changes.get(path) {
        Some(text) => Ok(text.clone().map_or(Text::None, Text::Some)),
        None => tree.read(path),
    }
}

/// Returns whether a file is a `Cargo.toml` that differs from its base only in the version that etlgen wrote.
pub fn is_bumped(tree: &Tree, path: &str, base: &str, mine: &str) -> bool {
    let written = tree.lock.version.as_ref().filter(|_| path == MANIFEST);
    written.is_some_and(|version| with_version(base, version).as_deref() == Some(mine))
}

/// Returns a `Cargo.toml` with another version.
fn with_version(text: &str, version: &Version) -> Option<String> {
    let mut manifest = text.parse::<DocumentMut>().ok()?;
    let value = manifest.get_mut("package")?.get_mut("version")?;
    let value = value.as_value_mut()?;
    let decor = value.decor().clone();
    *value = version.to_string().into();
    *value.decor_mut() = decor;
    Some(manifest.to_string())
}

fn bump(tree: &Tree, planned: &mut Planned, level: Level) -> Result<Bump, Diagnostic> {
    let Text::Some(text) = current(tree, planned, MANIFEST)? else {
        return Ok(Bump::Elsewhere(level));
    };
    let Some(own) = version_of(&text) else {
        return Ok(Bump::Elsewhere(level));
    };
    // The last version is the one that etlgen wrote, or that of the base.
    let base = tree.base.get(MANIFEST).and_then(|base| version_of(base));
    let before = tree.lock.version.clone().or(base);
    let before = before
        .filter(|before| *before <= own)
        .unwrap_or_else(|| own.clone());
    let to = next(&before, level);
    if own >= to {
        return Ok(Bump::Own(own));
    }
    let Some(text) = with_version(&text, &to) else {
        return Ok(Bump::Elsewhere(level));
    };
    planned.changes.insert(MANIFEST.to_owned(), Some(text));
    if !planned.outcomes.iter().any(|(path, _)| path == MANIFEST) {
        planned.note(MANIFEST, Outcome::Announced);
    }
    Ok(Bump::To(own, to))
}

/// Adds an entry to a changelog. If the heading exists, the entry goes to the end of that section; otherwise it becomes
/// the first section after the unreleased one. Existing text does not change.
fn with_entry(text: &str, heading: &str, body: &str) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut fenced = false;
    let mut headings = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        fenced ^= line.starts_with("```");
        if !fenced && let Some(name) = line.strip_prefix("## ") {
            // The heading may be `## [0.2.0] - 2026-01-31` or `## 0.2.0`.
            let name = name.split_whitespace().next().unwrap_or_default();
            headings.push((at, name.trim_matches(['[', ']']).to_owned()));
        }
    }
    let end_of = |index: usize| {
        let next: Option<&(usize, String)> = headings.get(index + 1);
        // Link definitions at the end belong to no entry.
        let links = lines.iter().rev().take_while(|line| {
            let line = line.trim();
            line.is_empty() || line.starts_with('[') && line.contains("]: ")
        });
        next.map_or(lines.len() - links.count(), |(at, _)| *at)
    };
    let is = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
    let same = headings.iter().position(|(_, name)| is(name, heading));
    let (at, entry) = match same {
        Some(index) => (end_of(index), body.to_owned()),
        None => {
            let first = headings.first();
            let at = match first {
                Some((_, name)) if is(name, UNRELEASED) => end_of(0),
                Some((at, _)) => *at,
                None => lines.len(),
            };
            (at, format!("## [{heading}]\n\n{body}"))
        }
    };
    let (before, after) = (lines[..at].concat(), lines[at..].concat());
    let before = before.trim_end_matches('\n');
    let gap = if before.is_empty() { "" } else { "\n\n" };
    let after = after.trim_start_matches('\n');
    let rest = if after.is_empty() { "" } else { "\n" };
    format!("{before}{gap}{entry}{rest}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "### Added\n\n- a\n";

    #[test]
    fn the_first_entry_stands_below_the_head() {
        let text = with_entry(HEAD, "0.2.0", BODY);
        assert_eq!(text, format!("{HEAD}\n## [0.2.0]\n\n{BODY}"));
    }

    #[test]
    fn the_newest_stands_on_top_and_nothing_else_changes() {
        let mine = "# Mine\n\nSee.\n\n```\n## no heading\n```\n\n## [0.1.0] - 2026-01-31\n\n- Mine.\n\n[0.1.0]: https://x.test\n";
        let text = with_entry(mine, "0.2.0", BODY);
        let at = mine.find("## [0.1.0]").unwrap();
        let (head, tail) = mine.split_at(at);
        assert_eq!(text, format!("{head}## [0.2.0]\n\n{BODY}\n{tail}"));
    }

    #[test]
    fn what_is_not_released_stays_on_top() {
        let mine = "# Mine\n\n## [Unreleased]\n\n- Mine.\n\n## 0.1.0\n\n- Old.\n";
        let text = with_entry(mine, "0.2.0", BODY);
        let wanted = format!(
            "# Mine\n\n## [Unreleased]\n\n- Mine.\n\n## [0.2.0]\n\n{BODY}\n## 0.1.0\n\n- Old.\n"
        );
        assert_eq!(text, wanted);
        let text = with_entry(mine, "Unreleased", BODY);
        let wanted =
            format!("# Mine\n\n## [Unreleased]\n\n- Mine.\n\n{BODY}\n## 0.1.0\n\n- Old.\n");
        assert_eq!(text, wanted);
    }

    #[test]
    fn an_entry_that_is_there_gets_more() {
        let mine = "# Mine\n\n## [0.2.0]\n\n- Mine.\n\n[0.2.0]: https://x.test\n";
        let text = with_entry(mine, "0.2.0", BODY);
        let wanted =
            format!("# Mine\n\n## [0.2.0]\n\n- Mine.\n\n{BODY}\n[0.2.0]: https://x.test\n");
        assert_eq!(text, wanted);
    }
}
