//! The values of [`update`](crate::update) and [`diff`](crate::diff), and the steps that need a crate on disk.

use std::path::Path;

use semver::Version;

use crate::diagnostics::{Diagnostic, Kind, printable, toml_string};
use crate::diff::{Diff, Surface, next};
use crate::draft::Draft;
use crate::options::{Options, Revision, UpdateOptions};
use crate::plan;
use crate::plan::package::Package;
use crate::project::{
    Accept, Announce, Changes, Conflict, Existing, Generation, Merge, Outcome, Planned, Release,
    Text, Tree, apply, is_pending, recover, unsettled, version,
};

/// A new generation merged into a crate, not yet written.
#[derive(Debug)]
pub struct Update {
    /// Warnings and notes: about the crate, the document and the overrides.
    pub notes: Vec<Diagnostic>,
    /// What happens to each file that changes or needs a message, by its path in the crate.
    pub outcomes: Vec<(String, Outcome)>,
    /// The places that the crate's owner must decide; the files hold both versions between markers.
    pub conflicts: Vec<Conflict>,
    /// The changes for the users of the crate, and its version.
    pub release: Release,
    tree: Tree,
    changes: Changes,
    all: Changes,
    package: Package,
    /// Whether it settles conflicts that an earlier update left open.
    settles: bool,
}

impl Update {
    pub(crate) fn new(
        existing: Existing,
        document: crate::project::Document,
        generation: Generation,
        merge: Merge,
        resumed: Option<Diagnostic>,
    ) -> Self {
        let mut notes: Vec<Diagnostic> = resumed.into_iter().collect();
        notes.extend(existing.tree.misfits.iter().map(|path| {
            let message = "it differs from the lock; it is taken as the last generated text";
            let file = format!(".etlgen/base/{path}.base");
            Diagnostic::warning(Kind::Crate, message).in_file(file)
        }));
        notes.extend(generation.notes);
        let named = existing.named();
        if document.name != named {
            let message = format!("etlgen.toml still names {named}, which the next update reads");
            let line = format!("spec = {}", toml_string(&document.name));
            let hint = format!("to keep the new document, write into etlgen.toml: {line}");
            notes.push(Diagnostic::note(Kind::Overrides, message).with_hint(hint));
        }
        let Merge {
            planned,
            records,
            release,
        } = merge;
        let mut all = planned.ended(&existing.tree);
        all.extend(records);
        let Planned {
            changes,
            outcomes,
            conflicts,
        } = planned;
        Update {
            notes,
            outcomes,
            conflicts,
            release,
            tree: existing.tree,
            changes,
            all,
            package: generation.package,
            settles: false,
        }
    }

    pub(crate) fn settling(self, settles: bool) -> Self {
        Update { settles, ..self }
    }

    /// Returns whether it settles conflicts that an earlier update left open.
    pub(crate) fn settles(&self) -> bool {
        self.settles
    }

    /// Returns whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Returns the files of the crate that change, with their new texts; `None`: the file is
    /// removed.
    pub fn changes(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let changes = self.changes.iter();
        changes.map(|(path, text)| (path.as_str(), text.as_deref()))
    }

    /// Returns the text of a file before the update; `None`: the file does not exist.
    pub fn before(&self, path: &str) -> Result<Option<String>, Diagnostic> {
        match self.tree.read(path)? {
            Text::Some(text) => Ok(Some(text)),
            _ => Ok(None),
        }
    }

    /// Writes all changes or none. If the process is killed, the next update finishes them.
    pub fn apply(&self) -> Result<(), Diagnostic> {
        apply(&self.tree.folder, &self.all)
    }

    pub(crate) fn package(&self) -> &Package {
        &self.package
    }
}

/// Finishes an interrupted update and returns a note about it.
pub(crate) fn resume(folder: &Path, dry_run: bool) -> Result<Option<Diagnostic>, Diagnostic> {
    if dry_run && is_pending(folder) {
        return Err(Diagnostic::error(Kind::Crate, "an update was interrupted")
            .with_hint("`etlgen update` without `--dry-run` finishes it first"));
    }
    let done = recover(folder)?;
    Ok(done.map(|done| Diagnostic::note(Kind::Crate, done)))
}

/// Fails while conflicts of an earlier update are open that `accept` does not settle. Returns whether it settles any.
pub(crate) fn refuse_open_conflicts(tree: &Tree, accept: &Accept) -> Result<bool, Diagnostic> {
    let mut open = unsettled(tree)?;
    let all = open.len();
    open.retain(|conflict| !accept.contains_key(&conflict.path));
    if open.is_empty() {
        return Ok(all > 0);
    }
    let places = open.iter().map(Conflict::diagnostic).collect();
    let message = "conflicts of an earlier update are open; nothing was written";
    Err(Diagnostic::error(Kind::Conflict, message)
        .with_hint("edit the places below, or pass `--accept mine|theirs FILE`")
        .with_related(places))
}

/// Returns whether changelog and version are written.
pub(crate) fn announce(existing: &Existing, options: &UpdateOptions) -> Announce {
    let wanted = existing.announce();
    Announce {
        changelog: wanted.changelog && !options.no_changelog,
        bump: wanted.bump && !options.no_bump,
    }
}

/// The changes from one document or crate to another.
#[derive(Debug)]
pub struct Comparison {
    /// The judged changes.
    pub changes: Diff,
    /// The version of the old crate and the next one; `None`: the old side is a document.
    pub versions: Option<(Version, Version)>,
    /// Warnings and notes about the documents.
    pub notes: Vec<Diagnostic>,
}

impl Comparison {
    pub(crate) fn new(changes: Diff, from: Option<Version>, notes: Vec<Diagnostic>) -> Self {
        let level = changes.level();
        let versions = from.map(|from| {
            let to = level.map_or(from.clone(), |level| next(&from, level));
            (from, to)
        });
        Comparison {
            changes,
            versions,
            notes,
        }
    }
}

/// The surface of a side, and the notes on its document.
type Offered = (Surface, Vec<Diagnostic>);

/// Returns the surfaces of both sides. The names in the new one follow those in the old one.
pub(crate) fn surfaces(
    old: Revision<'_>,
    new: Revision<'_>,
) -> Result<(Offered, Offered), Diagnostic> {
    let of_crate = |folder: &Path| -> Result<(Existing, Offered), Diagnostic> {
        let existing = Existing::open(folder)?;
        let surface = existing.surface()?;
        Ok((existing, (surface, Vec::new())))
    };
    let of_document = |existing: &Existing, input: &crate::spec::Input| {
        let draft = existing.draft(existing.with_overlays(input.clone())?)?;
        Ok::<_, Diagnostic>((Surface::from(&draft.plan), draft.notes))
    };
    match (old, new) {
        (Revision::Crate(old), Revision::Crate(new)) => Ok((of_crate(old)?.1, of_crate(new)?.1)),
        (Revision::Crate(old), Revision::Document(input, _)) => {
            let (existing, before) = of_crate(old)?;
            let after = of_document(&existing, input)?;
            Ok((before, after))
        }
        (Revision::Document(input, _), Revision::Crate(new)) => {
            let (existing, after) = of_crate(new)?;
            Ok((of_document(&existing, input)?, after))
        }
        (Revision::Document(old, config), Revision::Document(new, config_of_new)) => {
            let old = drafted(old, config, None)?;
            let new = drafted(new, config_of_new, Some(&old))?;
            let offered = |draft: Draft| (Surface::from(&draft.plan), draft.notes);
            Ok((offered(old), offered(new)))
        }
    }
}

/// Drafts a document with the names of an earlier one.
fn drafted(
    input: &crate::spec::Input,
    config: &crate::project::ConfigFile,
    before: Option<&Draft>,
) -> Result<Draft, Diagnostic> {
    let options = Options {
        config: config.clone(),
        ..Options::default()
    };
    let overrides = options.overrides()?;
    let options = plan::Options {
        name: before.map(|before| before.plan.source.clone()),
        ledger: before
            .map(|before| before.plan.ledger.clone())
            .unwrap_or_default(),
        ..options.plan(input)
    };
    Draft::new(input.clone(), &overrides, &options)
}

/// Returns the version of the crate on a side.
pub(crate) fn version_of(side: Revision<'_>) -> Option<Version> {
    match side {
        Revision::Crate(folder) => version(&Tree::open(folder).ok()?),
        Revision::Document(..) => None,
    }
}

impl Conflict {
    /// Returns the conflict as an error at its place.
    pub(crate) fn diagnostic(&self) -> Diagnostic {
        let place = crate::diagnostics::Position {
            line: self.line,
            column: 0,
        };
        Diagnostic::error(Kind::Conflict, printable(&self.why))
            .in_file(&self.path)
            .at(place)
    }
}
