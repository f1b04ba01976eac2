//! The names that a generated file uses.

pub use crate::cursor::{Cursor, TimeFormat, days, hours};
pub use crate::error::{Error, ErrorKind, Result};
pub use crate::http::{Auth, Login, StatusRule};
pub use crate::page::Paginator;
pub use crate::record::{
    Bytes, Date, Decimal, Dynamic, Json, Record, Row, Timestamp, UnixMillis, UnixTime, Uuid,
};
pub use crate::schema::{Contract, Deletes, Disposition, Mode};
pub use crate::settings::{Secret, Settings};
pub use crate::source::{Change, Embedded, RecordExt, Resource, Source};
pub use serde_json::json;
