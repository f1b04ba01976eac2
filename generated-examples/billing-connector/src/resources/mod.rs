//! One file per resource.

mod customers;
mod events;
mod invoices;

pub use customers::*;
pub use events::*;
pub use invoices::*;
