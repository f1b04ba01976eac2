//! A crate that etlgen wrote, opened to be generated again.

use std::path::{Path, PathBuf};

use super::{Failure, beside, understand};
use crate::diagnostics::Diagnostic;
use crate::emit::{Context, Files, files};
use crate::plan::overrides::{self, Overrides};
use crate::plan::{Ledger, Options, Plan, Runtime, adjust, plan};
use crate::project::{Lock, Tree, format, learned, relative, spec_hash};

/// A crate on disk with its owner's wishes.
pub struct Existing {
    pub tree: Tree,
    overrides: Overrides,
    etlgen_toml: String,
    /// The keys that `etlgen.toml` says something of.
    stated: Vec<String>,
    learned: Files,
}

/// A document, as the crate names it and as it is found from here.
pub struct Document {
    pub name: String,
    pub place: String,
}

/// What etlgen writes now for a crate that is there.
pub struct Generation {
    pub files: Files,
    pub lock: Lock,
}

pub fn refuse(message: impl Into<String>, hint: &str) -> Failure {
    Failure::Diagnostic(Box::new(Diagnostic::error(message, hint)))
}

/// Opens the crate in a folder.
pub fn open(folder: &Path) -> Result<Existing, Failure> {
    let tree = Tree::open(folder).map_err(|error| {
        let hint = "name the folder of a crate that `etlgen new` wrote; where a merge left two versions of the lock, take either and run `etlgen update`";
        refuse(error.to_string(), hint)
    })?;
    let config = folder.join("etlgen.toml");
    let etlgen_toml = std::fs::read_to_string(&config).map_err(|error| {
        let hint = "it says what the crate is made from; .etlgen/base/etlgen.toml.base is the last one that etlgen read";
        refuse(format!("{}: {error}", config.display()), hint)
    })?;
    let overrides = overrides::parse(&config.display().to_string(), &etlgen_toml)?;
    let stated = toml::from_str::<toml::Table>(&etlgen_toml).unwrap_or_default();
    Ok(Existing {
        learned: learned(folder).map_err(|error| Failure::Message(error.to_string()))?,
        stated: stated.keys().cloned().collect(),
        tree,
        overrides,
        etlgen_toml,
    })
}

impl Existing {
    fn config(&self) -> PathBuf {
        self.tree.folder.join("etlgen.toml")
    }

    /// Where the document is: as asked for, else as `etlgen.toml` says, else as it was.
    pub fn document(&self, asked: Option<&str>) -> Document {
        let named = self.named();
        match asked {
            Some(place) => Document {
                name: match place.contains("://") || place == "-" {
                    true => place
                        .split(['?', '#'])
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                    false => relative(&self.tree.folder, Path::new(place)),
                },
                place: place.to_owned(),
            },
            None => Document {
                place: match named.as_str() {
                    "-" => named.clone(),
                    named => beside(&self.config(), named),
                },
                name: named,
            },
        }
    }

    /// The document that the next generation reads unless told otherwise.
    pub fn named(&self) -> String {
        let wish = self.overrides.spec.clone();
        wish.unwrap_or_else(|| self.tree.lock.spec.clone())
    }

    /// What was asked for on the command line, where `etlgen.toml` does not say it.
    fn option(&self, key: &str) -> Vec<String> {
        let wish = match key {
            "resources" => "include",
            key => key,
        };
        match self.stated.iter().any(|stated| stated == wish) {
            true => Vec::new(),
            false => self.tree.lock.options.get(key).cloned().unwrap_or_default(),
        }
    }

    /// Generates the crate again.
    pub fn generate(&self, document: &Document) -> Result<Generation, Failure> {
        if document.place == "-" && self.tree.lock.spec == "-" {
            return Err(refuse(
                "the document came from standard input",
                "`spec` in etlgen.toml says where it is, or `--spec` for once",
            ));
        }
        let overlays = self.overrides.overlay.iter().cloned();
        let overlays = overlays
            .chain(self.option("overlay"))
            .chain(self.learned.keys().cloned());
        let overlays: Vec<String> = overlays
            .map(|overlay| beside(&self.config(), &overlay))
            .collect();
        let mut understood = understand(&document.place, &overlays, false)?;
        adjust(&understood.api, &mut understood.facts, &self.overrides)?;
        let plan_with = |ledger: Ledger| -> Result<Plan, Failure> {
            let options = Options {
                name: self.name()?,
                include: self.option("resources"),
                exclude: self.option("exclude"),
                fallback_name: String::new(),
                overrides: self.overrides.clone(),
                ledger,
            };
            Ok(plan(&understood.api, &understood.facts, &options)?)
        };
        // Names of what is gone are free again.
        let known = plan_with(self.tree.lock.names.clone())?.ledger;
        let mut ledger = self.tree.lock.names.clone();
        ledger.retain(|what, _| known.contains_key(what));
        let plan = plan_with(ledger)?;
        let context = self.context(&document.name)?;
        let mut files = files(&plan, &context).map_err(Failure::Message)?;
        match format(&mut files) {
            Ok(true) => {}
            Ok(false) => {
                return Err(refuse(
                    "there is no rustfmt here, and without it every file would differ",
                    "`rustup component add rustfmt`",
                ));
            }
            Err(error) => return Err(Failure::Message(format!("rustfmt: {error}"))),
        }
        let hash = spec_hash(&understood.input);
        let mut lock = Lock::new(&document.name, hash, &plan.ledger, &files);
        lock.options = self.tree.lock.options.clone();
        // What the owner has taken out of etlgen.toml is not wished any longer.
        let before = self.tree.base.get("etlgen.toml").map_or("", String::as_str);
        let before = toml::from_str::<toml::Table>(before).unwrap_or_default();
        lock.options.retain(|key, _| {
            let wish = if key == "resources" { "include" } else { key };
            self.stated.iter().any(|stated| stated == wish) || !before.contains_key(wish)
        });
        Ok(Generation { files, lock })
    }

    /// The source's name, which stays although the document's title changes.
    fn name(&self) -> Result<Option<String>, Failure> {
        if self.overrides.name.is_some() {
            return Ok(None);
        }
        let manifest = self.manifest()?;
        let name = manifest
            .get("package")
            .and_then(|package| package.get("name"));
        let name = name.and_then(toml::Value::as_str).unwrap_or_default();
        Ok(Some(name.trim_end_matches("-connector").to_owned()))
    }

    /// `Cargo.toml` as it was generated.
    fn manifest(&self) -> Result<toml::Table, Failure> {
        let text = self.tree.base.get("Cargo.toml").map_or("", String::as_str);
        let table = toml::from_str::<toml::Table>(text).ok();
        table
            .filter(|table| table.contains_key("package"))
            .ok_or_else(|| {
                refuse(
                    ".etlgen/base/Cargo.toml.base is not what etlgen wrote",
                    "take it back from version control: updates merge by it",
                )
            })
    }

    fn context(&self, spec: &str) -> Result<Context, Failure> {
        let manifest = self.manifest()?;
        let text =
            |value: Option<&toml::Value>| value.and_then(toml::Value::as_str).map(str::to_owned);
        let license = manifest
            .get("package")
            .and_then(|package| package.get("license"));
        let dependencies = manifest.get("dependencies");
        let runtime = dependencies.and_then(|table| table.get("etlgen-runtime"));
        let pinned = text(runtime).filter(|version| version.starts_with(['=', '^', '~']));
        Ok(Context {
            spec: spec.to_owned(),
            overlays: Vec::new(),
            learned: self.learned.clone(),
            runtime: Runtime {
                version: pinned.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned()),
                path: text(runtime.and_then(|table| table.get("path"))),
            },
            license: text(license).unwrap_or_default(),
            own_workspace: manifest.contains_key("workspace"),
            etlgen_toml: Some(self.etlgen_toml.clone()),
            name: None,
            include: Vec::new(),
            exclude: Vec::new(),
        })
    }
}
