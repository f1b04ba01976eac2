//! What becomes of what is read: rows become batches, and leave for the loader together with the state that they
//! complete; the slices of children are remembered, and then handed to their readers.

pub(crate) mod children;
pub(crate) mod dlt;
pub(crate) mod loader;
pub(crate) mod output;
mod rows;
