//! Opens a file for reading only: writes nothing and creates no file next to it.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

/// Opens a connection that only reads.
pub fn open(path: &Path) -> rusqlite::Result<Connection> {
    // A reader of a file with a write-ahead log creates the log and its index if they are missing. A file without a log
    // is complete by itself.
    let whole = match beside(path, "-wal").exists() {
        true => "",
        false => "&immutable=1",
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let uri = format!("file:{}?mode=ro{whole}", escaped(path));
    Connection::open_with_flags(uri, flags)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Escapes a path for a URI.
fn escaped(path: &Path) -> String {
    let path = path.to_string_lossy();
    let path = match cfg!(windows) {
        true => path.replace('\\', "/"),
        false => path.into_owned(),
    };
    path.replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23")
}
