//! A deterministic simulation: whole runs of the runtime against an API that is a model, over a
//! network that fails, in a process that may die between any two steps, with virtual clocks. One
//! seed determines everything. A simulation uses one thread and does not wait. [`play`] judges each
//! run: a table that the run reports as complete must equal the data of the API.
//!
//! `ETLGEN_SEED=123 cargo test -p etlgen-simulation` plays one seed and prints its trace.

pub mod api;
mod clock;
mod connector;
mod dest;
pub mod examples;
mod fault;
pub mod generate;
mod judge;
mod lies;
mod life;
mod net;
mod panics;
mod random;
mod run;
mod scenario;
mod trace;

pub use fault::Fault;
pub use judge::Grade;
pub use lies::{Betrayal, Lie};
pub use run::{Verdict, play, play_watched};
pub use scenario::{At, Change, ListSpec, Paging, Place, RunSpec, Scenario, Total};
