//! Failures that seeds have found, as scenarios that stay the same when the generator changes.

use crate::lies::Lie;
use crate::scenario::{At, Change, ListSpec, Paging, Place, RunSpec, Scenario, Total};

/// Returns a scenario in which a server rounds offsets down to whole pages, and rows are deleted
/// during the pass.
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

/// Returns a scenario in which a process dies between two links that request pages by number, and
/// rows of the first pages are deleted before it starts again.
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

/// Returns a scenario in which a pass by page number over an incremental list misses a row, and the
/// next run reads the changes.
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
                // The row is after the first page, which is requested once more.
                during: vec![(4, Change::Go(At::item(7)))],
                ..RunSpec::default()
            },
            RunSpec::default(),
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which rows are deleted while a list is read by offset: the page that is
/// requested one row early holds one row, which is not the expected one.
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

/// Returns a scenario in which a process dies in a list of tokens, whose rows the destination reads
/// back or not.
pub fn resumed(place: Place) -> Scenario {
    Scenario {
        commit_rows: 1,
        place,
        runs: vec![
            RunSpec {
                dies_at: Some(7),
                ..RunSpec::default()
            },
            RunSpec::default(),
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which child lists are answered 404 although their parents exist, in a pass
/// that reads only the parents that have changed.
pub fn hidden_below_unchanged() -> Scenario {
    Scenario {
        seed: 168,
        items: ListSpec {
            since: true,
            ..ListSpec::default()
        },
        parts: Some(ListSpec::default()),
        rows: 5,
        most_parts: 7,
        lie: Some(Lie::PartsNotFound),
        lies_from: 1,
        runs: vec![
            RunSpec::default(),
            RunSpec {
                before: (0..5).map(|item| Change::Edit(At::part(item, 0))).collect(),
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario with a child list whose parent list has no records.
pub fn no_parents() -> Scenario {
    Scenario {
        parts: Some(ListSpec::default()),
        rows: 0,
        ..Scenario::default()
    }
}
