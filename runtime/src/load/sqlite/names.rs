//! Names in SQL.

/// The staging table of a table.
pub(super) fn staging(table: &str) -> String {
    format!("_etl_staging__{table}")
}

/// The index of a table. Tables and indexes share their names, and `orders__id` may be the list `id` of an order.
pub(super) fn index(table: &str) -> String {
    format!("_etl_index__{table}")
}

/// An SQL identifier, without NUL characters, which SQLite cannot hold.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
}
