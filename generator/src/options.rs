//! Options of the three functions.

use std::path::{Path, PathBuf};

use crate::diagnostics::{Diagnostic, toml_string as quoted};
use crate::emit::{Context, EtlgenToml};
use crate::overrides::{self, At, Ci, Overrides};
use crate::plan::package::{Package, Wanted};
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
    /// The owner's overrides; the crate gets the file, with the keys that the options below set.
    pub config: ConfigFile,
    /// The source's name; by default it is derived from the document's title.
    pub name: Option<String>,
    /// Generates only these resources, and the parents that they need; empty: every list.
    pub include: Vec<String>,
    /// Leaves out the resources that match one of these patterns, in which `*` stands for any text.
    pub exclude: Vec<String>,
    /// Generates single objects, too.
    pub singles: bool,
    /// The destinations that the connector can load to; empty: those of the runtime's default features.
    pub destinations: Vec<String>,
    /// The ways in which the connector is run besides its command line: `singer`, `airbyte`.
    pub hosts: Vec<String>,
    /// Generates every resource, including single objects, even if there is none.
    pub everything: bool,
    /// The document's name in the crate; by default its path relative to the crate's folder.
    pub spec: Option<String>,
    /// Overlays that are added to those in `etlgen.toml`; paths are relative to the current folder.
    pub overlays: Vec<String>,
    /// The crate's folder; by default a folder with the crate's name in the current folder.
    pub out: Option<PathBuf>,
    /// The runtime that the crate links: a version requirement, or a folder, relative to the current one; by default the
    /// runtime of this etlgen.
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
    /// Adds a note if strict OpenAPI 3.0 readers refuse the document.
    pub strict: bool,
    /// Leaves the Rust files as prettyplease prints them, without running rustfmt.
    pub skip_rustfmt: bool,
}

impl Options {
    /// Returns the owner's overrides, with these options over them.
    pub(crate) fn overrides(&self) -> Result<Overrides, Diagnostic> {
        let own = self.config.overrides.clone();
        let mut lines = self.lines(Path::new(""));
        // Paths are relative to another folder here, and overlays are already part of the document.
        lines.retain(|(key, _)| *key != "overlay");
        own.with_options(&lines)
    }

    /// Returns the options of the plan.
    pub(crate) fn plan(&self, input: &Input) -> plan::Options {
        let stem = match input.name.as_str() {
            "<stdin>" => None,
            name => Path::new(name).file_stem(),
        };
        plan::Options {
            everything: self.everything,
            fallback_name: stem.unwrap_or_default().to_string_lossy().into_owned(),
            ..plan::Options::default()
        }
    }

    /// Returns the values that the files of a crate in a folder need besides the plan.
    pub(crate) fn context(
        &self,
        input: &Input,
        overrides: &Overrides,
        folder: &Path,
    ) -> Result<Context, Diagnostic> {
        let surroundings = Surroundings::of(folder);
        let place = match input.name.as_str() {
            "<stdin>" => "-",
            name => name,
        };
        let keys = &overrides.top;
        let runtime = match (&self.runtime, &keys.runtime) {
            (Some(place), _) => Some(Runtime::named(&runtime_from(folder, place))),
            (None, Some(place)) => Some(Runtime::named(&place.0)),
            (None, None) => None,
        };
        let stated = keys.workspace_member.as_deref().map(|member| member.0);
        let is_member = stated.unwrap_or(surroundings.is_member);
        let lines = self.lines(folder);
        Ok(Context {
            spec: self.spec.clone().unwrap_or_else(|| named(place, folder)),
            learned: self.config.learned.clone(),
            runtime: runtime.unwrap_or_else(|| built_with(folder)),
            destinations: overrides.destinations(),
            hosts: overrides.hosts(),
            package: Package::new(Wanted::of(overrides))?,
            own_workspace: surroundings.has_workspace && !is_member,
            etlgen_toml: match &self.config.text {
                Some(text) => EtlgenToml::Kept(overrides::set(text, &lines)),
                None => EtlgenToml::First(lines),
            },
        })
    }

    /// Returns the keys of `etlgen.toml` that these options set, with their values as TOML.
    /// Overlays and excluded resources are added to those in the file.
    fn lines(&self, folder: &Path) -> Vec<(&'static str, String)> {
        let own = &self.config.overrides.top;
        let overlays = self.overlays.iter().map(|overlay| named(overlay, folder));
        let overlays = besides(own.overlay.as_deref().map(|it| &it.0), overlays.collect());
        let exclude = besides(own.exclude.as_deref().map(|it| &it.0), self.exclude.clone());
        let list = |items: &[String]| {
            let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
            (!items.is_empty()).then(|| format!("[{}]", items.join(", ")))
        };
        let runtime = self.runtime.as_deref();
        let runtime = runtime.map(|place| runtime_from(folder, place));
        let text = |text: &Option<String>| text.as_deref().map(quoted);
        let flag = |on: bool| on.then(|| "true".to_owned());
        let all = [
            ("overlay", list(&overlays)),
            ("name", text(&self.name)),
            ("include", list(&self.include)),
            ("exclude", list(&exclude)),
            ("singles", flag(self.singles)),
            ("destinations", list(&self.destinations)),
            ("hosts", list(&self.hosts)),
            ("runtime", runtime.as_deref().map(quoted)),
            ("workspace_member", flag(self.workspace_member)),
            ("license", text(&self.license)),
            ("repository", text(&self.repository)),
            ("ci", self.ci.map(|Ci::Github| quoted("github"))),
            ("docker", flag(self.docker)),
        ];
        let set = all.into_iter();
        set.filter_map(|(key, value)| Some((key, value?))).collect()
    }

    pub(crate) fn rustfmt(&self) -> Rustfmt {
        match self.skip_rustfmt {
            true => Rustfmt::Skipped,
            false => Rustfmt::Wanted,
        }
    }
}

/// Returns the new items behind the existing ones, or none if there are no new ones.
fn besides(own: Option<&Vec<At<String>>>, new: Vec<String>) -> Vec<String> {
    match new.is_empty() {
        true => new,
        false => {
            let own = own.into_iter().flatten().map(|it| it.value.clone());
            own.chain(new).collect()
        }
    }
}

/// Returns a runtime of the command line as `etlgen.toml` names it: a folder that is relative to the
/// current one becomes relative to the crate.
fn runtime_from(folder: &Path, place: &str) -> String {
    match Runtime::named(place).path {
        Some(path) if Path::new(&path).is_relative() => relative(folder, Path::new(&path)),
        _ => place.to_owned(),
    }
}

/// Returns the runtime in the source tree that this program was built from, if the tree still
/// exists, or else its version.
fn built_with(folder: &Path) -> Runtime {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime");
    let is_there = built_from.join("Cargo.toml").exists();
    Runtime {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        path: is_there.then(|| relative(folder, &built_from)),
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
    /// Leaves `CHANGELOG.md` unchanged, even if `etlgen.toml` sets `changelog`.
    pub no_changelog: bool,
    /// Leaves the version in `Cargo.toml` unchanged, even if `etlgen.toml` sets `bump`.
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
