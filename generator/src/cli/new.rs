//! `etlgen new`.

use std::path::{Path, PathBuf};

use super::inspect::view;
use super::{DocumentArguments, End, config, out, print_missing_licenses, print_notes};
use crate::diagnostics::{Diagnostic, counted};
use crate::overrides::Ci;
use crate::project::{check_runtime, ensure_free};
use crate::{Generation, Options};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    document: DocumentArguments,
    /// Generate only these resources, comma separated, and the parents they need [default: every list]
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    resources: Vec<String>,
    /// Leave out the resources that fit this pattern (`*` is any text); may be repeated
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Generate single objects, too
    #[arg(long)]
    singles: bool,
    /// Compile only these destinations, comma separated: sqlite, parquet, postgres, duckdb, s3, gs, az, emit [default: sqlite,parquet]
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    destinations: Vec<String>,
    /// Run the connector in these ways, too, comma separated: singer, airbyte [default: its command line]
    #[arg(
        long,
        visible_alias = "host",
        value_delimiter = ',',
        value_name = "A,B"
    )]
    hosts: Vec<String>,
    /// Name of the source [default: from the document's title]
    #[arg(long)]
    name: Option<String>,
    /// Write the crate into this folder [default: ./<name>-connector]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Link this runtime: a folder or a version [default: the version of this etlgen, or the folder `runtime` of the source tree that it was built from]
    #[arg(long, value_name = "PATH|VERSION")]
    runtime: Option<String>,
    /// Make the crate a member of the workspace around it [default: if that lists it]
    #[arg(long)]
    workspace_member: bool,
    /// License of the crate, an SPDX expression [default: MIT OR Apache-2.0]
    #[arg(long, value_name = "SPDX")]
    license: Option<String>,
    /// Page where the crate is developed
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
    /// Write a workflow that tests each change
    #[arg(long, value_name = "WHERE")]
    ci: Option<Ci>,
    /// Write a Dockerfile
    #[arg(long)]
    docker: bool,
}

pub fn run(arguments: &Arguments) -> Result<End, Diagnostic> {
    let document = &arguments.document;
    document.check()?;
    if let Some(out) = &arguments.out {
        ensure_free(out)?;
    }
    if let Some(place) = &arguments.runtime {
        check_runtime(place, Path::new(""))?;
    }
    let mut options = arguments.options()?;
    let input = options
        .config
        .input(document.spec.as_deref(), &document.overlay)?;
    if document.spec.is_none() {
        let spec = options.config.overrides.top.spec.as_ref();
        options.spec = spec.map(|spec| spec.0.clone());
    }
    let generation = crate::generate(input, &options)?;
    print_notes(&generation.notes, document.notes);
    generation.write()?;
    report(&generation);
    print_missing_licenses(&generation.package, generation.folder());
    Ok(End::Done)
}

impl Arguments {
    fn options(&self) -> Result<Options, Diagnostic> {
        Ok(Options {
            config: config(self.document.config.as_ref())?,
            name: self.name.clone(),
            include: self.resources.clone(),
            exclude: self.exclude.clone(),
            singles: self.singles,
            destinations: self.destinations.clone(),
            hosts: self.hosts.clone(),
            overlays: self.document.overlay.clone(),
            out: self.out.clone(),
            runtime: self.runtime.clone(),
            workspace_member: self.workspace_member,
            license: self.license.clone(),
            repository: self.repository.clone(),
            ci: self.ci,
            docker: self.docker,
            strict: self.document.notes,
            ..Options::default()
        })
    }
}

fn report(generation: &Generation) {
    out(&generation.table(&view()));
    let folder = generation.folder().display();
    out(&format!(
        "\n{} in {folder}\n\n  cd {folder}\n  cargo run -- --help",
        counted(generation.resources().count(), "resource"),
    ));
}
