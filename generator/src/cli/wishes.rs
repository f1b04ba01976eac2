//! What an `etlgen.toml` says of the document before anything is generated.

use std::path::{Path, PathBuf};

use super::{Failure, beside, refuse};
use crate::diagnostics::{Diagnostic, Kind};
use crate::emit::Files;
use crate::plan::overrides::{self, Overrides};
use crate::project::learned;

/// An `etlgen.toml`, or the lack of one.
pub struct Wishes<'a> {
    path: Option<&'a PathBuf>,
    pub overrides: Overrides,
    /// The file as it is.
    pub text: Option<String>,
    /// What was learnt for the crate that it stands in.
    pub learned: Files,
}

impl<'a> Wishes<'a> {
    /// Reads the file and what was learnt beside it; without a file there are no wishes.
    pub fn read(path: Option<&'a PathBuf>) -> Result<Self, Failure> {
        let Some(file) = path else {
            return Ok(Wishes {
                path,
                overrides: Overrides::default(),
                text: None,
                learned: Files::new(),
            });
        };
        let text = std::fs::read_to_string(file).map_err(|error| Diagnostic::io(file, error))?;
        let overrides = overrides::parse(&file.display().to_string(), &text)?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let learned = learned(folder)?;
        Ok(Wishes {
            path,
            overrides,
            text: Some(text),
            learned,
        })
    }

    /// Where the document is: `--spec`, else what the file says, seen from its folder.
    pub fn document(&self, spec: Option<&String>) -> Result<String, Failure> {
        if let Some(spec) = spec {
            return Ok(spec.clone());
        }
        let (Some(spec), Some(config)) = (&self.overrides.spec, self.path) else {
            return Err(refuse(
                Kind::Usage,
                "neither `--spec` nor the `spec` of etlgen.toml says where the document is",
                "write `--spec FILE` or the line `spec = \"FILE\"`",
            ));
        };
        Ok(beside(config, spec))
    }

    /// The overlays in the order they are applied: those of the file, those of the command line, what was learnt.
    pub fn overlays(&self, given: &[String]) -> Vec<String> {
        let config = self.path;
        let own = self.overrides.overlay.iter().map(|overlay| match config {
            Some(config) => beside(config, overlay),
            None => overlay.clone(),
        });
        let learned = self
            .learned
            .keys()
            .filter_map(|path| Some(beside(config?, path)));
        own.chain(given.iter().cloned()).chain(learned).collect()
    }
}
