//! `etlgen learn`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{Failure, Understood, beside, out, read_all, refuse, say};
use crate::diagnostics::{Diagnostic, Kind};
use crate::diff::Surface;
use crate::emit::{Context, Files, files};
use crate::infer::facts::{ResourceFacts, ResourceKind};
use crate::infer::infer;
use crate::learn::{bodies, overlay, samples};
use crate::plan::overrides::{self, Overrides};
use crate::plan::package::{Package, Wanted};
use crate::plan::{Options, Plan, Runtime, adjust, plan, resource_key, unknown};
use crate::project::{
    Announce, Changes, Lock, Tree, Update, change, format, is_pending, learned, learned_path,
    read_lock, release, spec_hash,
};
use crate::spec::{Input, overlaid, read};

#[derive(clap::Args)]
pub struct Arguments {
    /// A resource of the crate that the document says nothing of
    #[arg(value_name = "RESOURCE")]
    resource: String,
    /// Where the crate stands
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// Shows the file of the resource as it would be, and writes nothing
    #[arg(long)]
    print: bool,
}

/// A crate on disk, and what it was made from.
struct Crate {
    folder: PathBuf,
    overrides: Overrides,
    lock: Lock,
    etlgen_toml: String,
    /// What was learnt before of other resources.
    learned: Files,
    /// The name without the folder, for a source without a title.
    stem: String,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let name = &arguments.resource;
    let (crate_, input) = open(&arguments.out)?;
    let own = learned_path(name);
    let before = crate_.understand(&input, &crate_.learned)?;
    let mut others = crate_.learned.clone();
    let again = others.remove(&own).is_some();
    let known = match again {
        true => crate_.understand(&input, &others)?,
        false => Understood {
            input: before.input.clone(),
            api: before.api.clone(),
            facts: before.facts.clone(),
        },
    };
    let Some(resource) = crate_.find(&known, name) else {
        return Err(unknown(&known.facts, name).into());
    };
    if resource.record.is_some() {
        return Err(refuse(
            Kind::Crate,
            format!("the document has a schema for `{name}`"),
            "an overlay changes what a document says wrongly: see `--overlay`",
        ));
    }

    let text = Input::load("-")?;
    let text = String::from_utf8_lossy(&text.bytes).into_owned();
    let samples = samples("<stdin>", &text)?;
    let after = crate_.learn(&known, resource, name, &samples, &others)?;

    let old = crate_.generate(&before, &crate_.learned)?;
    let mut learned = others;
    learned.insert(own.clone(), after.1);
    let mut new = crate_.generate(&after.0, &learned)?;
    let changed: Vec<String> = old
        .files
        .keys()
        .chain(new.files.keys())
        .filter(|path| old.files.get(*path) != new.files.get(*path))
        .cloned()
        .collect();
    let operation = &known.api.operations[resource.operation];
    let given = new.plan.ledger.get(&resource_key(&operation.pointer));
    let mut made = new.plan.resources.iter();
    let Some(resource) = made.find(|made| given == Some(&made.name)) else {
        return Err(refuse(
            Kind::Crate,
            format!("`{name}` is no resource of the crate"),
            "`include` in etlgen.toml says which resources are",
        ));
    };
    let file = format!("src/resources/{}.rs", resource.ident);
    if resource.record.is_none() {
        return Err(refuse(
            Kind::Crate,
            format!("the samples tell nothing of the records of `{name}`"),
            "records are objects with fields; `records = \"PATH\"` in etlgen.toml says where they stand",
        ));
    }
    match format(&mut new.files)? {
        true => {}
        false => say(
            "warning: there is no rustfmt here; run `cargo fmt` in the crate before you commit it",
        ),
    }
    if arguments.print {
        out(new.files.get(&file).map_or("", String::as_str));
        return Ok(());
    }
    let changes: BTreeMap<String, Option<String>> = changed
        .into_iter()
        .map(|path| {
            let text = new.files.get(&path).cloned();
            (path, text)
        })
        .collect();
    let mut lock = crate_.lock;
    lock.spec_hash = spec_hash(&after.0.input);
    lock.surface = Some(Surface::from(&new.plan));
    lock.names = new.plan.ledger;
    let tree = Tree::open(&crate_.folder)?;
    let mut told = Update::default();
    release(&tree, &mut told, &mut lock, Announce::of(&crate_.overrides))?;
    let told: Changes = told.ended(&tree);
    change(&crate_.folder, &changes, &told, &mut lock)?;
    out(&format!(
        "{file}\n{own}: names and types, no values; each generation applies it"
    ));
    Ok(())
}

/// Opens a crate that etlgen wrote, and its document with its owner's overlays.
fn open(folder: &Path) -> Result<(Crate, Input), Failure> {
    let hint = "`--out` names the folder of a crate that `etlgen new` wrote";
    if is_pending(folder) {
        return Err(refuse(
            Kind::Crate,
            "an update was cut short".to_owned(),
            "`etlgen update` finishes it",
        ));
    }
    let lock = read_lock(folder).map_err(|error| error.with_hint(hint))?;
    let config = folder.join("etlgen.toml");
    let etlgen_toml = std::fs::read_to_string(&config)
        .map_err(|error| Diagnostic::io(&config, error).with_hint(hint))?;
    let overrides = overrides::parse(&config.display().to_string(), &etlgen_toml)?;
    let spec = overrides.spec.clone().unwrap_or_else(|| lock.spec.clone());
    if spec == "-" {
        return Err(refuse(
            Kind::Crate,
            "the document came from standard input".to_owned(),
            "`spec` in etlgen.toml says where it is",
        ));
    }
    let mut overlays = overrides.overlay.clone();
    for overlay in lock.options.get("overlay").into_iter().flatten() {
        if !overlays.contains(overlay) {
            overlays.push(overlay.clone());
        }
    }
    let overlays: Vec<String> = overlays
        .iter()
        .map(|overlay| beside(&config, overlay))
        .collect();
    let input = read_all(&beside(&config, &spec), &overlays)?;
    let learned = learned(folder)?;
    let stem = Path::new(&spec).file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy().into_owned();
    let crate_ = Crate {
        folder: folder.to_owned(),
        overrides,
        lock,
        etlgen_toml,
        learned,
        stem,
    };
    Ok((crate_, input))
}

/// A generation, before rustfmt.
struct Generated {
    plan: Plan,
    files: Files,
}

impl Crate {
    /// A resource by the name that it has in the crate, or in the document.
    fn find<'a>(&self, understood: &'a Understood, name: &str) -> Option<&'a ResourceFacts> {
        let resources = &understood.facts.resources;
        let given = |resource: &&ResourceFacts| {
            let operation = &understood.api.operations[resource.operation];
            let given = self.lock.names.get(&resource_key(&operation.pointer));
            given.is_some_and(|given| given == name)
        };
        let named = |resource: &&ResourceFacts| resource.name == name;
        resources
            .iter()
            .find(given)
            .or_else(|| resources.iter().find(named))
    }

    /// The document with these overlays over it.
    fn understand(&self, input: &Input, learned: &Files) -> Result<Understood, Failure> {
        let mut input = input.clone();
        input
            .overlays
            .extend(learned.iter().map(|(path, text)| Input {
                name: self.folder.join(path).display().to_string(),
                bytes: text.clone().into_bytes(),
                ..Input::default()
            }));
        let (api, diagnostics) = read(&input);
        let Some(api) = api else {
            diagnostics.iter().for_each(|said| say(&said.to_string()));
            return Err(Failure::Said);
        };
        let mut facts = infer(&api);
        adjust(&api, &mut facts, &self.overrides)?;
        Ok(Understood { input, api, facts })
    }

    /// The document with what the samples say of a resource, and the overlay that says it.
    fn learn(
        &self,
        known: &Understood,
        resource: &ResourceFacts,
        name: &str,
        samples: &[serde_json::Value],
        others: &Files,
    ) -> Result<(Understood, String), Failure> {
        let wish = self.overrides.resources.get(&resource.name);
        let stated = wish.and_then(|wish| wish.records.as_ref());
        let records = stated.map(|_| resource.records_path.value.as_slice());
        let single = resource.kind == ResourceKind::Single;
        let document = overlaid(&known.input).ok_or(Failure::Said)?;
        let operation = &known.api.operations[resource.operation];
        let mut bodies = bodies(samples, single, records)?.into_iter().peekable();
        while let Some(body) = bodies.next() {
            let text = overlay(&document, operation, name, &body)?;
            let mut input = known.input.clone();
            // In the order in which the next generation applies them.
            input.overlays.truncate(input.overlays.len() - others.len());
            let mut all = others.clone();
            all.insert(learned_path(name), text.clone());
            let understood = self.understand(&input, &all)?;
            // An object is the body if there is a list in it; else it is a record.
            let is_list = |found: &ResourceFacts| {
                found.kind == ResourceKind::List && !found.records_path.value.is_empty()
            };
            if bodies.peek().is_none() || self.find(&understood, name).is_some_and(is_list) {
                return Ok((understood, text));
            }
        }
        Err(Failure::Said)
    }

    fn generate(&self, understood: &Understood, learned: &Files) -> Result<Generated, Failure> {
        let option = |key: &str| self.lock.options.get(key).cloned().unwrap_or_default();
        let options = Options {
            name: option("name").into_iter().next(),
            include: option("resources"),
            exclude: option("exclude"),
            fallback_name: self.stem.clone(),
            overrides: self.overrides.clone(),
            ledger: self.lock.names.clone(),
        };
        let plan = plan(&understood.api, &understood.facts, &options)?;
        // What the two generations have in common is not looked at: only what differs is written.
        let context = Context {
            spec: self.lock.spec.clone(),
            overlays: Vec::new(),
            learned: learned.clone(),
            runtime: Runtime {
                version: String::new(),
                path: None,
            },
            package: Package::new(Wanted::default())?,
            own_workspace: false,
            etlgen_toml: Some(self.etlgen_toml.clone()),
            name: options.name,
            include: options.include,
            exclude: options.exclude,
            wanted: Wanted::default(),
        };
        let files = files(&plan, &context)?;
        Ok(Generated { plan, files })
    }
}
