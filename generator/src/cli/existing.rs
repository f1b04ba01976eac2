//! A crate that etlgen wrote, opened to be generated again.

use std::path::{Path, PathBuf};

use super::{Failure, beside, refuse, understand};
use crate::diagnostics::{Diagnostic, Kind};
use crate::emit::{Context, Files, files};
use crate::plan::overrides::{self, Overrides};
use crate::plan::package::{Package, Wanted};
use crate::plan::{Ledger, Options, Plan, Runtime, adjust, plan};
use crate::project::{Announce, Lock, Tree, format, learned, relative, spec_hash};
use crate::spec::Input;

/// A crate on disk with its owner's wishes.
pub struct Existing {
    pub tree: Tree,
    overrides: Overrides,
    etlgen_toml: String,
    /// The keys that `etlgen.toml` says something of.
    stated: Vec<String>,
    /// Those that it said something of when the crate was generated: what is gone is not wished any longer.
    stated_before: Vec<String>,
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
    pub package: Package,
}

/// Opens the crate in a folder.
pub fn open(folder: &Path) -> Result<Existing, Failure> {
    let tree = Tree::open(folder).map_err(|error| error.with_hint(
        "name the folder of a crate that `etlgen new` wrote; where a merge left two versions of the lock, take either and run `etlgen update`",
    ))?;
    let config = folder.join("etlgen.toml");
    let etlgen_toml = std::fs::read_to_string(&config).map_err(|error| {
        Diagnostic::io(&config, error).with_hint(
            "it says what the crate is generated from; .etlgen/base/etlgen.toml.base is the last one that etlgen read",
        )
    })?;
    let overrides = overrides::parse(&config.display().to_string(), &etlgen_toml)?;
    let keys = |text: &str| -> Vec<String> {
        let table = toml::from_str::<toml::Table>(text).unwrap_or_default();
        table.keys().cloned().collect()
    };
    let before = tree.base.get("etlgen.toml").map_or("", String::as_str);
    Ok(Existing {
        learned: learned(folder)?,
        stated: keys(&etlgen_toml),
        stated_before: keys(before),
        tree,
        overrides,
        etlgen_toml,
    })
}

/// What `etlgen.toml` calls an option of the command line.
fn wish(option: &str) -> &str {
    match option {
        "resources" => "include",
        option => option,
    }
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

    /// What is written of what has changed, as `etlgen.toml` says.
    pub fn announce(&self) -> Announce {
        Announce::of(&self.overrides)
    }

    /// The document that the next generation reads unless told otherwise.
    pub fn named(&self) -> String {
        let wish = self.overrides.spec.clone();
        wish.unwrap_or_else(|| self.tree.lock.spec.clone())
    }

    /// What was asked for on the command line, where `etlgen.toml` does not say it.
    fn option(&self, key: &str) -> Vec<String> {
        let wish = &wish(key).to_owned();
        match self.stated.contains(wish) || self.stated_before.contains(wish) {
            true => Vec::new(),
            false => self.tree.lock.options.get(key).cloned().unwrap_or_default(),
        }
    }

    /// What would be generated of a document now.
    pub fn plan(&self, document: &Document) -> Result<(Plan, Input), Failure> {
        if document.place == "-" && self.tree.lock.spec == "-" {
            return Err(refuse(
                Kind::Crate,
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
        Ok((plan_with(ledger)?, understood.input))
    }

    /// Generates the crate again.
    pub fn generate(&self, document: &Document) -> Result<Generation, Failure> {
        let (plan, input) = self.plan(document)?;
        let context = self.context(&document.name)?;
        let mut files = files(&plan, &context)?;
        match format(&mut files)? {
            true => {}
            false => {
                return Err(refuse(
                    Kind::Tool,
                    "there is no rustfmt here, and without it every file would differ",
                    "`rustup component add rustfmt`",
                ));
            }
        }
        let hash = spec_hash(&input);
        let mut lock = Lock::new(&document.name, hash, &plan, &files);
        lock.options = self.tree.lock.options.clone();
        lock.options.retain(|key, _| {
            let wish = &wish(key).to_owned();
            self.stated.contains(wish) || !self.stated_before.contains(wish)
        });
        Ok(Generation {
            files,
            lock,
            package: context.package,
        })
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
                    Kind::Crate,
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
        // A crate of before the option says its licence only there.
        let licensed = Wanted {
            license: text(license),
            ..Wanted::default()
        };
        let wanted = Wanted::of(&self.overrides)
            .or(Wanted::from_options(|key| self.option(key)))
            .or(licensed);
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
            package: Package::new(wanted)?,
            own_workspace: manifest.contains_key("workspace"),
            etlgen_toml: Some(self.etlgen_toml.clone()),
            name: None,
            include: Vec::new(),
            exclude: Vec::new(),
            wanted: Wanted::default(),
        })
    }
}
