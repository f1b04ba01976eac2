//! The known faults of the runtime. Seeds that fail in one of these ways do not fail the test. An
//! entry that no seed needs any more fails it, and must be removed.

use std::fmt;

use crate::examples;
use crate::lies::Lie;
use crate::scenario::{Paging, Scenario};

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
pub static OPEN: &[Open] = &[
    // This entry is the first, so that no other entry excuses a wrong count.
    Open {
        what: What::When(|_, wrong| wrong.contains("rows are said to be written")),
        why: "a row that is written again, since its list is read twice or its page moved, is counted twice",
        example: None,
    },
    lie(Lie::TotalTooLow, TOTALS),
    lie(Lie::TotalOfPage, TOTALS),
    lie(Lie::TotalFalling, TOTALS),
    lie(Lie::TotalRising, TOTALS),
    lie(Lie::PagesTooLow, TOTALS),
    lie(Lie::EndsIn204, ENDS),
    lie(Lie::EndsIn202, ENDS),
    lie(Lie::EndsInEmptyList, ENDS),
    lie(Lie::EndsInNull, ENDS),
    lie(Lie::EndsInEmptyObject, ENDS),
    lie(Lie::EndsInErrors, ENDS),
    lie(Lie::EndsInRefusal, ENDS),
    lie(
        Lie::EndsInObject,
        "an object where the list was is taken for a record",
    ),
    lie(Lie::TokenObject, TOKENS),
    lie(Lie::TokenList, TOKENS),
    lie(Lie::TokenTrue, TOKENS),
    lie(Lie::TokenFresh, CIRCLES),
    lie(Lie::RowsAgain, CIRCLES),
    lie(Lie::PageShuffled, CIRCLES),
    lie(Lie::DepthCap, ENDS),
    lie(Lie::Unordered, "rows that change places pass as proof"),
    lie(
        Lie::FirstPageZero,
        "a total that is not declared is not heard",
    ),
    lie(Lie::KeyAcrossParents, KEYS),
    lie(Lie::KeyTwice, KEYS),
    lie(
        Lie::Inclusive,
        "equal rows that come twice without a key are two rows, and proved",
    ),
    lie(Lie::PageIgnored, CIRCLES),
    lie(
        Lie::PartsNotFound,
        "a list of parts that is answered 404 is taken for gone, though the pass has just listed its item",
    ),
    lie(Lie::SilentCap, SINGLE),
    lie(
        Lie::ClockBack,
        "loads are told apart by the connector's clock, also where it goes back",
    ),
    Open {
        what: What::Lie(Lie::OffsetRounds),
        why: "a page that is asked for one row early, and the one behind it, follow one another for ever",
        example: Some(examples::rounded),
    },
    Open {
        what: What::When(|scenario, wrong| {
            let items = &scenario.items;
            let by_number = items.paging == Paging::Number || items.numbered;
            items.since && by_number && wrong.contains("missing")
        }),
        why: "the cursor moves on after a run that is only consistent: a row that slipped through is never read again",
        example: Some(examples::slipped),
    },
    Open {
        what: What::When(|_, wrong| wrong.contains("page/advance.rs")),
        why: "the pages that are foreseen divide by zero where a page of one row was asked for one row early",
        example: Some(examples::one_row_early),
    },
];

const TOTALS: &str = "a total counts as proof, whatever else is said";
const ENDS: &str =
    "an answer that is no page counts as the end of the list, whatever was said before";
const TOKENS: &str = "a token that is no scalar counts as none";
const CIRCLES: &str = "only the page before is remembered";
const KEYS: &str = "a key that comes again is believed, and rows are merged";
const SINGLE: &str = "a list without paging is proved by the document's silence";

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
