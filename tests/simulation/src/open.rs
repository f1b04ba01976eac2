//! The known faults of the runtime. Seeds that fail in one of these ways do not fail the test. An
//! entry that no seed needs any more fails it, and must be removed.

use std::fmt;

use crate::lies::Lie;
use crate::scenario::Scenario;

/// A known fault that is not fixed yet.
#[derive(Debug)]
pub struct Open {
    pub what: What,
    pub why: &'static str,
    /// A scenario that shows it, if few seeds do.
    pub example: Option<fn() -> Scenario>,
}

/// The seeds that it fails.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// Those with that lie.
    Lie(Lie),
    /// Those for which this returns true, with any lie. It gets the scenario and the fault that was
    /// found.
    When(fn(&Scenario, &str) -> bool),
}

/// All known faults.
pub static OPEN: &[Open] = &[lie(Lie::KeyTwice, KEYS), lie(Lie::KeyAcrossParents, KEYS)];

const KEYS: &str = "a key that recurs in another run of the same pass is not recognised";

const fn lie(lie: Lie, why: &'static str) -> Open {
    Open {
        what: What::Lie(lie),
        why,
        example: None,
    }
}

impl Open {
    /// Returns the entry for a seed that failed with that verdict.
    pub fn of(scenario: &Scenario, wrong: &str) -> Option<&'static Open> {
        OPEN.iter().find(|open| match open.what {
            What::Lie(lie) => scenario.lie == Some(lie),
            What::When(when) => when(scenario, wrong),
        })
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            What::Lie(lie) => write!(f, "{lie:?}"),
            What::When(_) => f.write_str("whatever the API says"),
        }
    }
}
