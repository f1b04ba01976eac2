//! Gives the space that removed rows have left back to the file system.

use super::Open;
use super::names::{quoted, staging};
use crate::load::{Vacuum, Vacuumed};

impl Open {
    /// The transaction has begun.
    pub fn vacuum(&mut self, vacuum: &Vacuum) -> rusqlite::Result<Vacuumed> {
        let tables = self.tables.values();
        for table in tables.filter(|table| !vacuum.staged.contains(&table.resource)) {
            let name = quoted(&staging(&table.name));
            self.db
                .execute_batch(&format!("DROP TABLE IF EXISTS {name}"))?;
        }
        self.db.execute_batch("COMMIT")?;
        self.in_transaction = false;
        let before = self.size()?;
        self.db
            .execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")?;
        Ok(Vacuumed::default().bytes(before, self.size()?))
    }

    /// Returns the bytes of the database, without its log.
    fn size(&self) -> rusqlite::Result<u64> {
        let number = |name: &str| -> rusqlite::Result<i64> {
            self.db.pragma_query_value(None, name, |row| row.get(0))
        };
        let size = number("page_count")?.saturating_mul(number("page_size")?);
        Ok(size.unsigned_abs())
    }
}
