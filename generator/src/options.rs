//! What a caller of the three functions may choose.

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
    /// The source's name; by default it is made from the document's title.
    pub name: Option<String>,
    /// Only these resources, and the parents that they need; empty: every list.
    pub include: Vec<String>,
    /// Not the resources that fit one of these patterns, in which `*` stands for any text.
    pub exclude: Vec<String>,
    /// Single objects, too.
    pub singles: bool,
    /// Where the connector can load to; empty: everywhere.
    pub destinations: Vec<String>,
    /// Every resource, single objects too, also where there is none.
    pub everything: bool,
    /// The document's name in the crate; by default its path from the crate's folder.
    pub spec: Option<String>,
    /// The overlays that `etlgen.toml` names besides; paths are seen from the current folder.
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
    /// The owner's overrides, with what these options say over them.
    pub(crate) fn overrides(&self) -> Result<Overrides, Diagnostic> {
        let own = self.config.overrides.clone();
        let mut lines = self.lines(Path::new(""));
        // Paths are seen from another folder here, and overlays are part of the document already.
        lines.retain(|(key, _)| *key != "overlay");
        own.with_options(&lines)
    }

    /// What the plan needs of them.
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

    /// What the files say besides the plan, in a crate that will stand in a folder.
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
        let runtime = keys.runtime.as_ref().map(|place| Runtime::named(&place.0));
        let stated = keys.workspace_member.as_deref().map(|member| member.0);
        let is_member = stated.unwrap_or(surroundings.is_member);
        let lines = self.lines(folder);
        Ok(Context {
            spec: self.spec.clone().unwrap_or_else(|| named(place, folder)),
            learned: self.config.learned.clone(),
            runtime: runtime.unwrap_or_else(|| built_with(folder)),
            destinations: overrides.destinations(),
            package: Package::new(Wanted::of(overrides))?,
            own_workspace: surroundings.has_workspace && !is_member,
            etlgen_toml: match &self.config.text {
                Some(text) => EtlgenToml::Kept(overrides::set(text, &lines)),
                None => EtlgenToml::First(lines),
            },
        })
    }

    /// The keys of `etlgen.toml` that these options set, with their values as TOML. Overlays, and resources to leave out, go
    /// besides those that are there.
    fn lines(&self, folder: &Path) -> Vec<(&'static str, String)> {
        let own = &self.config.overrides.top;
        let overlays = self.overlays.iter().map(|overlay| named(overlay, folder));
        let overlays = besides(own.overlay.as_deref().map(|it| &it.0), overlays.collect());
        let exclude = besides(own.exclude.as_deref().map(|it| &it.0), self.exclude.clone());
        let list = |items: &[String]| {
            let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
            (!items.is_empty()).then(|| format!("[{}]", items.join(", ")))
        };
        let text = |text: &Option<String>| text.as_deref().map(quoted);
        let flag = |on: bool| on.then(|| "true".to_owned());
        let all = [
            ("overlay", list(&overlays)),
            ("name", text(&self.name)),
            ("include", list(&self.include)),
            ("exclude", list(&exclude)),
            ("singles", flag(self.singles)),
            ("destinations", list(&self.destinations)),
            ("runtime", text(&self.runtime)),
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

/// New items behind those that are there; none, if there are no new ones.
fn besides(own: Option<&Vec<At<String>>>, new: Vec<String>) -> Vec<String> {
    match new.is_empty() {
        true => new,
        false => {
            let own = own.into_iter().flatten().map(|it| it.value.clone());
            own.chain(new).collect()
        }
    }
}

/// The runtime in the source tree that this program was built from, if it is still there; else its version.
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
