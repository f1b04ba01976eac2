//! Opens a crate that etlgen wrote, to generate it again.

use std::collections::BTreeMap;
use std::path::Path;

use super::generation::{Generation, Rustfmt};
use super::place::{Surroundings, beside, named};
use super::tree::Tree;
use super::{Announce, ConfigFile, LOCK};
use crate::diagnostics::{Diagnostic, Kind, toml_string as quoted};
use crate::diff::Surface;
use crate::draft::Draft;
use crate::emit::{Context, EtlgenToml, Files};
use crate::plan::package::{Package, Wanted};
use crate::plan::{Options, Runtime};
use crate::spec::Input;

/// A crate on disk, with its owner's overrides.
pub struct Existing {
    pub tree: Tree,
    pub config: ConfigFile,
    /// The options of the command line that an earlier etlgen kept only in the lock.
    options: BTreeMap<String, Vec<String>>,
}

/// A document: its name in the crate, and its place relative to the current folder.
pub struct Document {
    pub name: String,
    pub place: String,
}

impl Existing {
    /// Opens the crate in a folder.
    pub fn open(folder: &Path) -> Result<Self, Diagnostic> {
        if !folder.join(LOCK).is_file() {
            let message = "this is not a crate of etlgen: it has no .etlgen/lock.json";
            return Err(Diagnostic::error(Kind::Io, message)
                .in_file(folder.display().to_string())
                .with_hint("name the folder of a crate that `etlgen new` wrote"));
        }
        let tree = Tree::open(folder).map_err(|error| {
            error.or_hint(
                "if a merge left two versions of the lock in it, keep either and run `etlgen update`",
            )
        })?;
        let file = folder.join("etlgen.toml");
        if let Err(error) = std::fs::metadata(&file) {
            return Err(Diagnostic::io(&file, error).with_hint(
                "the crate is generated from it; .etlgen/base/etlgen.toml.base is the last one that etlgen read",
            ));
        }
        let mut config = ConfigFile::load(&file)?;
        let options = options(&tree, config.text.as_deref().unwrap_or_default());
        config.overrides = config.overrides.with_options(&lines(&options))?;
        Ok(Existing {
            config,
            tree,
            options,
        })
    }

    /// Returns the given document, or the one of `etlgen.toml`, or the last one.
    pub fn document(&self, asked: Option<&str>) -> Document {
        match asked {
            Some(place) => Document {
                name: named(place, &self.tree.folder),
                place: place.to_owned(),
            },
            None => {
                let name = self.named();
                Document {
                    place: match name.as_str() {
                        "-" => name.clone(),
                        name => beside(&self.tree.folder.join("etlgen.toml"), name),
                    },
                    name,
                }
            }
        }
    }

    /// Returns the name of the document that the next generation reads by default.
    pub fn named(&self) -> String {
        let own = self.config.overrides.top.spec.as_ref();
        own.map_or_else(|| self.tree.lock.spec.clone(), |spec| spec.0.clone())
    }

    /// Returns whether `etlgen.toml` lets an update write changelog and version.
    pub fn announce(&self) -> Announce {
        Announce::of(&self.config.overrides)
    }

    /// Returns the surface of the crate when it was generated; without a record, the one that its
    /// document yields now.
    pub fn surface(&self) -> Result<Surface, Diagnostic> {
        match &self.tree.lock.surface {
            Some(surface) => Ok(surface.clone()),
            None => {
                let input = self.with_overlays(self.load(&self.document(None))?)?;
                Ok(Surface::from(&self.draft(input)?.plan))
            }
        }
    }

    /// Returns a document with the crate's overlays and the learned ones.
    pub fn with_overlays(&self, input: Input) -> Result<Input, Diagnostic> {
        let input = self.overlaid(input)?;
        Ok(self.config.with_learned(input, &self.config.learned))
    }

    /// Returns a document with the crate's overlays.
    pub fn overlaid(&self, input: Input) -> Result<Input, Diagnostic> {
        self.config.overlaid(input, &[])
    }

    /// Loads a document.
    pub fn load(&self, document: &Document) -> Result<Input, Diagnostic> {
        if document.place == "-" && self.tree.lock.spec == "-" {
            let message = "the document came from standard input";
            return Err(Diagnostic::error(Kind::Crate, message)
                .with_hint("set `spec` in etlgen.toml, or pass `--spec` once"));
        }
        Input::load(&document.place)
    }

    /// Plans the crate again with its existing names.
    pub fn draft(&self, input: Input) -> Result<Draft, Diagnostic> {
        let options = Options {
            name: self.name()?,
            ledger: self.tree.lock.names.clone(),
            ..Options::default()
        };
        Draft::new(input, &self.config.overrides, &options)
    }

    /// Generates the crate again from a document under the name `name`.
    pub fn generate(&self, name: &str, document: Input) -> Result<Generation, Diagnostic> {
        let draft = self.draft(self.with_overlays(document)?)?;
        let context = self.context(name, &self.config.learned)?;
        let folder = &self.tree.folder;
        let mut generation = Generation::new(draft, folder, &context, Rustfmt::Required)?;
        generation.lock.options.clone_from(&self.options);
        Ok(generation)
    }

    /// Generates the crate again from a draft with other learned overlays.
    pub fn generate_learned(
        &self,
        draft: Draft,
        learned: &Files,
    ) -> Result<Generation, Diagnostic> {
        let context = self.context(&self.tree.lock.spec, learned)?;
        let folder = &self.tree.folder;
        Generation::new(draft, folder, &context, Rustfmt::Wanted)
    }

    /// Returns the source's name, which stays when the document's title changes.
    fn name(&self) -> Result<Option<String>, Diagnostic> {
        if self.config.overrides.top.name.is_some() {
            return Ok(None);
        }
        let manifest = self.manifest()?;
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"));
        let name = name.and_then(toml::Value::as_str).unwrap_or_default();
        Ok(Some(name.trim_end_matches("-connector").to_owned()))
    }

    /// Returns `Cargo.toml` as generated.
    fn manifest(&self) -> Result<toml::Table, Diagnostic> {
        let text = self.tree.base.get("Cargo.toml").map_or("", String::as_str);
        let table = toml::from_str::<toml::Table>(text).ok();
        table
            .filter(|table| table.contains_key("package"))
            .ok_or_else(|| {
                let message = "the file differs from what etlgen wrote";
                Diagnostic::error(Kind::Crate, message)
                    .in_file(".etlgen/base/Cargo.toml.base")
                    .with_hint("restore it from version control: updates need it")
            })
    }

    fn context(&self, spec: &str, learned: &Files) -> Result<Context, Diagnostic> {
        let manifest = self.manifest()?;
        let text =
            |value: Option<&toml::Value>| value.and_then(toml::Value::as_str).map(str::to_owned);
        let license = manifest
            .get("package")
            .and_then(|package| package.get("license"));
        // A crate older than this option has its licence only in the manifest.
        let licensed = Wanted {
            license: text(license),
            ..Wanted::default()
        };
        let keys = &self.config.overrides.top;
        let wanted = Wanted::of(&self.config.overrides).or(licensed);
        let dependencies = manifest.get("dependencies");
        let runtime = dependencies.and_then(|table| table.get("etlgen-runtime"));
        let pinned = text(runtime).filter(|version| version.starts_with(['=', '^', '~']));
        let stated = keys.runtime.as_ref().map(|place| Runtime::named(&place.0));
        let etlgen_toml = self.config.text.clone().unwrap_or_default();
        Ok(Context {
            spec: spec.to_owned(),
            learned: learned.clone(),
            runtime: stated.unwrap_or_else(|| Runtime {
                version: pinned.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
                path: text(runtime.and_then(|table| table.get("path"))),
            }),
            destinations: self.config.overrides.destinations(),
            hosts: self.config.overrides.hosts(),
            package: Package::new(wanted)?,
            own_workspace: match keys.workspace_member.as_deref() {
                Some(member) => !member.0 && Surroundings::of(&self.tree.folder).has_workspace,
                None => manifest.contains_key("workspace"),
            },
            etlgen_toml: EtlgenToml::Kept(etlgen_toml),
        })
    }
}

/// Returns the options in a lock that `etlgen.toml` does not set. An option that was removed from
/// the file since the crate was generated is no longer wanted.
fn options(tree: &Tree, text: &str) -> BTreeMap<String, Vec<String>> {
    let keys = |text: &str| -> Vec<String> {
        let table = toml::from_str::<toml::Table>(text).unwrap_or_default();
        table.keys().cloned().collect()
    };
    let before = tree.base.get("etlgen.toml").map_or("", String::as_str);
    let (now, before) = (keys(text), keys(before));
    let mut options = tree.lock.options.clone();
    options.retain(|name, _| {
        let key = key_of(name).to_owned();
        !now.contains(&key) && !before.contains(&key)
    });
    options
}

/// Returns the key of `etlgen.toml` for an option of the command line.
fn key_of(option: &str) -> &str {
    match option {
        "resources" => "include",
        option => option,
    }
}

/// Returns the options of a lock as lines of `etlgen.toml`.
fn lines(options: &BTreeMap<String, Vec<String>>) -> Vec<(&str, String)> {
    let lines = options.iter().filter_map(|(name, values)| {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        let value = match key_of(name) {
            "include" | "exclude" | "overlay" => format!("[{}]", values.join(", ")),
            "docker" => "true".to_owned(),
            "name" | "license" | "repository" | "ci" => values.into_iter().next()?,
            _ => return None,
        };
        Some((key_of(name), value))
    });
    lines.collect()
}
