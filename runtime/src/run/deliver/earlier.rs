//! The records that interrupted runs of a pass have loaded. A record of the resumed pass with the
//! key of one of them replaces it, and may be another record.

use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, ErrorKind, Result};
use crate::load::{Brought, Destination};
use crate::page::Distinct;
use crate::run::plan::{self, ResourcePlan, Slices};
use crate::run::read::rows::{Origin, RowPlace};
use crate::schema::{ColumnRole, ColumnType, Disposition, TableSchema};
use crate::source::{AnyResource, placeholders};

/// What to read of the rows that interrupted runs of a pass have loaded.
pub(crate) struct Recall {
    table: TableSchema,
    pass: String,
    staged: bool,
    /// The columns with the parameters of the row's slice, sorted by the names of the parameters;
    /// `None` if the table does not have all of them.
    parameters: Option<Vec<(String, String)>>,
}

/// The rows that interrupted runs of a pass have loaded, each as one number.
pub(crate) struct Earlier {
    /// Their ids.
    ids: Distinct,
    /// Each id with its slice.
    of_slices: Distinct,
    /// The names of the parameters that tell slices apart; `None` if rows do not have all of them.
    parameters: Option<Vec<String>>,
}

impl Recall {
    /// Returns what a run must know of earlier runs; `None` if no pass is resumed in which a row may
    /// replace another one.
    pub fn of(resource: &dyn AnyResource, plan: &ResourcePlan) -> Option<Self> {
        let (spec, write) = (resource.spec(), &plan.write);
        let replaces = !spec.primary_key.is_empty() && write.disposition != Disposition::Append;
        let continues = match (&plan.slices, &spec.cursor) {
            (Slices::One(slice), Some(cursor)) => plan::continues(cursor, &slice.state),
            _ => false,
        };
        if !plan.loads || !replaces || !plan.pass.resumes && !continues {
            return None;
        }
        let mut tables = write.there.iter();
        let table = tables.find(|table| table.parent.is_none())?.clone();
        let names = spec.path_columns(resource.schema());
        let all = placeholders(&spec.path).filter(|name| !spec.path_values.contains_key(*name));
        let whole = spec.parent.is_none() || all.count() == names.len() && !names.is_empty();
        let column = |name: String| {
            let path = format!("~parent/{name}");
            let mut columns = table.columns.iter();
            let column = columns.find(|column| column.path == path)?;
            (column.ty == ColumnType::Text).then(|| (name, column.name.clone()))
        };
        let parameters: Option<Vec<_>> = names.into_iter().map(column).collect();
        Some(Recall {
            pass: plan.pass.id.clone(),
            staged: plan.pass.staged,
            parameters: parameters.filter(|_| whole),
            table,
        })
    }

    /// Reads the rows; `None` if the destination cannot do that.
    pub fn read(&self, destination: &mut dyn Destination) -> Result<Option<Earlier>> {
        let Some(id) = self.table.role(ColumnRole::RowId) else {
            return Ok(None);
        };
        let parameters = self.parameters.as_deref().unwrap_or_default();
        let names = parameters.iter().map(|(name, _)| name.clone());
        let mut earlier = Earlier {
            ids: Distinct::default(),
            of_slices: Distinct::default(),
            parameters: self.parameters.is_some().then(|| names.collect()),
        };
        let mut columns = vec![id.name.as_str()];
        columns.extend(parameters.iter().map(|(_, column)| column.as_str()));
        let rows = Brought::new(&self.table, &columns, &self.pass).staged(self.staged);
        let known = destination.brought(&rows, &mut |texts| {
            if let Some((Some(id), slice)) = texts.split_first() {
                earlier.add(id, slice).map_err(uncounted)?;
            }
            Ok(())
        })?;
        Ok(known.then_some(earlier))
    }
}

impl Earlier {
    fn add(&mut self, id: &str, slice: &[Option<&str>]) -> std::io::Result<()> {
        self.ids.add_one(of(id, &[]))?;
        if self.parameters.is_some() {
            self.of_slices.add_one(of(id, slice))?;
        }
        Ok(())
    }

    /// Returns whether a row replaces one of them that may be another record. A list that is read
    /// from its start again brings its own rows again.
    pub fn is_replaced(&mut self, id: &str, row: &RowPlace, from: &Origin<'_>) -> Result<bool> {
        if !self.ids.contains(of(id, &[])).map_err(uncounted)? {
            return Ok(false);
        }
        let Some(names) = &self.parameters else {
            return Ok(true);
        };
        let parameter = |name: &String| from.columns.get(name)?.as_deref();
        let slice: Vec<Option<&str>> = names.iter().map(parameter).collect();
        let same = self.of_slices.contains(of(id, &slice)).map_err(uncounted)?;
        Ok(!same || from.resumed && row.is_first)
    }
}

/// Returns the number of a row in a slice.
fn of(id: &str, slice: &[Option<&str>]) -> u64 {
    let mut bytes = id.as_bytes().to_vec();
    for value in slice {
        let value = value.unwrap_or_default();
        bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
        bytes.extend_from_slice(value.as_bytes());
    }
    xxh3_64(&bytes)
}

fn uncounted(error: std::io::Error) -> Error {
    let message = "the keys of earlier runs cannot be kept in a temporary file";
    Error::new(ErrorKind::System, message).caused_by(error)
}
