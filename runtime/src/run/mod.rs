//! The pipeline: extraction, normalisation and loading of a source, and what it reports.

mod ahead;
mod changes;
mod children;
mod dlt;
mod embedded;
pub(crate) mod evolve;
mod extract;
mod feeds;
mod fetch;
mod lane;
mod list;
mod loader;
mod options;
mod order;
mod prepare;
mod probe;
mod report;
mod sink;
mod slice;
mod stats;
mod stream;
mod sync;
mod trace;
mod walk;
mod window;

pub use crate::page::Proof;
pub use options::{Observer, Progress, RunOptions, StopSignal};
pub use probe::{check, discover, read};
pub use report::{Outcome, ResourceReport, RunReport};
pub use stream::Records;
#[cfg(feature = "cli")]
pub(crate) use sync::load_id;
pub use sync::sync;
pub(crate) use walk::{Walk, slices};
