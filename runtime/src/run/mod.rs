//! The pipeline: extraction, normalisation and loading of a source, and what it reports.

mod options;
mod report;

pub use options::{Observer, Progress, RunOptions};
pub use report::{Outcome, Proof, ResourceReport, RunReport};
