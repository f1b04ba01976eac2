//! The vocabulary that etlgen shares with the connectors that it writes. The facts of an API
//! document, `etlgen.toml`, a lock and the declarations of a connector use these types.
//!
//! Each type holds only the data that it needs. A value that is incomplete or contradicts itself
//! cannot be read; the error names the key.
//!
//! ```
//! use etlgen_model::Paginator;
//!
//! let said: Paginator = toml::from_str(
//!     r#"
//!     kind = "token"
//!     param = "after"
//!     next = "meta.next"
//!     "#,
//! )?;
//! assert_eq!(said, Paginator::token("after", "meta.next").into());
//!
//! let wrong = toml::from_str::<Paginator>(r#"kind = "token""#).unwrap_err();
//! assert!(wrong.message().starts_with("`token` needs `param`"));
//! # Ok::<(), toml::de::Error>(())
//! ```

#![warn(missing_docs)]

mod column;
mod contract;
mod count;
mod cursor;
mod embedded;
mod flag;
mod host;
mod length;
mod near;
mod paginator;
mod parent;
mod response_path;
mod rows;
mod windows;

pub use column::ColumnType;
pub use contract::{Contract, Entity, Mode};
pub use count::counted;
pub use cursor::{Meaning, Order, TimeFormat};
pub use embedded::{Embedded, EmbeddedPlace};
pub use flag::{RESERVED, flag};
pub use host::is_private_host;
pub use length::Length;
pub use near::{distance, nearest};
pub use paginator::{
    Common, Key, Kind, LastId, LinkHeader, NextUrl, Offset, PageNumber, PageSize, Paginator, Token,
    Total,
};
pub use parent::Parent;
pub use response_path::ResponsePath;
pub use rows::{Deletes, Disposition, StatusRule};
pub use windows::Windows;
