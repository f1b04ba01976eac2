//! Turns the plan into files in memory: Rust through quote and prettyplease, the rest through
//! askama. No decision is made here.

mod body;
mod crate_root;
mod credentials;
mod documents;
mod resource;
mod structs;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::BTreeMap;

use proc_macro2::TokenStream;

use crate::diagnostics::{Diagnostic, Kind};
use crate::plan::package::Package;
use crate::plan::{Plan, Runtime};

/// Files by their path in the crate, with `/`.
pub type Files = BTreeMap<String, String>;

/// The values that the files need besides the plan.
#[derive(Clone, Debug)]
pub struct Context {
    /// The place of the document, as the crate names it.
    pub spec: String,
    /// Overlays learned from samples, by their path in the crate.
    pub learned: Files,
    pub runtime: Runtime,
    /// The destinations that the connector can load to; `None`: those of the runtime's default features.
    pub destinations: Option<Vec<&'static str>>,
    /// The hosts besides the command line.
    pub hosts: Vec<&'static str>,
    /// The package of the crate.
    pub package: Package,
    /// Whether the crate is a workspace of its own within another one.
    pub own_workspace: bool,
    pub etlgen_toml: EtlgenToml,
}

/// The `etlgen.toml` of a crate.
#[derive(Clone, Debug)]
pub enum EtlgenToml {
    /// The owner's file, unchanged.
    Kept(String),
    /// The first file, with these keys and their values as TOML.
    First(Vec<(&'static str, String)>),
}

/// Renders the plan. An error names the file that does not parse: it is a defect of etlgen.
pub fn files(plan: &Plan, context: &Context) -> Result<Files, Diagnostic> {
    let mut files = Files::new();
    let mut rust = |path: String, tokens: TokenStream| -> Result<(), Diagnostic> {
        let file: syn::File = syn::parse2(tokens).map_err(|error| defect(&path, error))?;
        files.insert(path, tokens::print(file));
        Ok(())
    };
    rust("src/lib.rs".into(), crate_root::library(plan))?;
    if let Some(tokens) = crate_root::api(plan) {
        rust("src/api.rs".into(), tokens)?;
    }
    rust("src/main.rs".into(), crate_root::binary(plan))?;
    rust("src/config.rs".into(), crate_root::config(plan))?;
    if let Some(tokens) = crate_root::tests(plan) {
        rust("tests/connector.rs".into(), tokens)?;
    }
    if let Some(tokens) = crate_root::example(plan) {
        rust("examples/stream.rs".into(), tokens)?;
    }
    rust("src/resources/mod.rs".into(), resource::index(plan))?;
    for resource in &plan.resources {
        rust(
            format!("src/resources/{}.rs", resource.ident),
            resource::file(plan, resource),
        )?;
    }
    if !plan.types.is_empty() {
        let homes = structs::homes(plan);
        rust("src/types/mod.rs".into(), structs::index(plan, &homes))?;
        for (ident, body) in &homes {
            rust(format!("src/types/{ident}.rs"), structs::file(plan, body))?;
        }
    }
    for resource in &plan.resources {
        let file = files.entry(format!("src/resources/{}.rs", resource.ident));
        file.and_modify(|text| *text = body::filled(resource, text));
    }
    files.extend(context.learned.clone());
    files.extend(documents::documents(plan, context).map_err(|error| {
        let message = format!("a template cannot be rendered: {error}");
        Diagnostic::error(Kind::Internal, message).caused_by(error)
    })?);
    Ok(files)
}

/// Returns the error for a generated file that is not valid, which is always a defect of etlgen.
fn defect(path: &str, error: impl std::error::Error + Send + Sync + 'static) -> Diagnostic {
    Diagnostic::error(
        Kind::Internal,
        format!("the generated file is not valid: {error}"),
    )
    .in_file(path)
    .with_hint("this is a defect of etlgen: please report it with the document")
    .caused_by(error)
}
