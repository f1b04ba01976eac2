//! A deterministic simulation: whole runs of the runtime against an API that is a model, over a network that fails, in a
//! process that may die between any two steps, on clocks of their own. One seed decides all of it; it happens on one
//! thread and takes no time. [`play`] judges each run: what it calls complete must equal the truth.
//!
//! `ETLGEN_SEED=123 cargo test -p etlgen-simulation` plays one seed and prints what happened in it.

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
mod open;
mod panics;
mod random;
mod run;
mod scenario;
mod trace;

pub use fault::Fault;
pub use judge::Grade;
pub use lies::{Betrayal, Lie};
pub use open::{OPEN, Open, What};
pub use run::{Verdict, play};
pub use scenario::{At, Change, ListSpec, Paging, Place, RunSpec, Scenario, Total};
