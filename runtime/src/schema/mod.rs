//! What a table looks like, what may become of it, and the batches that travel to a destination.

mod contract;
mod drift;
mod layout;
mod lines;

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};

pub use contract::ContractRule;
pub(crate) use contract::discards_rows;
pub use drift::{Done, Drifted};
/// What may become of the tables, for [`Resource::contract`](crate::source::Resource::contract).
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
/// What becomes of records that the API has no more, for [`Resource::deletes`](crate::source::Resource::deletes).
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
/// How new rows meet old ones, for [`Resource::write`](crate::source::Resource::write).
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

/// The Arrow type of a column's arrays.
///
/// ```
/// use etlgen_runtime::arrow_schema::DataType;
/// use etlgen_runtime::schema::{ArrowType, ColumnType};
///
/// assert_eq!(ColumnType::Int64.arrow(), DataType::Int64);
/// ```
pub trait ArrowType {
    /// The Arrow type of the arrays that carry it.
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

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnRole {
    /// A value of the API.
    Data,
    /// `_etl_id`: names the row; unique in its table.
    RowId,
    /// `_etl_parent_id`: the `_etl_id` of the row that a child row belongs to.
    ParentId,
    /// `_etl_root_id`: the `_etl_id` of the record that a child row belongs to.
    RootId,
    /// `_etl_list_idx`: the position of a child row in its list, from 0.
    ListIndex,
    /// `_etl_load_id`: the load that brought the row (root tables only).
    LoadId,
    /// `_etl_deleted_at`: when it was found that the API has the record no more (root tables only).
    DeletedAt,
}

impl ColumnRole {
    const ALL: [(ColumnRole, &str); 7] = [
        (ColumnRole::Data, "data"),
        (ColumnRole::RowId, "row_id"),
        (ColumnRole::ParentId, "parent_id"),
        (ColumnRole::RootId, "root_id"),
        (ColumnRole::ListIndex, "list_index"),
        (ColumnRole::LoadId, "load_id"),
        (ColumnRole::DeletedAt, "deleted_at"),
    ];

    /// The name used in stored schemas.
    pub fn name(self) -> &'static str {
        ColumnRole::ALL
            .iter()
            .find(|(role, _)| *role == self)
            .map_or("data", |(_, name)| name)
    }

    /// The role of that [`ColumnRole::name`].
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
    /// What it holds.
    pub ty: ColumnType,
    /// What it is for.
    pub role: ColumnRole,
    /// Where its values stand in the record or list item: a JSON pointer; empty for columns of our own.
    pub path: String,
}

impl Column {
    /// A column of that name, type and role; `path` is a JSON pointer, empty for a system column.
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

    /// The Arrow field of this column; every column may be null.
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
    /// Where its list stands in a row of the parent: a JSON pointer; empty for a root table.
    pub path: String,
    /// In the order in which they were first seen; columns are only ever added.
    pub columns: Vec<Column>,
}

impl TableSchema {
    /// The root table of a resource; for a child table set `parent` and `path`.
    pub fn new(name: impl Into<String>, resource: impl Into<String>, columns: Vec<Column>) -> Self {
        TableSchema {
            name: name.into(),
            resource: resource.into(),
            parent: None,
            path: String::new(),
            columns,
        }
    }

    /// Whether it holds what dlt's layout says of loads (`_dlt_loads`, `_dlt_version`), and no records of the API.
    pub fn is_meta(&self) -> bool {
        is_meta(&self.resource)
    }

    /// The column of that role, if the table has one.
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
    /// Rows of that table.
    pub fn new(schema: Arc<TableSchema>, rows: RecordBatch) -> Self {
        TableBatch { schema, rows }
    }
}
