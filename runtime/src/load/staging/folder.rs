//! The files of a run in a folder, which may be shared by several machines.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tempfile::NamedTempFile;

use super::{StagedFile, StagedRows, Staging};
use crate::error::{Error, ErrorKind, Result};
use crate::load::lake::errors::{failed, failed_parquet};
use crate::load::lake::files::READ_ROWS;

/// A folder.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub fn new(path: &str) -> Self {
        Folder { path: path.into() }
    }

    fn file(&self, name: &str) -> PathBuf {
        name.split('/')
            .fold(self.path.clone(), |path, part| path.join(part))
    }
}

/// Returns the error for a file that cannot be written.
fn unwritable(path: &Path, error: io::Error) -> Error {
    Error::file(ErrorKind::System, "write", path, error)
}

/// Makes the folder of a file.
fn make_room(file: &Path) -> Result<&Path> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, error))?;
    Ok(folder)
}

impl Staging for Folder {
    fn describe(&self) -> String {
        self.path.display().to_string()
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let file = self.file(name);
        match fs::read(&file) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::file(ErrorKind::System, "read", &file, error)),
        }
    }

    fn create(&self, name: &str, content: &[u8]) -> Result<bool> {
        let file = self.file(name);
        let folder = make_room(&file)?;
        let mut new = NamedTempFile::new_in(folder).map_err(|error| unwritable(&file, error))?;
        new.write_all(content)
            .and_then(|()| new.as_file().sync_all())
            .map_err(|error| unwritable(&file, error))?;
        match new.persist_noclobber(&file) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(unwritable(&file, error.error)),
        }
    }

    fn write(&self, name: &str) -> Result<Box<dyn StagedFile>> {
        let path = self.file(name);
        make_room(&path)?;
        let file = File::create(&path).map_err(|error| unwritable(&path, error))?;
        Ok(Box::new(Written {
            file: BufWriter::new(file),
            path,
        }))
    }

    fn rows(&self, name: &str) -> Result<StagedRows> {
        let path = self.file(name);
        let file = File::open(&path).map_err(|error| failed(path.display(), error))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(|builder| builder.with_batch_size(READ_ROWS).build())
            .map_err(|error| failed_parquet(path.display(), error))?;
        Ok(Box::new(reader.map(move |rows| {
            rows.map_err(|error| failed_parquet(path.display(), error.into()))
        })))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>> {
        let folder = self.file(folder);
        let unreadable = |error| Error::file(ErrorKind::System, "read", &folder, error);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(unreadable)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(unreadable)?.file_name();
            let name = name.to_string_lossy();
            // What a killed process has left.
            if !name.starts_with('.') {
                names.push(name.into_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn remove(&self, folder: &str) {
        let _ = fs::remove_dir_all(self.file(folder));
    }
}

/// A file that is written.
struct Written {
    file: BufWriter<File>,
    path: PathBuf,
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl StagedFile for Written {
    fn finish(mut self: Box<Self>) -> Result<()> {
        let done = self
            .file
            .flush()
            .and_then(|()| self.file.get_ref().sync_all());
        done.map_err(|error| unwritable(&self.path, error))
    }
}
