//! A run, which plans, reads, delivers and reports.
//!
//! [`plan`] decides, `read` reads resources into an output, `deliver` loads what was read,
//! `migrate` migrates a destination to the current declaration, and `report` counts. [`sync`] does
//! all of it.

mod batches;
mod deliver;
pub(crate) mod migrate;
mod options;
mod plan;
mod probe;
mod read;
mod report;
mod select;
mod start;
mod stream;
mod sync;

pub use crate::page::{Proof, Required};
pub use batches::{Batches, Handed};
pub use options::{Observer, Progress, RunOptions, StopSignal};
pub(crate) use plan::load_id;
pub use plan::{
    ChildSlices, OffResource, PassPlan, Problem, RequestPlan, ResourcePlan, RunPlan, Selected,
    SlicePlan, Slices, WritePlan, plan,
};
pub use probe::{check, discover, read};
pub(crate) use read::stateless::{Stateless, slices};
pub use report::{Outcome, ResourceReport, RunReport};
pub use stream::Records;
pub use sync::sync;
