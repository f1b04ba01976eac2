//! What the runtime is known to get wrong. Seeds that fail in one of these ways do not fail the test, and an entry that no
//! seed needs any more does: it is then taken out.

use crate::lies::Lie;
use crate::scenario::Scenario;

/// A fault that is known and not mended yet.
#[derive(Debug)]
pub struct Open {
    pub what: What,
    pub why: &'static str,
}

/// Which seeds it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Those with that lie.
    Lie(Lie),
    /// Those without a lie whose verdict has that text in it.
    Honest(&'static str),
}

/// All of them.
pub const OPEN: &[Open] = &[];

impl Open {
    /// The entry that a seed which failed with that verdict belongs to.
    pub fn of(scenario: &Scenario, wrong: &str) -> Option<&'static Open> {
        OPEN.iter().find(|open| match open.what {
            What::Lie(lie) => scenario.lie == Some(lie),
            What::Honest(text) => scenario.lie.is_none() && wrong.contains(text),
        })
    }
}
