//! etlgen reads an OpenAPI document and writes a strongly typed connector crate in Rust.
//!
//! It has three main functions: [`generate`] turns a document into the files of a crate, [`update`]
//! merges a new generation into a crate that its owner has edited, and [`diff`] judges the changes
//! from one document or crate to another. The command line calls these three.
//!
//! ```
//! let document = br#"
//! openapi: 3.0.3
//! info: {title: Shop, version: '1'}
//! servers: [{url: https://api.shop.example}]
//! paths:
//!   /orders:
//!     get:
//!       parameters: [{name: page, in: query, schema: {type: integer}}]
//!       responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: integer}}}}}}}}
//! "#;
//! let input = etlgen::Input::new("shop.yaml", document);
//! let generation = etlgen::generate(input, &etlgen::Options::default())?;
//! assert!(generation.files["src/resources/orders.rs"].contains("pub struct Order"));
//! # Ok::<(), etlgen::Diagnostic>(())
//! ```

mod cli;
mod diagnostics;
mod diff;
mod draft;
mod emit;
mod explain;
mod infer;
mod inspect;
mod learn;
mod near;
mod options;
mod overrides;
mod plan;
mod project;
mod shape;
mod spec;
mod update;

use std::path::{Path, PathBuf};

use draft::Draft;
use project::Existing;

#[doc(hidden)]
pub use cli::main;
pub use diagnostics::{Diagnostic, Kind, Position, Severity};
pub use diff::{Change, Diff, Group, Kind as ChangeKind, Level};
pub use emit::Files;
pub use inspect::View;
pub use options::{Options, Revision, UpdateOptions};
pub use overrides::Ci;
pub use project::{Bump, ConfigFile, Conflict, Generation, Outcome, Release, Side};
pub use spec::Input;
pub use update::{Comparison, Update};

/// Generates a connector crate in memory from an OpenAPI document, with its owner's overrides.
///
/// The result has the files, warnings and notes, and the evidence for each resource;
/// [`Generation::write`] writes it to disk. Errors name the place in the document or in
/// `etlgen.toml`.
pub fn generate(input: Input, options: &Options) -> Result<Generation, Diagnostic> {
    let overrides = options.overrides()?;
    let wanted = options.plan(&input);
    let mut draft = Draft::new(input, &overrides, &wanted)?;
    if options.strict {
        draft.notes.extend(draft.strictness());
    }
    let folder = match &options.out {
        Some(folder) => folder.clone(),
        None => PathBuf::from(&draft.plan.crate_name),
    };
    let context = options.context(&draft.input, &overrides, &folder)?;
    Generation::new(draft, &folder, &context, options.rustfmt())
}

/// Generates the crate in a folder again and merges its owner's edits, in memory; [`Update::apply`] writes the result.
///
/// It finishes an interrupted update first. An error of [`Kind::Conflict`] names the conflicts of an earlier update
/// that are still open; conflicts of this one are part of the result.
pub fn update(folder: &Path, options: &UpdateOptions) -> Result<Update, Diagnostic> {
    let resumed = update::resume(folder, options.dry_run)?;
    let existing = Existing::open(folder)?;
    let settles = update::refuse_open_conflicts(&existing.tree, &options.accept)?;
    let document = existing.document(options.spec.as_deref());
    let generation = existing.generate(&document.name, existing.load(&document)?)?;
    let merge = project::merge_into(
        &existing.tree,
        &generation.files,
        &generation.lock,
        &options.accept,
        update::announce(&existing, options),
    )?;
    let update = Update::new(existing, document, generation, merge, resumed);
    Ok(update.settling(settles))
}

/// Compares two documents or crates: what changes for the Rust API and for the tables, and how severe it is.
pub fn diff(old: Revision<'_>, new: Revision<'_>) -> Result<Comparison, Diagnostic> {
    let ((before, notes_before), (after, notes_after)) = update::surfaces(old, new)?;
    let changes = diff::diff(&before, &after);
    let notes = notes_before.into_iter().chain(notes_after).collect();
    Ok(Comparison::new(changes, update::version_of(old), notes))
}
