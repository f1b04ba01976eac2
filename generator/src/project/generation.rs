//! A crate in memory: its files, and the values they were generated from.

use std::path::{Path, PathBuf};

use super::format::format;
use super::lock::{Lock, spec_hash};
use crate::diagnostics::{Diagnostic, Kind};
use crate::draft::Draft;
use crate::emit::{Context, Files, files};
use crate::explain::explain;
use crate::inspect::{self, View};
use crate::plan::package::Package;

/// A crate in memory.
#[derive(Debug)]
pub struct Generation {
    /// The text of each file, by its path in the crate, with `/`.
    pub files: Files,
    /// Warnings and notes about the document and the overrides, the most severe first.
    pub notes: Vec<Diagnostic>,
    pub(crate) draft: Draft,
    pub(crate) lock: Lock,
    pub(crate) package: Package,
    pub(crate) folder: PathBuf,
}

/// The behaviour if rustfmt is not installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rustfmt {
    /// rustfmt is not run; the files stay as prettyplease prints them.
    Skipped,
    /// The files stay as prettyplease prints them, with a warning.
    Wanted,
    /// It is an error, because every file would differ from the last generation.
    Required,
}

impl Generation {
    /// Generates the files of a plan.
    pub(crate) fn new(
        mut draft: Draft,
        folder: &Path,
        context: &Context,
        rustfmt: Rustfmt,
    ) -> Result<Self, Diagnostic> {
        let mut files = files(&draft.plan, context)?;
        let mut notes = std::mem::take(&mut draft.notes);
        let missing = rustfmt != Rustfmt::Skipped && !format(&mut files)?;
        match rustfmt {
            Rustfmt::Required if missing => {
                let message = "rustfmt is not installed, and without it every file would differ";
                return Err(Diagnostic::error(Kind::Tool, message)
                    .with_hint("run `rustup component add rustfmt`"));
            }
            _ if missing => notes.push(
                Diagnostic::warning(Kind::Tool, "rustfmt is not installed")
                    .with_hint("run `cargo fmt` in the crate before you commit it"),
            ),
            _ => {}
        }
        let lock = Lock::new(&context.spec, spec_hash(&draft.input), &draft.plan, &files);
        Ok(Generation {
            files,
            notes,
            lock,
            package: context.package.clone(),
            folder: folder.to_owned(),
            draft,
        })
    }

    /// Returns the name of the crate, such as `shop-connector`.
    pub fn crate_name(&self) -> &str {
        &self.draft.plan.crate_name
    }

    /// Returns the names of its resources, in the order of the document.
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        let resources = self.draft.plan.resources.iter();
        resources.map(|resource| resource.name.as_str())
    }

    /// Returns the resources that runs leave out unless they are named, each with the reason.
    pub fn off(&self) -> impl Iterator<Item = (&str, &str)> {
        let resources = self.draft.plan.resources.iter();
        resources.filter_map(|resource| Some((resource.name.as_str(), resource.off.as_deref()?)))
    }

    /// Returns a table of the resources, with the open questions and the lines of `etlgen.toml`
    /// that settle them.
    pub fn table(&self, view: &View) -> String {
        inspect::table(&self.draft, view)
    }

    /// Returns each resource as JSON, with the evidence. The keys are stable.
    pub fn inspect(&self) -> serde_json::Value {
        inspect::json(&self.draft)
    }

    /// Returns the evidence for `RESOURCE`, `RESOURCE.FIELD` or `auth`, and the line of
    /// `etlgen.toml` that overrides it.
    pub fn explain(&self, what: &str) -> Result<String, Diagnostic> {
        explain(&self.draft, what)
    }

    /// Returns the folder that [`write`](Self::write) creates: the given folder, or one with the
    /// crate's name.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the crate into its folder, all of it or nothing. The folder must not exist, or must be empty.
    pub fn write(&self) -> Result<(), Diagnostic> {
        super::write_new(&self.folder, &self.files, &self.lock)
    }
}
