//! The place of each column and child table in a nested record.

use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ColumnRole, TableSchema};

/// A place in a record or an item: what may be there.
#[derive(Default)]
pub(super) struct Place {
    /// The columns for values of this place.
    pub columns: Vec<usize>,
    /// The table with the items of a list at this place.
    pub list: Option<usize>,
    /// The keys of an object at this place, in the order of their columns.
    pub keys: Vec<(String, Place)>,
}

impl Place {
    /// Returns the place below this one that a path names.
    fn at(&mut self, path: &str) -> &mut Place {
        let mut place = self;
        for key in path.split('/').skip(1) {
            place = place.key(&key.replace("~1", "/").replace("~0", "~"));
        }
        place
    }

    fn key(&mut self, key: &str) -> &mut Place {
        let at = self.keys.iter().position(|(known, _)| known == key);
        let at = at.unwrap_or_else(|| {
            self.keys.push((key.to_owned(), Place::default()));
            self.keys.len() - 1
        });
        &mut self.keys[at].1
    }
}

/// Returns the place of the rows of each table; a parent comes before its children.
pub(super) fn places(tables: &[&TableSchema]) -> Result<Vec<Place>> {
    let mut places: Vec<Place> = tables.iter().map(|_| Place::default()).collect();
    for (number, table) in tables.iter().enumerate() {
        for (at, column) in table.columns.iter().enumerate() {
            if column.role != ColumnRole::Data {
                continue;
            }
            // What is copied from the parent's record is no value of the record itself.
            let place = match column.path.starts_with('~') {
                true => places[number].key(&column.name),
                false => places[number].at(&column.path),
            };
            place.columns.push(at);
        }
        let Some(parent) = &table.parent else {
            continue;
        };
        let above = tables[..number].iter().position(|it| it.name == *parent);
        let above = above.ok_or_else(|| {
            let message = format!("`{}` comes before its parent `{parent}`", table.name);
            Error::new(ErrorKind::System, message)
        })?;
        places[above].at(&table.path).list = Some(number);
    }
    Ok(places)
}
