//! `etlgen explain`.

use super::{Failure, out, understand};
use crate::explain;

#[derive(clap::Args)]
pub struct Arguments {
    /// The document: a file, a URL, or `-` for standard input
    #[arg(long)]
    spec: String,
    /// An OpenAPI Overlay that repairs the document: a file or a URL; may be repeated
    #[arg(long, value_name = "FILE")]
    overlay: Vec<String>,
    /// A resource, one of its fields, or `auth`
    #[arg(value_name = "RESOURCE[.FIELD]")]
    what: String,
    /// Shows also what was repaired in the document
    #[arg(long)]
    notes: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let understood = understand(&arguments.spec, &arguments.overlay, arguments.notes)?;
    out(&explain::explain(
        &understood.api,
        &understood.facts,
        &arguments.what,
    )?);
    Ok(())
}
