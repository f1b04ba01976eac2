//! The folder on disk: paths of files, the lock, the manifest, and the repair after a killed run.

use std::collections::{BTreeSet, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::batch::Retired;
use super::errors::failed;
use super::manifest::{self, FileEntry, Manifest};
use super::names::{self, DRIFT, ENDING, OWN};
use crate::error::{Error, ErrorKind, Result};
use crate::load::identity::Identity;
use crate::state::format;

/// The folder that a user named.
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    pub fn new(root: PathBuf) -> Self {
        Folder { root }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn manifest(&self) -> PathBuf {
        self.root.join(OWN).join("manifest.json")
    }

    fn staging(&self) -> PathBuf {
        self.root.join(OWN).join("staging")
    }

    /// Returns the path of a data file: in the table's folder if `placed`, otherwise in its staging
    /// folder.
    pub fn file(&self, table: &str, name: &str, placed: bool) -> PathBuf {
        let folder = match placed {
            true => self.root.join(table),
            false => self.staging().join(table),
        };
        folder.join(format!("{name}{ENDING}"))
    }

    /// Returns whether anything with that table's name exists.
    pub fn has(&self, table: &str) -> bool {
        self.root.join(table).exists()
    }

    /// Locks the folder against a second run: two runs would each continue from the same state.
    pub fn lock(&self) -> Result<Lock> {
        let own = self.root.join(OWN);
        let cannot = |error: io::Error| {
            Error::file(ErrorKind::Destination, "write", &self.root, error)
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
            Ok(()) => Ok(Lock {
                path: own.join("lock"),
                identity: Identity::from(&file.metadata().map_err(cannot)?),
                _file: file,
            }),
            Err(fs::TryLockError::WouldBlock) => Err(Error::new(
                ErrorKind::Destination,
                format!("another run is loading into `{}`", self.root.display()),
            )
            .hint("wait until it has ended, or load into another folder")),
            Err(fs::TryLockError::Error(error)) => Err(cannot(error)),
        }
    }

    /// Reads the last commit; returns an empty manifest if there is none.
    pub fn read(&self) -> Result<Manifest> {
        let path = self.manifest();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Manifest {
                    version: format::FORMAT,
                    ..Manifest::default()
                });
            }
            Err(error) => return Err(failed(&path, error)),
        };
        let broken = |why: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Destination, "the manifest cannot be used")
                .caused_by(why)
            .at(path.display().to_string())
            .hint("restore it from a backup, or load into another folder; it lists the files of the tables")
        };
        let version = manifest::version(&bytes).map_err(|error| broken(error.into()))?;
        format::check("the manifest", version)
            .map_err(|error| error.at(path.display().to_string()))?;
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|error| broken(error.into()))?;
        match manifest::fault(&manifest) {
            None => Ok(manifest),
            Some(fault) => Err(broken(fault.into())),
        }
    }

    /// Replaces the manifest, which is the commit.
    pub fn write(&self, manifest: &Manifest) -> Result<()> {
        let path = self.manifest();
        let new = path.with_extension("json.new");
        let write = || -> io::Result<()> {
            let mut out = BufWriter::new(File::create(&new)?);
            serde_json::to_writer_pretty(&mut out, manifest)?;
            out.write_all(b"\n")?;
            out.into_inner()?.sync_all()?;
            fs::rename(&new, &path)
        };
        write().map_err(|error| failed(&path, error))?;
        sync_folder(&self.root.join(OWN));
        Ok(())
    }

    /// Creates a file in the table's staging folder. Until the manifest lists the table, that folder marks the table as
    /// owned.
    pub fn create(&self, table: &str, name: &str) -> Result<PathBuf> {
        let path = self.file(table, name, false);
        let create = || {
            fs::create_dir_all(self.staging().join(table))?;
            File::create(&path)
        };
        match create() {
            Ok(_) => Ok(path),
            Err(error) => Err(failed(&path, error)),
        }
    }

    /// Moves a staged file into the table's folder.
    pub fn place(&self, table: &str, name: &str) -> Result<()> {
        let to = self.file(table, name, true);
        let place = || {
            fs::create_dir_all(self.root.join(table))?;
            fs::rename(self.file(table, name, false), &to)
        };
        place().map_err(|error| failed(&to, error))
    }

    /// Syncs files that were moved into the folders of these tables, or staged, so that they survive a power failure.
    pub fn sync(&self, tables: &BTreeSet<String>) {
        for table in tables {
            sync_folder(&self.root.join(table));
        }
        for table in entries(&self.staging()).unwrap_or_default() {
            sync_folder(&self.staging().join(table));
        }
        sync_folder(&self.staging());
        sync_folder(&self.root);
    }

    /// Marks the folder of a table as owned after the manifest has dropped it, so that a repair empties it.
    pub fn leave(&self, table: &str) -> Result<()> {
        let path = self.staging().join(table);
        fs::create_dir_all(&path).map_err(|error| failed(&path, error))
    }

    /// Removes the folder of a dropped table, unless it holds other files.
    pub fn forget(&self, table: &str) {
        let _ = fs::remove_dir(self.root.join(table));
    }

    /// Removes files that are no longer needed. The next run removes those that cannot be removed now.
    pub fn remove(&self, retired: Vec<Retired>) {
        for file in retired {
            let _ = fs::remove_file(self.file(&file.table, &file.name, file.placed));
        }
        // Folders that still have files stay.
        for folder in entries(&self.staging()).unwrap_or_default() {
            let _ = fs::remove_dir(self.staging().join(folder));
        }
    }

    /// Puts every file where the manifest says, and removes unknown ones: those of a killed run.
    pub fn repair(&self, manifest: &Manifest) -> Result<()> {
        let mut known = HashSet::new();
        for table in manifest.sources.values().flat_map(|source| &source.tables) {
            known.insert(table.name.clone());
            let (live, staging) = (
                self.root.join(&table.name),
                self.staging().join(&table.name),
            );
            for file in &table.staged {
                let (from, to) = (live.join(&file.name), staging.join(&file.name));
                if from.exists() && !to.exists() {
                    // The pass was about to be published.
                    fs::create_dir_all(&staging)
                        .and_then(|()| fs::rename(&from, &to))
                        .map_err(|error| failed(&to, error))?;
                }
            }
            settle(&live, &mut table.files.iter())?;
            settle(&staging, &mut table.staged.iter())?;
        }
        known.insert(DRIFT.to_owned());
        let mut files = manifest.sources.values().flat_map(|source| &source.drift);
        settle(&self.root.join(DRIFT), &mut files)?;
        settle(&self.staging().join(DRIFT), &mut std::iter::empty())?;
        for table in entries(&self.staging())? {
            let (live, staging) = (self.root.join(&table), self.staging().join(&table));
            if known.contains(&table) || !staging.is_dir() {
                continue;
            }
            // The table was never committed.
            sweep(&live, |_| false)?;
            // Files of a user stay.
            let _ = fs::remove_dir(live);
            fs::remove_dir_all(&staging).map_err(|error| failed(&staging, error))?;
        }
        Ok(())
    }
}

/// The lock that excludes a second run.
pub struct Lock {
    path: PathBuf,
    identity: Identity,
    /// Held as long as the folder is open. The system releases it when the process ends.
    _file: File,
}

impl Lock {
    /// Refuses a folder that was removed or replaced since the load began.
    pub fn check(&self) -> Result<()> {
        self.identity.check(&self.path)
    }
}

/// Identifies a manifest file: each commit replaces the file as a whole.
#[derive(PartialEq, Eq)]
pub struct Committed(Option<(Identity, u64, Option<SystemTime>)>);

impl Folder {
    /// Returns the identity of the current manifest file.
    pub fn committed(&self) -> Committed {
        let metadata = fs::metadata(self.manifest()).ok();
        Committed(metadata.map(|metadata| {
            let identity = Identity::from(&metadata);
            (identity, metadata.len(), metadata.modified().ok())
        }))
    }
}

/// Removes the data files of a folder that are not among these, all of which must exist.
fn settle(folder: &Path, files: &mut dyn Iterator<Item = &FileEntry>) -> Result<()> {
    let mut missing: HashSet<&str> = files.map(|file| file.name.as_str()).collect();
    sweep(folder, |name| missing.remove(name))?;
    match missing.into_iter().min() {
        None => Ok(()),
        Some(name) => Err(Error::new(
            ErrorKind::Destination,
            "this file of the last commit is missing",
        )
        .at(folder.join(name).display().to_string())
        .hint("restore it, or load into another folder")),
    }
}

/// Removes the data files of a folder except those to keep.
fn sweep(folder: &Path, mut keep: impl FnMut(&str) -> bool) -> Result<()> {
    for name in entries(folder)? {
        if names::parse(&name).is_some() && !keep(&name) {
            let path = folder.join(name);
            fs::remove_file(&path).map_err(|error| failed(&path, error))?;
        }
    }
    Ok(())
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
        names => names.map_err(|error| failed(folder, error)),
    }
}

/// Syncs the names in a folder, so that they survive a power failure, if the system can do that.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
