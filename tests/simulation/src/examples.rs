//! What seeds have found, as scenarios that stay when the generator changes.

use crate::lies::Lie;
use crate::scenario::{At, Change, ListSpec, Paging, RunSpec, Scenario, Total};

/// A server rounds offsets down to whole pages, and rows go while it is read.
pub fn rounded() -> Scenario {
    let go = |request, row| (request, Change::Go(At::item(row)));
    Scenario {
        seed: 2717,
        items: ListSpec {
            paging: Paging::Offset,
            asks: None,
            newest_first: true,
            ..ListSpec::default()
        },
        rows: 14,
        lie: Some(Lie::OffsetRounds),
        runs: vec![RunSpec {
            during: vec![go(3, 7), go(4, 9), go(8, 9)],
            ..RunSpec::default()
        }],
        ..Scenario::default()
    }
}

/// A process dies between two links that ask for pages by their number, and rows of the first pages go before it starts
/// again.
pub fn numbered_link_resumed() -> Scenario {
    Scenario {
        seed: 1210,
        items: ListSpec {
            paging: Paging::Link,
            numbered: true,
            more: true,
            ..ListSpec::default()
        },
        commit_rows: 1,
        runs: vec![
            RunSpec {
                dies_at: Some(13),
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![Change::Go(At::item(0)), Change::Go(At::item(1))],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// A row slips through the pages of an incremental list that is read by page number, and the next run reads what has changed.
pub fn slipped() -> Scenario {
    Scenario {
        seed: 1575,
        items: ListSpec {
            paging: Paging::Number,
            since: true,
            ..ListSpec::default()
        },
        runs: vec![
            RunSpec {
                // Behind the first page, which is looked at once more.
                during: vec![(4, Change::Go(At::item(7)))],
                ..RunSpec::default()
            },
            RunSpec::default(),
        ],
        ..Scenario::default()
    }
}

/// Rows go while a list is read by offset, so that the page that is asked for one row early holds one row, and another than
/// the one that is looked for.
pub fn one_row_early() -> Scenario {
    let go = (3, Change::Go(At::item(0)));
    Scenario {
        seed: 2825,
        items: ListSpec {
            paging: Paging::Offset,
            asks: Some(3),
            cap: 3,
            total: Total::Items,
            ..ListSpec::default()
        },
        rows: 8,
        runs: vec![RunSpec {
            during: vec![go; 3],
            ..RunSpec::default()
        }],
        ..Scenario::default()
    }
}

/// A list below each record of a list that holds none.
pub fn no_parents() -> Scenario {
    Scenario {
        parts: Some(ListSpec::default()),
        rows: 0,
        ..Scenario::default()
    }
}
