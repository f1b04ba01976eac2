//! Loads what is read: rows become batches, which are handed to the loader with the state that they
//! complete; the slices of children are stored, and then handed to their readers.

pub(crate) mod children;
pub(crate) mod dlt;
pub(crate) mod earlier;
pub(crate) mod loader;
pub(crate) mod output;
mod rows;
