//! `etlgen explain`.

use super::inspect::draft;
use super::{DocumentArguments, End, out};
use crate::diagnostics::Diagnostic;
use crate::explain::explain;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    document: DocumentArguments,
    /// A resource, one of its fields, or `auth`
    #[arg(value_name = "RESOURCE[.FIELD]")]
    what: String,
}

pub fn run(arguments: &Arguments) -> Result<End, Diagnostic> {
    let draft = draft(&arguments.document, true)?;
    out(&explain(&draft, &arguments.what)?);
    Ok(End::Done)
}
