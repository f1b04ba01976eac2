//! A local folder as a store: paths of files, the lock, and the manifest that is renamed into place.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::read::read;
use crate::error::{Error, ErrorKind, Result};
use crate::load::identity::{Identity, overtaken};
use crate::load::lake::batch::{DataFile, Retired};
use crate::load::lake::errors::failed;
use crate::load::lake::manifest::Manifest;
use crate::load::lake::names::{ENDING, OWN};
use crate::load::lake::store::{Catalog, Each, Listing, Output, Store};

/// A local folder.
pub struct Folder {
    paths: Arc<Paths>,
}

/// Where its files are.
struct Paths {
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Folder {
            paths: Arc::new(Paths { root }),
        }
    }
}

impl Paths {
    fn manifest(&self) -> PathBuf {
        self.root.join(OWN).join("manifest.json")
    }

    fn staging(&self) -> PathBuf {
        self.root.join(OWN).join("staging")
    }

    fn table(&self, table: &str, placed: bool) -> PathBuf {
        match placed {
            true => self.root.join(table),
            false => self.staging().join(table),
        }
    }

    fn file(&self, table: &str, name: &str, placed: bool) -> PathBuf {
        self.table(table, placed).join(format!("{name}{ENDING}"))
    }

    /// Reads the last commit; returns an empty manifest if there is none.
    fn read(&self) -> Result<Manifest> {
        let path = self.manifest();
        match fs::read(&path) {
            Ok(bytes) => Manifest::parse(&bytes, &path.display().to_string()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Manifest::empty()),
            Err(error) => Err(failed(path.display(), error)),
        }
    }

    /// Replaces the manifest.
    fn write(&self, manifest: &Manifest) -> Result<()> {
        let path = self.manifest();
        let new = path.with_extension("json.new");
        let write = || -> io::Result<()> {
            let mut out = BufWriter::new(File::create(&new)?);
            serde_json::to_writer_pretty(&mut out, manifest)?;
            out.write_all(b"\n")?;
            out.into_inner()?.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(|error| failed(path.display(), error))?;
        sync_folder(&self.root.join(OWN));
        Ok(())
    }
}

impl Store for Folder {
    fn describe(&self) -> String {
        format!("parquet:{}", self.paths.root.display())
    }

    fn path(&self, file: DataFile<'_>) -> String {
        let path = self.paths.file(file.table, file.name, file.placed);
        path.display().to_string()
    }

    fn exists(&self) -> bool {
        self.paths.manifest().exists()
    }

    fn look(&self) -> Result<Manifest> {
        self.paths.read()
    }

    fn lock(&self) -> Result<Box<dyn Catalog>> {
        let root = &self.paths.root;
        let own = root.join(OWN);
        let cannot = |error: io::Error| {
            Error::file(ErrorKind::Destination, "write", root, error)
                .hint("check that it is a folder, or can be created, and is writable")
        };
        fs::create_dir_all(&own).map_err(cannot)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(own.join("lock"))
            .map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(Held {
                lock: own.join("lock"),
                identity: Identity::from(&file.metadata().map_err(cannot)?),
                _file: file,
                committed: Committed::of(&self.paths),
                paths: self.paths.clone(),
            })),
            Err(fs::TryLockError::WouldBlock) => Err(Error::new(
                ErrorKind::Destination,
                format!("another run is loading into `{}`", root.display()),
            )
            .hint("wait until it has ended, or load into another folder")),
            Err(fs::TryLockError::Error(error)) => Err(cannot(error)),
        }
    }

    fn has(&self, table: &str) -> Result<bool> {
        Ok(self.paths.root.join(table).exists())
    }

    fn create(&self, table: &str, name: &str) -> Result<Box<dyn Output>> {
        let path = self.paths.file(table, name, false);
        let create = || {
            fs::create_dir_all(self.paths.staging().join(table))?;
            File::create(&path)
        };
        match create() {
            Ok(_) => Ok(Box::new(Appended(path))),
            Err(error) => Err(failed(path.display(), error)),
        }
    }

    fn read(&self, file: DataFile<'_>, columns: &[&str], each: Each<'_>) -> Result<()> {
        let path = self.paths.file(file.table, file.name, file.placed);
        read(&path, columns, each)
    }

    fn place(&self, table: &str, name: &str) -> Result<()> {
        let to = self.paths.file(table, name, true);
        let place = || {
            fs::create_dir_all(self.paths.root.join(table))?;
            fs::rename(self.paths.file(table, name, false), &to)
        };
        place().map_err(|error| failed(to.display(), error))
    }

    fn sync(&self, tables: &BTreeSet<String>) -> Result<()> {
        let staging = self.paths.staging();
        for table in tables {
            sync_folder(&self.paths.root.join(table));
        }
        for table in entries(&staging).unwrap_or_default() {
            sync_folder(&staging.join(table));
        }
        sync_folder(&staging);
        sync_folder(&self.paths.root);
        Ok(())
    }

    fn remove(&self, files: Vec<Retired>) {
        for file in files {
            let _ = fs::remove_file(self.paths.file(&file.table, &file.name, file.placed));
        }
        // Folders that still have files stay.
        for folder in entries(&self.paths.staging()).unwrap_or_default() {
            let _ = fs::remove_dir(self.paths.staging().join(folder));
        }
    }

    fn leave(&self, table: &str) -> Result<()> {
        let path = self.paths.staging().join(table);
        fs::create_dir_all(&path).map_err(|error| failed(path.display(), error))
    }

    fn forget(&self, table: &str) {
        let _ = fs::remove_dir(self.paths.root.join(table));
    }

    fn list(&self, tables: &BTreeSet<String>) -> Result<Listing> {
        let mut listing = Listing::default();
        let staging = self.paths.staging();
        for table in entries(&staging)? {
            if staging.join(&table).is_dir() {
                let files = entries(&staging.join(&table))?;
                listing.staged.insert(table, files.into_iter().collect());
            }
        }
        let staged = listing.staged.keys();
        let all: BTreeSet<&String> = tables.iter().chain(staged).collect();
        let mut placed = Vec::new();
        for table in all {
            let files = entries(&self.paths.root.join(table))?;
            placed.push((table.clone(), files.into_iter().collect()));
        }
        listing.placed.extend(placed);
        Ok(listing)
    }

    fn restage(&self, table: &str, name: &str) -> Result<()> {
        let (from, to) = (
            self.paths.file(table, name, true),
            self.paths.file(table, name, false),
        );
        fs::create_dir_all(self.paths.staging().join(table))
            .and_then(|()| fs::rename(from, &to))
            .map_err(|error| failed(to.display(), error))
    }

    fn sweep(&self, file: &Retired) -> Result<()> {
        let path = self.paths.file(&file.table, &file.name, file.placed);
        fs::remove_file(&path).map_err(|error| failed(path.display(), error))
    }

    fn disown(&self, table: &str) -> Result<()> {
        // Files of a user stay.
        let _ = fs::remove_dir(self.paths.root.join(table));
        let staging = self.paths.staging().join(table);
        fs::remove_dir_all(&staging).map_err(|error| failed(staging.display(), error))
    }
}

/// A file that is open only while bytes are written: a source may have more tables than a process may have open files.
struct Appended(PathBuf);

impl Appended {
    fn open(&self) -> io::Result<File> {
        File::options().append(true).open(&self.0)
    }
}

impl Write for Appended {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.open()?.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for Appended {
    fn finish(&mut self) -> Result<()> {
        let synced = self.open().and_then(|file| file.sync_all());
        synced.map_err(|error| failed(self.0.display(), error))
    }
}

/// A folder that is locked for this run.
struct Held {
    paths: Arc<Paths>,
    lock: PathBuf,
    identity: Identity,
    /// Held as long as the folder is open. The system releases it when the process ends.
    _file: File,
    /// The manifest file of the last commit.
    committed: Committed,
}

impl Catalog for Held {
    fn read(&mut self) -> Result<Manifest> {
        self.committed = Committed::of(&self.paths);
        self.paths.read()
    }

    fn check(&self) -> Result<()> {
        self.identity.check(&self.lock)?;
        match Committed::of(&self.paths) == self.committed {
            true => Ok(()),
            false => Err(overtaken(self.paths.root.display())),
        }
    }

    fn exclude(&mut self, _: &Manifest) -> Result<()> {
        // The lock of a run is free when the run has ended.
        Ok(())
    }

    fn commit(&mut self, manifest: &Manifest) -> Result<()> {
        self.check()?;
        self.paths.write(manifest)?;
        self.committed = Committed::of(&self.paths);
        Ok(())
    }
}

/// Identifies a manifest file: each commit replaces the file as a whole.
#[derive(PartialEq, Eq)]
struct Committed(Option<(Identity, u64, Option<SystemTime>)>);

impl Committed {
    /// Identifies the current manifest file.
    fn of(paths: &Paths) -> Self {
        let metadata = fs::metadata(paths.manifest()).ok();
        Committed(metadata.map(|metadata| {
            let identity = Identity::from(&metadata);
            (identity, metadata.len(), metadata.modified().ok())
        }))
    }
}

/// Returns the names in a folder; none if the folder does not exist.
fn entries(folder: &Path) -> Result<Vec<String>> {
    let read = || -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        names => names.map_err(|error| failed(folder.display(), error)),
    }
}

/// Syncs the names in a folder, so that they survive a power failure, if the system can do that.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
