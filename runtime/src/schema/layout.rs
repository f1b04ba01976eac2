//! The layout of a dataset: its names and ids.

use serde::{Deserialize, Serialize};

use super::{ColumnRole, TableSchema};

/// The tables in which dlt describes its loads and its schema.
pub(crate) const DLT_LOADS: &str = "_dlt_loads";
pub(crate) const DLT_VERSION: &str = "_dlt_version";

/// Returns whether a resource of that name holds what dlt's layout records about loads, and no data
/// of the API.
pub(crate) fn is_meta(resource: &str) -> bool {
    [DLT_LOADS, DLT_VERSION].contains(&resource)
}

/// The names of the system columns, how keys become names, and the form of the ids. A source keeps the layout of its
/// first load.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// `_etl_id` and so on.
    #[default]
    Etl,
    /// dlt's layout: `_dlt_id` and so on, `_dlt_loads`, `_dlt_version`.
    Dlt,
}

impl Layout {
    /// Parses the name of a layout in `--layout`.
    pub fn parse(name: &str) -> Option<Self> {
        [Layout::Etl, Layout::Dlt]
            .into_iter()
            .find(|layout| layout.name() == name)
    }

    /// Returns its name: `etl`, `dlt`.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Etl => "etl",
            Layout::Dlt => "dlt",
        }
    }

    /// Returns the name of the column with that role; empty for values of the API.
    pub fn column(self, role: ColumnRole) -> &'static str {
        match (self, role) {
            (_, ColumnRole::Data) => "",
            (Layout::Etl, ColumnRole::RowId) => "_etl_id",
            (Layout::Etl, ColumnRole::ParentId) => "_etl_parent_id",
            (Layout::Etl, ColumnRole::RootId) => "_etl_root_id",
            (Layout::Etl, ColumnRole::ListIndex) => "_etl_list_idx",
            (Layout::Etl, ColumnRole::LoadId) => "_etl_load_id",
            (Layout::Dlt, ColumnRole::RowId) => "_dlt_id",
            (Layout::Dlt, ColumnRole::ParentId) => "_dlt_parent_id",
            (Layout::Dlt, ColumnRole::RootId) => "_dlt_root_id",
            (Layout::Dlt, ColumnRole::ListIndex) => "_dlt_list_idx",
            (Layout::Dlt, ColumnRole::LoadId) => "_dlt_load_id",
            // dlt has no such columns, so the names are etlgen's.
            (_, ColumnRole::DeletedAt) => "_etl_deleted_at",
            (_, ColumnRole::ContentHash) => "_etl_hash",
        }
    }

    /// Returns whether a column of the layout has that name, in any case.
    pub(crate) fn has_column(self, name: &str) -> bool {
        let roles = [
            ColumnRole::RowId,
            ColumnRole::ParentId,
            ColumnRole::RootId,
            ColumnRole::ListIndex,
            ColumnRole::LoadId,
            ColumnRole::DeletedAt,
            ColumnRole::ContentHash,
        ];
        let mut names = roles.into_iter().map(|role| self.column(role));
        names.any(|system| system.eq_ignore_ascii_case(name))
    }

    /// Returns the layout of existing tables; `None` if there are none. The id column is the first
    /// of each table, so that no key of the API can have its name.
    pub fn of(tables: &[TableSchema]) -> Option<Self> {
        let names = |layout: &Layout, table: &TableSchema| {
            let id = table.role(ColumnRole::RowId);
            id.is_some_and(|id| id.name == layout.column(ColumnRole::RowId))
        };
        [Layout::Etl, Layout::Dlt]
            .into_iter()
            .find(|layout| tables.iter().any(|table| names(layout, table)))
    }
}
