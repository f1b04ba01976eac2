//! Frees space: of a file by a checkpoint, of a DuckLake by its own functions.

use std::path::Path;
use std::time::Duration;

use super::client::Client;
use super::ducklake::NAME;
use crate::error::Result;
use crate::load::Vacuumed;
use crate::load::sql::{Session, Value};

/// A file of a DuckLake is written again if this share of its rows was deleted.
const DELETED: &str = "0.1";
/// A file of a DuckLake that its catalogue does not name may belong to a transaction that has not ended.
const ORPHAN_AGE: Duration = Duration::from_secs(24 * 3600);

/// Frees space; nothing is written and not committed.
pub fn vacuum(client: &mut Client, wait: Duration) -> Result<Vacuumed> {
    match client.file().map(Path::to_owned) {
        Some(path) if !client.is_lake() => file(client, &path),
        _ => lake(client, wait),
    }
}

/// Frees the space of deleted rows for new ones; the file gets no smaller.
fn file(client: &mut Client, file: &Path) -> Result<Vacuumed> {
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    let mut log = file.as_os_str().to_owned();
    log.push(".wal");
    let size = || bytes(file) + bytes(Path::new(&log));
    let before = size();
    client.script("CHECKPOINT")?;
    Ok(Vacuumed::default().bytes(before, size()))
}

/// Merges the files of a DuckLake, and removes those that its snapshots no longer need and that are older than `wait`.
fn lake(client: &mut Client, wait: Duration) -> Result<Vacuumed> {
    let mut counts = (0, 0);
    for call in [
        "ducklake_flush_inlined_data".to_owned(),
        format!("ducklake_rewrite_data_files, delete_threshold => {DELETED}"),
        "ducklake_merge_adjacent_files".to_owned(),
    ] {
        for row in called(client, &call)? {
            if let [_, _, Value::Int(before), Value::Int(after)] = row[..] {
                counts.0 += before.unsigned_abs();
                counts.1 += after.unsigned_abs();
            }
        }
    }
    let mut removed = 0;
    for (function, age) in [
        ("ducklake_cleanup_old_files", wait),
        ("ducklake_delete_orphaned_files", wait.max(ORPHAN_AGE)),
    ] {
        let seconds = age.as_secs();
        let call = format!("{function}, older_than => now() - INTERVAL '{seconds} seconds'");
        removed += called(client, &call)?.len() as u64;
    }
    Ok(Vacuumed::default()
        .orphans(removed)
        .merged(counts.0, counts.1))
}

/// Calls a function of the DuckLake; `call` is its name, and its further arguments after a comma.
fn called(client: &mut Client, call: &str) -> Result<Vec<Vec<Value>>> {
    let (function, more) = call.split_once(',').unwrap_or((call, ""));
    let more = match more {
        "" => String::new(),
        more => format!(",{more}"),
    };
    // A statement is prepared and run; DuckLake wants both in one transaction.
    client.script("BEGIN")?;
    match client.query(&format!("CALL {function}('{NAME}'{more})"), &[]) {
        Ok(rows) => client.script("COMMIT").map(|()| rows),
        Err(error) => {
            let _ = client.script("ROLLBACK");
            Err(error)
        }
    }
}
