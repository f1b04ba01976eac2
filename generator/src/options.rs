//! What a caller of the three functions may choose.

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
    /// The owner's overrides; the crate gets the file to the letter.
    pub config: ConfigFile,
    /// The source's name; by default it is made from the document's title.
    pub name: Option<String>,
    /// Only these resources, and the parents that they need; empty: every list.
    pub include: Vec<String>,
    /// Not the resources that fit one of these patterns, in which `*` stands for any text.
    pub exclude: Vec<String>,
    /// Every resource, single objects too, also where there is none.
    pub everything: bool,
    /// The document's name in the crate; by default its path from the crate's folder.
    pub spec: Option<String>,
    /// The overlays that the first `etlgen.toml` names; paths are seen from the current folder.
    pub overlays: Vec<String>,
    /// The crate's folder; by default one of the crate's name in the current folder.
    pub out: Option<PathBuf>,
    /// The runtime that the crate links: a folder, or a version requirement; by default the one of this etlgen.
    pub runtime: Option<String>,
    /// The crate is a member of the workspace around it; by default it is one if that workspace lists it.
    pub workspace_member: bool,
    /// The crate's licence, an SPDX expression; `MIT OR Apache-2.0` by default.
    pub license: Option<String>,
    /// The URL of the page where the crate is developed.
    pub repository: Option<String>,
    /// The workflow that the crate gets.
    pub ci: Option<Ci>,
    /// The crate gets a `Dockerfile`.
    pub docker: bool,
    /// Adds a note where readers that keep to OpenAPI 3.0 to the letter refuse the document.
    pub strict: bool,
    /// Leaves the Rust files as they are printed, without running rustfmt.
    pub skip_rustfmt: bool,
}

impl Options {
    /// What the plan needs of them.
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

    /// What the files say besides the plan, in a crate that will stand in a folder.
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

    /// What a first `etlgen.toml`, or the lock, keeps of them.
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

/// The runtime of that path or version; else the one in the source tree that this program was built from, if it is
/// still there; else its version.
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
    /// Refuses a crate whose last update was cut short, instead of finishing that update first.
    pub dry_run: bool,
}

/// One side of a comparison.
#[derive(Clone, Copy, Debug)]
pub enum Revision<'a> {
    /// What a document would be generated into, with its owner's overrides.
    Document(&'a Input, &'a ConfigFile),
    /// What the crate in a folder offers. A document on the other side is read with the overrides of that crate.
    Crate(&'a Path),
}
