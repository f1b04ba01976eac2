//! The types of columns.

use serde::{Deserialize, Serialize};

/// The type of a column.
///
/// ```
/// use etlgen_model::ColumnType;
///
/// assert_eq!(ColumnType::Int64.name(), "bigint");
/// assert_eq!(ColumnType::parse("bigint"), Some(ColumnType::Int64));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// `true` or `false`.
    Bool,
    /// A signed integer of 64 bits.
    #[serde(rename = "bigint")]
    Int64,
    /// An IEEE double.
    #[serde(rename = "double")]
    Float64,
    /// An exact number with 38 digits, 9 of them after the point.
    Decimal,
    /// UTF-8 text.
    Text,
    /// Microseconds since 1970, UTC.
    Timestamp,
    /// Days since 1970.
    Date,
    /// A UUID, carried as its 36 characters.
    Uuid,
    /// Bytes.
    #[serde(rename = "binary")]
    Bytes,
    /// A JSON document, carried as text.
    Json,
}

impl ColumnType {
    /// Returns the name used in `discover`, in stored schemas and in variant columns
    /// (`field__v_text`).
    pub fn name(self) -> &'static str {
        match self {
            ColumnType::Bool => "bool",
            ColumnType::Int64 => "bigint",
            ColumnType::Float64 => "double",
            ColumnType::Decimal => "decimal",
            ColumnType::Text => "text",
            ColumnType::Timestamp => "timestamp",
            ColumnType::Date => "date",
            ColumnType::Uuid => "uuid",
            ColumnType::Bytes => "binary",
            ColumnType::Json => "json",
        }
    }

    /// Returns the type with that [`ColumnType::name`].
    pub fn parse(name: &str) -> Option<Self> {
        use ColumnType::*;
        [
            Bool, Int64, Float64, Decimal, Text, Timestamp, Date, Uuid, Bytes, Json,
        ]
        .into_iter()
        .find(|ty| ty.name() == name)
    }
}
