//! Learns schemas that the document lacks from samples of responses, and writes them into an
//! overlay that each later generation applies.

mod overlay;

use std::path::Path;

pub use overlay::samples;
use overlay::{bodies, overlay};
use serde_json::Value;

use crate::diagnostics::{Diagnostic, Kind};
use crate::diff::Surface;
use crate::draft::Draft;
use crate::emit::Files;
use crate::infer::facts::{ResourceFacts, ResourceKind};
use crate::overrides::near;
use crate::plan::resource_key;
use crate::project::{
    Changes, Existing, Generation, Planned, change, is_pending, learned_path, release, spec_hash,
};
use crate::spec::{Input, overlaid};

/// The changes that samples of a resource lead to, before they are written.
pub struct Learned {
    /// Warnings and notes.
    pub notes: Vec<Diagnostic>,
    /// The file of the resource, by its path in the crate.
    pub file: String,
    /// The text of that file.
    pub text: String,
    /// The overlay, by its path in the crate.
    pub overlay: String,
    existing: Existing,
    generation: Generation,
    changes: Changes,
}

/// Learns the records of a crate's resource from samples. `samples` is called only if the resource
/// lacks a schema.
pub fn learn(
    folder: &Path,
    name: &str,
    samples: impl FnOnce() -> Result<Vec<Value>, Diagnostic>,
) -> Result<Learned, Diagnostic> {
    let existing = open(folder)?;
    let input = existing.overlaid(existing.load(&existing.document(None))?)?;
    let learner = Learner {
        existing: &existing,
        input: &input,
        name,
    };
    let overlay = learned_path(name);
    let mut others = existing.config.learned.clone();
    others.remove(&overlay);
    let known = learner.draft(&others)?;
    let Some(resource) = learner.find(&known) else {
        let message = format!("the document has no resource `{name}`");
        let error = Diagnostic::error(Kind::Usage, message);
        return Err(match near(&known.facts, name) {
            Some(near) => error.with_hint(near),
            None => error,
        });
    };
    if resource.record.is_some() {
        let message = format!("the document has a schema for `{name}`");
        return Err(Diagnostic::error(Kind::Document, message)
            .with_hint("an overlay corrects a wrong document: see `--overlay`"));
    }
    let samples = samples()?;
    let before = learner.draft(&existing.config.learned)?;
    let old = existing.generate_learned(before, &existing.config.learned)?;
    let (after, learned) = learner.learn(&known, resource, &samples, others)?;
    let new = existing.generate_learned(after, &learned)?;

    let pointer = &known.api.operations[resource.operation].pointer;
    let given = new.lock.names.get(&resource_key(pointer));
    let mut made = new.draft.plan.resources.iter();
    let Some(made) = made.find(|made| given == Some(&made.name)) else {
        let message = format!("`{name}` is not a resource of the crate");
        return Err(Diagnostic::error(Kind::Crate, message)
            .with_hint("`include` in etlgen.toml selects the resources"));
    };
    if made.record.is_none() {
        let message = format!("the samples do not describe the records of `{name}`");
        return Err(Diagnostic::error(Kind::Samples, message).with_hint(
            "records are objects with fields; `records = \"PATH\"` in etlgen.toml names their place",
        ));
    }
    let file = format!("src/resources/{}.rs", made.ident);
    Ok(Learned {
        notes: new.notes.clone(),
        text: new.files.get(&file).cloned().unwrap_or_default(),
        file,
        overlay,
        changes: changes(&old.files, &new.files),
        existing,
        generation: new,
    })
}

/// Opens a crate that etlgen wrote.
fn open(folder: &Path) -> Result<Existing, Diagnostic> {
    if is_pending(folder) {
        return Err(Diagnostic::error(Kind::Crate, "an update was interrupted")
            .with_hint("`etlgen update` finishes it"));
    }
    let hint = "`--out` names the folder of a crate that `etlgen new` wrote";
    Existing::open(folder).map_err(|error| match error.kind() {
        Kind::Io => error.with_hint(hint),
        _ => error,
    })
}

/// Returns the files that differ between two generations.
fn changes(old: &Files, new: &Files) -> Changes {
    let paths = old.keys().chain(new.keys());
    let differ = paths.filter(|path| old.get(*path) != new.get(*path));
    differ
        .map(|path| (path.clone(), new.get(path).cloned()))
        .collect()
}

impl Learned {
    /// Writes the changes into the crate: all files, or none if the owner has edited a file that
    /// changes.
    pub fn apply(self) -> Result<(), Diagnostic> {
        let tree = &self.existing.tree;
        let new = self.generation;
        let mut lock = tree.lock.clone();
        lock.spec_hash = spec_hash(&new.draft.input);
        lock.surface = Some(Surface::from(&new.draft.plan));
        lock.names = new.lock.names;
        let mut planned = Planned::default();
        release(tree, &mut planned, &mut lock, self.existing.announce())?;
        change(&tree.folder, &self.changes, &planned.ended(tree), &mut lock)
    }
}

/// A resource of a crate, and the document that the crate is generated from.
struct Learner<'a> {
    existing: &'a Existing,
    /// The document with its overlays, without learned ones.
    input: &'a Input,
    name: &'a str,
}

impl Learner<'_> {
    /// Plans the crate with these learned overlays.
    fn draft(&self, learned: &Files) -> Result<Draft, Diagnostic> {
        let config = &self.existing.config;
        let input = config.with_learned(self.input.clone(), learned);
        self.existing.draft(input)
    }

    /// Returns the resource, by its name in the crate or in the document.
    fn find<'a>(&self, draft: &'a Draft) -> Option<&'a ResourceFacts> {
        let resources = &draft.facts.resources;
        let names = &self.existing.tree.lock.names;
        let given = |resource: &&ResourceFacts| {
            let operation = &draft.api.operations[resource.operation];
            let given = names.get(&resource_key(&operation.pointer));
            given.is_some_and(|given| given == self.name)
        };
        let named = |resource: &&ResourceFacts| resource.name == self.name;
        let mut all = resources.iter();
        all.find(given).or_else(|| resources.iter().find(named))
    }

    /// Returns the plan of the crate with what the samples show of the resource, and all learned
    /// overlays.
    fn learn(
        &self,
        known: &Draft,
        resource: &ResourceFacts,
        samples: &[Value],
        others: Files,
    ) -> Result<(Draft, Files), Diagnostic> {
        let overrides = &self.existing.config.overrides.resources;
        let own = overrides.get(&resource.name);
        let stated = own.and_then(|own| own.records.as_ref());
        let records = stated.map(|_| resource.records_path.value.as_slice());
        let single = resource.kind == ResourceKind::Single;
        let unreadable = || Diagnostic::error(Kind::Document, "the document cannot be read again");
        let document = overlaid(&known.input).ok_or_else(unreadable)?;
        let operation = &known.api.operations[resource.operation];
        let mut bodies = bodies(samples, single, records)?.into_iter().peekable();
        while let Some(body) = bodies.next() {
            let mut all = others.clone();
            let text = overlay(&document, operation, self.name, &body)?;
            all.insert(learned_path(self.name), text);
            let draft = self.draft(&all)?;
            // An object is the body if it contains a list; otherwise it is a record.
            let is_list = |found: &ResourceFacts| {
                found.kind == ResourceKind::List && !found.records_path.value.is_empty()
            };
            if bodies.peek().is_none() || self.find(&draft).is_some_and(is_list) {
                return Ok((draft, all));
            }
        }
        Err(Diagnostic::error(Kind::Samples, "the input has no sample").with_hint(overlay::SAMPLES))
    }
}
