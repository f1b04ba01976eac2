//! Names in SQL.

/// Returns the name of the staging table of a table.
pub(super) fn staging(table: &str) -> String {
    format!("_etl_staging__{table}")
}

/// Returns the name of the index of a table. Tables and indexes share one namespace, and
/// `orders__id` may be the table of a list `id`.
pub(super) fn index(table: &str) -> String {
    format!("_etl_index__{table}")
}

/// Quotes a name as an SQL identifier, without NUL characters, which SQLite cannot hold.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
}
