//! Errors of DuckDB, with a hint.

use crate::error::{Error, ErrorKind};

/// Explains an error.
pub fn explain(error: impl Into<adbc_core::error::Error>) -> Error {
    let error = error.into();
    of_text(&error.message)
}

fn of_text(told: &str) -> Error {
    // The lines after it show a statement; of a DuckLake, the second one says why.
    let mut lines = told.lines();
    let first = lines.next().unwrap_or_default();
    let why = lines
        .next()
        .filter(|_| first.ends_with("DuckLake transaction."));
    let told = &[first, why.unwrap_or_default()].join(" ");
    let told = told.trim_end();
    let has = |part: &str| told.contains(part);
    if has("Conflicting lock is held") || has("File is already open in") {
        let holder = holder(told).map_or(String::new(), |pid| format!(" (process {pid})"));
        return Error::new(
            ErrorKind::Destination,
            format!("another program has opened the file{holder}"),
        )
        .hint(
            "only one program may open a DuckDB file for writing: close it there, and run again",
        );
    }
    if has("TransactionContext Error") && has("onflict") {
        let message =
            format!("another run has loaded into the database since this one began: {told}");
        return Error::new(ErrorKind::Destination, message)
            .hint("this commit was not written; run again, one run at a time: it continues from the last commit");
    }
    let hint = if has("No space left") || has("Out of Memory Error: failed to offload") {
        "free some space and run again: it continues from the last commit"
    } else if has("Out of Memory") {
        "give DuckDB more memory: `?memory_limit=1GB`"
    } else if has("not a valid DuckDB database file") || has("Serialization Error") {
        "it is not a DuckDB database, or one of a later version: name another file, or install a newer DuckDB"
    } else if has("Permission denied") || has("read-only") || has("Read-only") {
        "check that the file and its folder are writable"
    } else if has("motherduck") || has("MotherDuck") {
        "the token of MotherDuck comes from the environment variable `motherduck_token`"
    } else {
        "the current commit was not written; earlier commits are intact"
    };
    Error::new(ErrorKind::Destination, format!("DuckDB answered: {told}")).hint(hint)
}

/// Returns the number of the process that has opened a file, if DuckDB tells it.
fn holder(told: &str) -> Option<&str> {
    let (_, after) = told.split_once("(PID ")?;
    let pid = after.split_once(')')?.0;
    pid.bytes().all(|byte| byte.is_ascii_digit()).then_some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_that_has_opened_a_file_is_named() {
        let linux = "IO Error: Could not set lock on file \"/a.db\": Conflicting lock is held in /usr/bin/python3.11 (PID 1234). See also https://duckdb.org/docs";
        let windows = "IO Error: Cannot open file \"a.db\": File is already open in C:\\python.exe (PID 1234)";
        for told in [linux, windows] {
            let message = of_text(told).message().to_owned();
            assert_eq!(
                message,
                "another program has opened the file (process 1234)"
            );
        }
        let unknown = of_text(
            "IO Error: Could not set lock on file \"/a.db\": Conflicting lock is held in PID 0.",
        );
        assert_eq!(unknown.message(), "another program has opened the file");
    }

    #[test]
    fn an_error_is_one_line_with_a_way_out() {
        let error =
            of_text("Out of Memory Error: could not allocate block\n\nLINE 1: SELECT 's3cret'");
        assert_eq!(
            error.report(),
            "DuckDB answered: Out of Memory Error: could not allocate block\n  hint: give DuckDB more memory: `?memory_limit=1GB`"
        );
    }
}
