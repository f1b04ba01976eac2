//! The start of a resource's declaration: the type of its records.

use super::resource::Resource;
use crate::record::Record;

/// Starts the declaration of a resource with the type of its records: `Invoice::list("invoices",
/// "/v1/invoices")`. Every [`Record`] has it.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Invoice {
///     id: Option<String>,
///     total: Option<i64>,
/// }
///
/// let invoices = Invoice::list("invoices", "/v1/invoices")
///     .filter(|invoice| invoice.total > Some(0))
///     .records("data")
///     .primary_key([Invoice::ID]);
///
/// // Records of any shape, each as one JSON value.
/// let settings = Json::single("settings", "/v1/settings");
/// # let _ = (invoices, settings);
/// ```
pub trait RecordExt: Record {
    /// Declares the resource `name`: a list read with GET. `path` starts at the source's base URL
    /// and may contain `{parameters}`.
    fn list(name: &str, path: &str) -> Resource<Self> {
        Resource::new(name, path, false)
    }

    /// Declares the resource `name`: one object read with GET, loaded as a table of one row. `path`
    /// is as for [`RecordExt::list`].
    fn single(name: &str, path: &str) -> Resource<Self> {
        Resource::new(name, path, true)
    }
}

impl<T: Record> RecordExt for T {}
