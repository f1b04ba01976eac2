//! `etlgen learn`.

use std::path::PathBuf;

use super::{End, out, print_notes};
use crate::diagnostics::Diagnostic;
use crate::learn::{learn, samples};
use crate::spec::Input;

#[derive(clap::Args)]
pub struct Arguments {
    /// A resource of the crate that the document describes without a schema
    #[arg(value_name = "RESOURCE")]
    resource: String,
    /// Folder of the crate
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// Print the new file of the resource, and write nothing
    #[arg(long)]
    print: bool,
}

pub fn run(arguments: &Arguments) -> Result<End, Diagnostic> {
    let read = || {
        let text = Input::load("-")?;
        samples("<stdin>", &String::from_utf8_lossy(&text.bytes))
    };
    let learned = learn(&arguments.out, &arguments.resource, read)?;
    print_notes(&learned.notes, false);
    if arguments.print {
        out(&learned.text);
        return Ok(End::Done);
    }
    let (file, overlay) = (learned.file.clone(), learned.overlay.clone());
    learned.apply()?;
    out(&format!(
        "{file}\n{overlay}: names and types, no values; each generation applies it"
    ));
    Ok(End::Done)
}
