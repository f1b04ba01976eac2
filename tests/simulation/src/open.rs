//! The known faults of the runtime. Seeds that fail in one of these ways do not fail the test. An
//! entry that no seed needs any more fails it, and must be removed.

use crate::lies::Lie;
use crate::scenario::Scenario;

/// A known fault that is not fixed yet: seeds with this lie fail if a run of them is interrupted.
#[derive(Debug)]
pub struct Open {
    pub lie: Lie,
    pub why: &'static str,
}

/// All known faults.
pub static OPEN: &[Open] = &[
    Open {
        lie: Lie::KeyTwice,
        why: KEYS,
    },
    Open {
        lie: Lie::KeyAcrossParents,
        why: KEYS,
    },
];

const KEYS: &str = "a key that recurs in another run of the same pass is not recognised";

impl Open {
    /// Returns the entry for a seed that failed.
    pub fn of(scenario: &Scenario) -> Option<&'static Open> {
        OPEN.iter()
            .find(|open| scenario.lie == Some(open.lie) && scenario.is_interrupted())
    }
}
