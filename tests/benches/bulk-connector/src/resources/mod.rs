//! One file per resource.

mod invoices;

pub use invoices::*;
