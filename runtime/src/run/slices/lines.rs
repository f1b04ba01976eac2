//! Compressed files of JSON lines.

use std::io::{BufRead, BufReader, Cursor, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::load::staging::{StagedFile, Staging};

/// A file that is written.
pub(super) struct LinesFile {
    file: GzEncoder<Box<dyn StagedFile>>,
    name: String,
}

impl LinesFile {
    pub fn new(place: &dyn Staging, name: String) -> Result<Self> {
        let file = GzEncoder::new(place.write(&name)?, Compression::fast());
        Ok(LinesFile { file, name })
    }

    pub fn add(&mut self, line: &str) -> Result<()> {
        let added = self
            .file
            .write_all(line.as_bytes())
            .and_then(|()| self.file.write_all(b"\n"));
        added.map_err(|error| unwritable(&self.name, error))
    }

    /// Ends the file, and returns its name.
    pub fn finish(self) -> Result<String> {
        let file = self
            .file
            .finish()
            .map_err(|error| unwritable(&self.name, error))?;
        file.finish()?;
        Ok(self.name)
    }
}

fn unwritable(name: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::System, format!("cannot write `{name}`")).caused_by(error)
}

/// A file that is read.
pub(super) struct Lines {
    file: BufReader<GzDecoder<Cursor<Vec<u8>>>>,
    name: String,
}

impl Lines {
    /// Opens a file that must be there.
    pub fn open(place: &dyn Staging, name: &str) -> Result<Self> {
        let content = place.get(name)?.ok_or_else(|| {
            let message = format!("`{name}` of a receipt is missing in {}", place.describe());
            Error::new(ErrorKind::System, message)
        })?;
        Ok(Lines {
            file: BufReader::new(GzDecoder::new(Cursor::new(content))),
            name: name.to_owned(),
        })
    }

    /// Returns the next line; `None` after the last one.
    pub fn next<T: for<'de> Deserialize<'de>>(&mut self) -> Result<Option<T>> {
        let unreadable =
            || Error::new(ErrorKind::System, format!("`{}` cannot be read", self.name));
        let mut line = String::new();
        let read = self.file.read_line(&mut line);
        if read.map_err(|error| unreadable().caused_by(error))? == 0 {
            return Ok(None);
        }
        let value = serde_json::from_str(&line);
        value
            .map(Some)
            .map_err(|error| unreadable().caused_by(error))
    }
}
