//! A run whose slices are read by several processes: the plan lists them, each process extracts some,
//! and one commits all.
//!
//! These are the seams of [`sync`](super::sync()): the same plan, the same readers and the same loader.
//! [`begin`] stores the plan of a run in a folder or a bucket, and returns its first slices;
//! [`extract`] reads one into files beside it, and writes a receipt last; [`next`] returns the slices
//! that have no receipt, those of children among them as soon as the records of their parents are
//! there; [`commit`] puts everything into the destination at once.
//!
//! Nothing is shared but that folder. Any of these can be killed and done again, and two processes may
//! extract one slice: the first receipt counts.
//!
//! ```text
//! run.json                        the plan
//! known.json                      the slices of children that earlier runs have found
//! slices/00001.jsonl              slices, as they were planned
//! extracted/<slice>/<attempt>/…   rows as Parquet, one file per table, and what belongs to them
//! receipts/<slice>.json           what was extracted, and by which attempt
//! committed.json                  the load that has committed the run
//! ```

mod asked;
mod collected;
mod commit;
mod extract;
mod fingerprint;
mod lines;
mod next;
mod receipt;
mod receipts;
mod run_file;
mod slice;
mod stage;

pub use self::commit::{Committed, commit};
pub use self::extract::extract;
pub use self::next::{begin, next, preview};
pub use self::receipt::{Closed, Receipt};
pub use self::slice::{ChildList, Extracts, PlannedSlice};
