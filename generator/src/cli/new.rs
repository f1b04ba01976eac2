//! `etlgen new`.

use std::path::{Path, PathBuf};

use super::wishes::Wishes;
use super::{Failure, Understood, license_texts, out, say, understand};
use crate::diagnostics::Diagnostic;
use crate::emit::{Context, files};
use crate::inspect;
use crate::plan::overrides::Overrides;
use crate::plan::package::{Ci, Package, Wanted};
use crate::plan::{Options, Plan, Runtime, adjust, plan, unknown_fields};
use crate::project::{Lock, Surroundings, ensure_free, format, relative, spec_hash, write_new};
use crate::spec::{Input, place};

#[derive(clap::Args)]
pub struct Arguments {
    /// The document: a file, a URL, or `-` for standard input
    #[arg(long, required_unless_present = "config")]
    spec: Option<String>,
    /// An OpenAPI Overlay that repairs the document: a file or a URL; may be repeated
    #[arg(long, value_name = "FILE")]
    overlay: Vec<String>,
    /// Only these resources, comma separated, and the parents they need; else every list
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    resources: Vec<String>,
    /// Not the resources that fit this pattern (`*` stands for anything); may be repeated
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// What the source is called [default: from the document's title]
    #[arg(long)]
    name: Option<String>,
    /// Where the crate is written [default: ./<name>-connector]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// The runtime that the crate links: a folder or a version [default: the one that fits this etlgen]
    #[arg(long, value_name = "PATH|VERSION")]
    runtime: Option<String>,
    /// An etlgen.toml whose wishes count from the start; the crate gets it as it is
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The crate is a member of the workspace around it [default: if that lists it]
    #[arg(long)]
    workspace_member: bool,
    /// The crate's licence, as SPDX names it [default: MIT OR Apache-2.0]
    #[arg(long, value_name = "SPDX")]
    license: Option<String>,
    /// The page where the crate is developed
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
    /// Writes a workflow that tests each change
    #[arg(long, value_name = "WHERE")]
    ci: Option<Ci>,
    /// Writes a Dockerfile
    #[arg(long)]
    docker: bool,
    /// Shows also what was repaired in the document
    #[arg(long)]
    notes: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(out) = &arguments.out {
        ensure_free(out)?;
    }
    let wishes = Wishes::read(arguments.config.as_ref())?;
    let spec = wishes.document(arguments.spec.as_ref())?;
    let overlays = wishes.overlays(&arguments.overlay);
    let Wishes {
        overrides,
        text: etlgen_toml,
        learned,
        ..
    } = wishes;
    let mut understood = understand(&spec, &overlays, arguments.notes)?;
    adjust(&understood.api, &mut understood.facts, &overrides)?;
    for warning in unknown_fields(&understood.api, &understood.facts, &overrides) {
        say(&warning.to_string());
    }
    let options = Options {
        name: arguments.name.clone(),
        include: arguments.resources.clone(),
        exclude: arguments.exclude.clone(),
        fallback_name: Path::new(&spec)
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default(),
        overrides,
        ..Options::default()
    };
    let wanted = Wanted {
        license: arguments.license.clone(),
        repository: arguments.repository.clone(),
        ci: arguments.ci,
        docker: arguments.docker,
    };
    let package = Package::new(wanted.clone().or(Wanted::of(&options.overrides)))?;
    let plan = plan(&understood.api, &understood.facts, &options)
        .map_err(|error| placed(error, &understood.input))?;
    let folder = arguments
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from(&plan.crate_name));
    ensure_free(&folder)?;

    let surroundings = Surroundings::of(&folder);
    let context = Context {
        spec: spec_name(arguments, &options.overrides, &spec, &folder),
        overlays: arguments
            .overlay
            .iter()
            .map(|overlay| name_from(overlay, &folder))
            .collect(),
        learned,
        runtime: runtime(arguments.runtime.as_deref(), &folder),
        package,
        own_workspace: surroundings.has_workspace
            && !surroundings.is_member
            && !arguments.workspace_member,
        etlgen_toml,
        name: arguments.name.clone(),
        include: arguments.resources.clone(),
        exclude: arguments.exclude.clone(),
        wanted,
    };
    let mut written = files(&plan, &context)?;
    match format(&mut written)? {
        true => {}
        false => say(
            "warning: there is no rustfmt here; run `cargo fmt` in the crate before you commit it",
        ),
    }
    let lock = lock(&understood, &plan, &context, &written);
    write_new(&folder, &written, &lock)?;
    report(&understood, &plan, &folder);
    license_texts(&context.package, &folder);
    Ok(())
}

/// What is said of a part of the document, with the part's place.
fn placed(error: Diagnostic, input: &Input) -> Diagnostic {
    match error.pointer().filter(|_| error.file().is_empty()) {
        Some(pointer) => {
            let position = place(input, pointer);
            error.in_file(&input.name).at(position)
        }
        None => error,
    }
}

/// The document as the crate names it: a URL, or a path that holds as long as both move together.
fn spec_name(arguments: &Arguments, overrides: &Overrides, spec: &str, folder: &Path) -> String {
    match (&arguments.spec, &overrides.spec) {
        (None, Some(spec)) => spec.clone(),
        _ if spec == "-" => "-".to_owned(),
        _ => name_from(spec, folder),
    }
}

/// A file as seen from the crate's folder, or a URL without what may be a secret.
fn name_from(file: &str, folder: &Path) -> String {
    match file.contains("://") {
        true => file.split(['?', '#']).next().unwrap_or_default().to_owned(),
        false => relative(folder, Path::new(file)),
    }
}

/// The runtime of that path or version; else the one in the source tree that this program was built from, if it is
/// still there; else its version.
fn runtime(wanted: Option<&str>, folder: &Path) -> Runtime {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime");
    match wanted {
        Some(wanted)
            if wanted.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '=' | '^' | '~')) =>
        {
            Runtime {
                version: wanted.to_owned(),
                path: None,
            }
        }
        Some(path) => Runtime {
            version,
            path: Some(path.to_owned()),
        },
        None if built_from.join("Cargo.toml").exists() => Runtime {
            version,
            path: Some(relative(folder, &built_from)),
        },
        None => Runtime {
            version,
            path: None,
        },
    }
}

fn lock(
    understood: &Understood,
    plan: &Plan,
    context: &Context,
    files: &crate::emit::Files,
) -> Lock {
    let hash = spec_hash(&understood.input);
    let mut lock = Lock::new(&context.spec, hash, plan, files);
    let options = [
        ("resources", context.include.clone()),
        ("exclude", context.exclude.clone()),
        ("name", context.name.iter().cloned().collect()),
        ("overlay", context.overlays.clone()),
    ];
    let package = context.wanted.options();
    lock.options = (options.into_iter())
        .chain(package)
        .filter(|(_, values)| !values.is_empty())
        .map(|(name, values)| (name.to_owned(), values))
        .collect();
    lock
}

fn report(understood: &Understood, plan: &Plan, folder: &Path) {
    let names: Vec<&str> = plan
        .resources
        .iter()
        .map(|resource| resource.name.as_str())
        .collect();
    let mut facts = understood.facts.clone();
    facts
        .resources
        .retain(|resource| names.contains(&resource.name.as_str()));
    facts.skipped.clear();
    out(&inspect::table(&understood.api, &facts));
    out(&format!(
        "\n{} resources in {}\n\n  cd {}\n  cargo run -- --help",
        plan.resources.len(),
        folder.display(),
        folder.display()
    ));
}
