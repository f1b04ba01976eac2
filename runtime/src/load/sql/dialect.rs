//! What differs between databases, and the names in SQL.

use xxhash_rust::xxh3::xxh3_64;

use crate::schema::{Column, ColumnType};

/// What is special about the SQL of a database.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// The longest name, in bytes.
    pub identifier_length: usize,
    /// Returns the type of a column.
    pub column_type: fn(ColumnType) -> &'static str,
    /// Names that no column may have. Such a column gets `_` at its end, which no name of a key has.
    pub reserved: &'static [&'static str],
    /// The system column that identifies a row as long as the row is not changed, and its type.
    pub row: (&'static str, &'static str),
    /// Whether tables have keys and indexes. Without them, a join reads the column of a table.
    pub has_keys: bool,
    /// Whether a table can get another name in the transaction in which its columns change; otherwise it is written again.
    pub renames_tables: bool,
    /// What declares a temporary table, so that the commit drops it. It is dropped before where possible.
    pub dropped_on_commit: &'static str,
    /// Set if a table cannot get or lose a column after its rows have changed in the same transaction, so that it is
    /// written again: the query of the statements that create the indexes of the table `$1`.
    pub indexes: Option<&'static str>,
}

impl Dialect {
    /// Quotes a name as an SQL identifier, without NUL characters.
    pub fn quoted(&self, name: &str) -> String {
        format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
    }

    /// Returns the name of a column in the database.
    pub fn column_name(&self, name: &str) -> String {
        match self.reserved.contains(&name) {
            true => format!("{name}_"),
            false => name.to_owned(),
        }
    }

    /// Returns the name of a column in the database, quoted.
    pub fn column(&self, name: &str) -> String {
        self.quoted(&self.column_name(name))
    }

    /// Returns the names of columns, quoted and separated by commas.
    pub fn list<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> String {
        let names = columns.into_iter().map(|name| self.column(name));
        names.collect::<Vec<_>>().join(", ")
    }

    /// Returns the declaration of a column.
    pub fn definition(&self, column: &Column) -> String {
        let name = self.column(&column.name);
        format!("{name} {}", (self.column_type)(column.ty))
    }

    /// Returns the name of the staging table of a table.
    pub fn staging(&self, table: &str) -> String {
        self.system("_etl_staging__", table)
    }

    /// Returns the name of the index of a table.
    pub fn index(&self, table: &str) -> String {
        self.system("_etl_index__", table)
    }

    /// Returns the name of a table while it is written again.
    pub fn rewritten(&self, table: &str) -> String {
        self.system("_etl_rewritten__", table)
    }

    /// Returns the name of the column that takes new values of a column.
    pub fn beside(&self, column: &str) -> String {
        self.system("_etl_new__", column)
    }

    /// Returns a name of ours for something of a table or column. A name that is too long gets a hash of the whole in place of its
    /// end: a database that cuts names would make two of them equal.
    fn system(&self, prefix: &str, name: &str) -> String {
        let whole = format!("{prefix}{name}");
        if whole.len() <= self.identifier_length {
            return whole;
        }
        let tag = format!("_{:016x}", xxh3_64(whole.as_bytes()));
        let mut end = self.identifier_length.saturating_sub(tag.len());
        while !whole.is_char_boundary(end) {
            end -= 1;
        }
        format!("{}{tag}", &whole[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_too_long_stay_different() {
        let dialect = Dialect {
            identifier_length: 63,
            column_type: |_| "text",
            reserved: &["xmin"],
            row: ("ctid", "tid"),
            has_keys: true,
            renames_tables: true,
            dropped_on_commit: "",
            indexes: None,
        };
        assert_eq!(dialect.staging("orders"), "_etl_staging__orders");
        let [one, other] = ["a", "b"].map(|end| format!("{}{end}", "\u{e9}".repeat(31)));
        let (one, other) = (dialect.staging(&one), dialect.staging(&other));
        assert!(one.len() <= 63 && other.len() <= 63, "{one}");
        assert_ne!(one, other);
        assert_eq!(dialect.quoted("a\"b"), "\"a\"\"b\"");
        assert_eq!(dialect.list(["xmin", "xmax"]), "\"xmin_\", \"xmax\"");
    }
}
