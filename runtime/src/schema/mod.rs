//! Schemas of tables, contracts about them, and batches of rows for a destination.

mod contract;
mod drift;
mod layout;
mod lines;
mod nested;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};

pub use contract::ContractRule;
pub(crate) use contract::discards_rows;
pub use drift::{Done, Drifted};
/// How tables may change, for [`Resource::contract`](crate::source::Resource::contract).
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Order {
///     id: Option<String>,
/// }
///
/// let contract = Contract::evolve().columns(Mode::Freeze);
/// let orders = Order::list("orders", "/orders").contract(contract);
/// # let _ = orders;
/// ```
#[doc(inline)]
pub use etlgen_model::Contract;
/// The treatment of records that the API no longer has, for
/// [`Resource::deletes`](crate::source::Resource::deletes).
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Customer {
///     id: Option<String>,
/// }
///
/// let customers = Customer::list("customers", "/customers")
///     .primary_key(Customer::ID)
///     .deletes(Deletes::Soft);
/// # let _ = customers;
/// ```
#[doc(inline)]
pub use etlgen_model::Deletes;
/// How new rows are combined with existing ones, for
/// [`Resource::write`](crate::source::Resource::write).
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Rate {
///     day: Option<Date>,
/// }
///
/// // Each run replaces all rows.
/// let rates = Rate::list("rates", "/rates").write(Disposition::Replace);
/// # let _ = rates;
/// ```
#[doc(inline)]
pub use etlgen_model::Disposition;
pub(crate) use etlgen_model::Entity;
#[doc(inline)]
pub use etlgen_model::{ColumnType, Mode};
pub use layout::Layout;
pub(crate) use layout::{DLT_LOADS, DLT_VERSION, is_meta};
pub use nested::NestedRecords;
#[cfg(any(feature = "cli", feature = "emit"))]
pub(crate) use nested::{Dialect, Shape};

/// The Arrow type of a column's arrays.
///
/// ```
/// use etlgen_runtime::arrow_schema::DataType;
/// use etlgen_runtime::schema::{ArrowType, ColumnType};
///
/// assert_eq!(ColumnType::Int64.arrow(), DataType::Int64);
/// ```
pub trait ArrowType {
    /// Returns the Arrow type of the arrays that carry it.
    fn arrow(self) -> DataType;
}

impl ArrowType for ColumnType {
    fn arrow(self) -> DataType {
        match self {
            ColumnType::Bool => DataType::Boolean,
            ColumnType::Int64 => DataType::Int64,
            ColumnType::Float64 => DataType::Float64,
            ColumnType::Decimal => DataType::Decimal128(38, 9),
            ColumnType::Text | ColumnType::Uuid | ColumnType::Json => DataType::Utf8,
            ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            ColumnType::Date => DataType::Date32,
            ColumnType::Bytes => DataType::Binary,
        }
    }
}

/// The purpose of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnRole {
    /// A value of the API.
    Data,
    /// `_etl_id`: identifies the row; unique in its table.
    RowId,
    /// `_etl_parent_id`: the `_etl_id` of the row that a child row belongs to.
    ParentId,
    /// `_etl_root_id`: the `_etl_id` of the record that a child row belongs to.
    RootId,
    /// `_etl_list_idx`: the position of a child row in its list, from 0.
    ListIndex,
    /// `_etl_load_id`: the load that wrote the row: the last one in which the record was new or changed (root tables
    /// only).
    LoadId,
    /// `_etl_deleted_at`: when a run found that the API no longer has the record (root tables only).
    DeletedAt,
    /// `_etl_hash`: 64 bits of a hash of the record's content, without system columns and with its child rows (root
    /// tables of records that are merged); null: it is not known. A record with the same hash is not written again.
    ContentHash,
}

impl ColumnRole {
    const ALL: [(ColumnRole, &str); 8] = [
        (ColumnRole::Data, "data"),
        (ColumnRole::RowId, "row_id"),
        (ColumnRole::ParentId, "parent_id"),
        (ColumnRole::RootId, "root_id"),
        (ColumnRole::ListIndex, "list_index"),
        (ColumnRole::LoadId, "load_id"),
        (ColumnRole::DeletedAt, "deleted_at"),
        (ColumnRole::ContentHash, "content_hash"),
    ];

    /// Returns the name used in stored schemas.
    pub fn name(self) -> &'static str {
        ColumnRole::ALL
            .iter()
            .find(|(role, _)| *role == self)
            .map_or("data", |(_, name)| name)
    }

    /// Parses a [`ColumnRole::name`].
    pub fn parse(name: &str) -> Option<Self> {
        ColumnRole::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(role, _)| *role)
    }
}

/// One column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Column {
    /// The name in the destination.
    pub name: String,
    /// The type of its values.
    pub ty: ColumnType,
    /// Its purpose.
    pub role: ColumnRole,
    /// The place of its values in the record or list item: a JSON pointer; empty for system columns.
    pub path: String,
}

impl Column {
    /// Creates a column with this name, type and role; `path` is a JSON pointer, empty for a system
    /// column.
    pub fn new(
        name: impl Into<String>,
        ty: ColumnType,
        role: ColumnRole,
        path: impl Into<String>,
    ) -> Self {
        Column {
            name: name.into(),
            ty,
            role,
            path: path.into(),
        }
    }

    /// Returns the Arrow field of this column; every column may be null.
    pub fn arrow_field(&self) -> Field {
        Field::new(&self.name, self.ty.arrow(), true)
    }
}

/// A root table (one row per record) or a child table (one row per element of a list).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TableSchema {
    /// The name in the destination.
    pub name: String,
    /// The resource that fills it.
    pub resource: String,
    /// The table that it is a child of; `None` for a root table.
    pub parent: Option<String>,
    /// The place of its list in a row of the parent: a JSON pointer; empty for a root table.
    pub path: String,
    /// The columns in the order in which they were first seen; columns are only ever added.
    pub columns: Vec<Column>,
}

impl TableSchema {
    /// Creates the root table of a resource; for a child table set `parent` and `path`.
    pub fn new(name: impl Into<String>, resource: impl Into<String>, columns: Vec<Column>) -> Self {
        TableSchema {
            name: name.into(),
            resource: resource.into(),
            parent: None,
            path: String::new(),
            columns,
        }
    }

    /// Returns whether it holds what dlt's layout records about loads (`_dlt_loads`,
    /// `_dlt_version`), and no records of the API.
    pub fn is_meta(&self) -> bool {
        is_meta(&self.resource)
    }

    /// Returns the columns of a later schema of this table that it lacks.
    pub(crate) fn lacks(&self, later: &TableSchema) -> Vec<Column> {
        let has = |name: &str| self.columns.iter().any(|column| column.name == name);
        let new = later.columns.iter().filter(|column| !has(&column.name));
        new.cloned().collect()
    }

    /// Returns the column with that role, if the table has one.
    pub fn role(&self, role: ColumnRole) -> Option<&Column> {
        self.columns.iter().find(|column| column.role == role)
    }
}

/// Rows of one table. The batch has exactly the schema's columns, in its order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TableBatch {
    /// The table.
    pub schema: Arc<TableSchema>,
    /// Its rows.
    pub rows: RecordBatch,
}

impl TableBatch {
    /// Creates a batch of rows of that table.
    pub fn new(schema: Arc<TableSchema>, rows: RecordBatch) -> Self {
        TableBatch { schema, rows }
    }
}
