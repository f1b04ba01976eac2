//! Errors of Postgres, with a hint.

use tokio_postgres::error::SqlState;

use crate::error::{Error, ErrorKind};

/// Explains an error. `ignored` says why a file of passwords was ignored.
pub fn explain(error: tokio_postgres::Error, ignored: Option<&str>) -> Error {
    let hint = match error.code() {
        Some(code) => of_state(code, ignored),
        None if error.is_closed() => {
            "the connection ended: run again; it continues from the last commit".to_owned()
        }
        None => "check the host, the port and `sslmode` of the URL, and run again".to_owned(),
    };
    let message = match error.as_db_error() {
        // The detail of such an error may hold values of rows.
        Some(told) => format!("the database answered: {}", told.message()),
        None => "the database cannot be reached".to_owned(),
    };
    let failed = Error::new(ErrorKind::Destination, message).hint(hint);
    match error.as_db_error() {
        Some(_) => failed,
        None => failed.caused_by(error),
    }
}

fn of_state(code: &SqlState, ignored: Option<&str>) -> String {
    let hint = match *code {
        SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            let hint = "the password comes from the URL, `PGPASSWORD` or `~/.pgpass`";
            return match ignored {
                Some(ignored) => format!("{hint}; {ignored}"),
                None => hint.to_owned(),
            };
        }
        SqlState::INVALID_CATALOG_NAME => "create the database, or name another one in the URL",
        SqlState::INSUFFICIENT_PRIVILEGE | SqlState::INVALID_SCHEMA_NAME => {
            "name a schema in which the user may create tables: `?schema=NAME`; it is created if the user may do so"
        }
        SqlState::DISK_FULL | SqlState::OUT_OF_MEMORY => {
            "free some space and run again: it continues from the last commit"
        }
        SqlState::LOCK_NOT_AVAILABLE => "another session has locked a table: end it and run again",
        SqlState::READ_ONLY_SQL_TRANSACTION => "name the primary server, not a read-only copy",
        SqlState::TOO_MANY_CONNECTIONS => "wait until other sessions have ended, and run again",
        _ => "the current commit was not written; earlier commits are intact",
    };
    hint.to_owned()
}
