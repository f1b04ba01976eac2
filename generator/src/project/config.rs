//! An `etlgen.toml` and the files next to it: the overrides of a crate's owner, and what was learned from samples.

use std::path::{Path, PathBuf};

use super::change::learned;
use super::endings::unix;
use super::place::beside;
use crate::diagnostics::{Diagnostic, Kind};
use crate::emit::Files;
use crate::overrides::{self, Overrides};
use crate::spec::Input;

/// An `etlgen.toml`, or its absence.
#[derive(Clone, Debug, Default)]
pub struct ConfigFile {
    file: Option<PathBuf>,
    pub(crate) overrides: Overrides,
    pub(crate) text: Option<String>,
    /// The overlays learned for the crate that the file belongs to, by path.
    pub(crate) learned: Files,
}

impl ConfigFile {
    /// Reads a file and the learned overlays next to it; an error names file, line and column.
    pub fn load(file: &Path) -> Result<Self, Diagnostic> {
        let text = std::fs::read_to_string(file).map_err(|error| Diagnostic::io(file, error))?;
        let learned = learned(file.parent().unwrap_or(Path::new("")))?;
        Ok(ConfigFile {
            learned,
            ..ConfigFile::parse(file, &text)?
        })
    }

    /// Reads the text of a file; an error names file, line and column.
    pub fn parse(file: &Path, text: &str) -> Result<Self, Diagnostic> {
        let text = unix(text.to_owned());
        Ok(ConfigFile {
            file: Some(file.to_owned()),
            overrides: overrides::parse(&file.display().to_string(), &text)?,
            text: Some(text),
            learned: Files::new(),
        })
    }

    /// Loads a document with its overlays, in the order in which they are applied: those of the file, the given ones,
    /// the learned ones. The default document is the `spec` of the file, relative to its folder.
    pub fn input(&self, spec: Option<&str>, overlays: &[String]) -> Result<Input, Diagnostic> {
        let spec = match (spec, &self.overrides.top.spec) {
            (Some(spec), _) => spec.to_owned(),
            (None, Some(spec)) => self.beside(&spec.0),
            (None, None) => {
                let message = "neither `--spec` nor the `spec` of etlgen.toml names the document";
                return Err(Diagnostic::error(Kind::Usage, message)
                    .with_hint("pass `--spec FILE`, or write `spec = \"FILE\"` into etlgen.toml"));
            }
        };
        let input = self.overlaid(Input::load(&spec)?, overlays)?;
        Ok(self.with_learned(input, &self.learned))
    }

    /// Returns a document with the overlays of the file, then the given ones.
    pub(crate) fn overlaid(
        &self,
        mut input: Input,
        overlays: &[String],
    ) -> Result<Input, Diagnostic> {
        let own = self.overrides.top.overlay.iter();
        let own = own.flat_map(|overlay| &overlay.0);
        let own = own.map(|overlay| self.beside(overlay));
        for overlay in own.chain(overlays.iter().cloned()) {
            input.overlays.push(Input::load(&overlay)?);
        }
        Ok(input)
    }

    /// Returns a document with the learned overlays, which are applied last.
    pub(crate) fn with_learned(&self, mut input: Input, learned: &Files) -> Input {
        let learned = learned.iter();
        let learned = learned.map(|(path, text)| Input::new(self.beside(path), text.as_bytes()));
        input.overlays.extend(learned);
        input
    }

    /// Resolves a URL, or a file relative to the folder of `etlgen.toml`.
    pub(crate) fn beside(&self, file: &str) -> String {
        match &self.file {
            Some(config) => beside(config, file),
            None => file.to_owned(),
        }
    }
}
