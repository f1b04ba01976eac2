//! Options of the three functions.

use std::path::{Path, PathBuf};

use crate::diagnostics::Diagnostic;
use crate::emit::{Asked, Context, EtlgenToml};
use crate::plan::package::{Ci, Package, Wanted};
use crate::plan::{self, Runtime};
use crate::project::{ConfigFile, Rustfmt, Side, Surroundings, named, relative};
use crate::spec::Input;

/// Options of [`generate`](crate::generate). The defaults generate every list of the document.
///
/// ```
/// let mut options = etlgen::Options::default();
/// options.include = vec!["invoices".to_owned()];
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The owner's overrides; the crate gets the file unchanged.
    pub config: ConfigFile,
    /// The source's name; by default it is derived from the document's title.
    pub name: Option<String>,
    /// Generates only these resources, and the parents that they need; empty: every list.
    pub include: Vec<String>,
    /// Leaves out the resources that match one of these patterns, in which `*` stands for any text.
    pub exclude: Vec<String>,
    /// Generates every resource, including single objects, even if there is none.
    pub everything: bool,
    /// The document's name in the crate; by default its path from the crate's folder.
    pub spec: Option<String>,
    /// The overlays that the first `etlgen.toml` names; paths are relative to the current folder.
    pub overlays: Vec<String>,
    /// The crate's folder; by default a folder with the crate's name in the current folder.
    pub out: Option<PathBuf>,
    /// The runtime that the crate links: a folder, or a version requirement; by default the runtime of this etlgen.
    pub runtime: Option<String>,
    /// Makes the crate a member of the workspace around it; by default it is one if that workspace lists it.
    pub workspace_member: bool,
    /// The crate's licence, an SPDX expression; `MIT OR Apache-2.0` by default.
    pub license: Option<String>,
    /// The URL of the page where the crate is developed.
    pub repository: Option<String>,
    /// Writes this workflow into the crate.
    pub ci: Option<Ci>,
    /// Writes a `Dockerfile` into the crate.
    pub docker: bool,
    /// Adds a note if readers that accept only strict OpenAPI 3.0 refuse the document.
    pub strict: bool,
    /// Leaves the Rust files as prettyplease prints them, without running rustfmt.
    pub skip_rustfmt: bool,
}

impl Options {
    /// The options of the plan.
    pub(crate) fn plan(&self, input: &Input) -> plan::Options {
        let stem = match input.name.as_str() {
            "<stdin>" => None,
            name => Path::new(name).file_stem(),
        };
        plan::Options {
            name: self.name.clone(),
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            everything: self.everything,
            overrides: self.config.overrides.clone(),
            fallback_name: stem.unwrap_or_default().to_string_lossy().into_owned(),
            ..plan::Options::default()
        }
    }

    /// What the files need besides the plan, for a crate in this folder.
    pub(crate) fn context(&self, input: &Input, folder: &Path) -> Result<Context, Diagnostic> {
        let surroundings = Surroundings::of(folder);
        let asked = self.asked(folder);
        let wanted = asked.package.clone();
        let package = Package::new(wanted.or(Wanted::of(&self.config.overrides)))?;
        let place = match input.name.as_str() {
            "<stdin>" => "-",
            name => name,
        };
        Ok(Context {
            spec: self.spec.clone().unwrap_or_else(|| named(place, folder)),
            learned: self.config.learned.clone(),
            runtime: runtime(self.runtime.as_deref(), folder),
            package,
            own_workspace: surroundings.has_workspace
                && !surroundings.is_member
                && !self.workspace_member,
            etlgen_toml: match &self.config.text {
                Some(text) => EtlgenToml::Kept(text.clone()),
                None => EtlgenToml::First(asked),
            },
        })
    }

    /// The options that the first `etlgen.toml`, or the lock, keeps.
    pub(crate) fn asked(&self, folder: &Path) -> Asked {
        Asked {
            overlays: self
                .overlays
                .iter()
                .map(|overlay| named(overlay, folder))
                .collect(),
            name: self.name.clone(),
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            package: Wanted {
                license: self.license.clone(),
                repository: self.repository.clone(),
                ci: self.ci,
                docker: self.docker,
            },
        }
    }

    pub(crate) fn rustfmt(&self) -> Rustfmt {
        match self.skip_rustfmt {
            true => Rustfmt::Skipped,
            false => Rustfmt::Wanted,
        }
    }
}

/// The runtime of that path or version; otherwise the one in the source tree that this program was built from, if it
/// still exists; otherwise its version.
fn runtime(wanted: Option<&str>, folder: &Path) -> Runtime {
    let is_version =
        |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '=' | '^' | '~'));
    let own = env!("CARGO_PKG_VERSION");
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime");
    let (version, path) = match wanted {
        Some(version) if is_version(version) => (version, None),
        Some(path) => (own, Some(path.to_owned())),
        None if built_from.join("Cargo.toml").exists() => {
            (own, Some(relative(folder, &built_from)))
        }
        None => (own, None),
    };
    Runtime {
        version: version.to_owned(),
        path,
    }
}

/// Options of [`update`](crate::update).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct UpdateOptions {
    /// Another document, for this update only: a file, a URL, or `-`; by default the `spec` of `etlgen.toml`.
    pub spec: Option<String>,
    /// The side that settles the conflicts of a file, by its path in the crate.
    pub accept: std::collections::BTreeMap<String, Side>,
    /// Leaves `CHANGELOG.md` unchanged, whatever `etlgen.toml` says.
    pub no_changelog: bool,
    /// Leaves the version in `Cargo.toml` unchanged, whatever `etlgen.toml` says.
    pub no_bump: bool,
    /// Refuses a crate whose last update was interrupted, instead of finishing that update first.
    pub dry_run: bool,
}

/// One side of a comparison.
#[derive(Clone, Copy, Debug)]
pub enum Revision<'a> {
    /// The crate that a document would generate, with its owner's overrides.
    Document(&'a Input, &'a ConfigFile),
    /// The crate in a folder. A document on the other side is read with the overrides of that crate.
    Crate(&'a Path),
}
