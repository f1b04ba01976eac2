//! Scenarios in which the API makes false statements about a list.

use etlgen_runtime::prelude::Deletes;

use crate::lies::Lie;
use crate::scenario::{At, Change, ListSpec, Paging, RunSpec, Scenario, Total};

/// Returns a scenario in which a list ends early, and its undeclared total falls to the number of rows
/// that came.
pub fn count_that_fell() -> Scenario {
    Scenario {
        seed: 12917,
        items: ListSpec {
            paging: Paging::Link,
            asks: Some(2),
            cap: 2,
            total: Total::Items,
            total_declared: false,
            names: 41,
            newest_first: true,
            first_page: 0,
            since: true,
            ..ListSpec::default()
        },
        rows: 6,
        lie: Some(Lie::EndsInEmptyList),
        twist: 43905,
        concurrency: 1,
        commit_rows: 3,
        runs: vec![RunSpec {
            during: vec![(3, Change::Go(At::item(65247)))],
            faults: 4,
            ..RunSpec::default()
        }],
        ..Scenario::default()
    }
}

/// Returns a scenario in which a list ends early, and only a run that died has received its
/// undeclared total.
pub fn count_of_an_earlier_run() -> Scenario {
    Scenario {
        seed: 82883,
        items: ListSpec {
            asks: Some(6),
            cap: 6,
            names: 6,
            first_page: 0,
            ..ListSpec::default()
        },
        parts: Some(ListSpec {
            paging: Paging::Link,
            asks: None,
            cap: 4,
            total: Total::Items,
            total_declared: false,
            names: 36,
            newest_first: true,
            first_page: 0,
            keyed: false,
            ..ListSpec::default()
        }),
        rows: 3,
        most_parts: 20,
        lie: Some(Lie::EndsInEmptyList),
        lies_below: true,
        twist: 54601,
        concurrency: 1,
        commit_rows: 1,
        runs: vec![
            RunSpec {
                dies_at: Some(12),
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![
                    Change::Back(At::item(47807)),
                    Change::Come(At::part(316, 11588)),
                    Change::Come(At::part(420, 36393)),
                    Change::Go(At::part(936, 94136)),
                ],
                during: vec![
                    (5, Change::Move(At::part(263, 34959))),
                    (7, Change::Move(At::item(14112))),
                    (12, Change::Go(At::part(73, 34912))),
                    (8, Change::Come(At::part(722, 78040))),
                ],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which the number of pages is too low, and a deletion empties the page that
/// would show it.
pub fn pages_too_low() -> Scenario {
    Scenario {
        seed: 37708,
        items: ListSpec {
            paging: Paging::LastId,
            asks: Some(3),
            cap: 2,
            more: true,
            names: 19,
            deletes: Deletes::Hard,
            ..ListSpec::default()
        },
        parts: Some(ListSpec {
            paging: Paging::Number,
            asks: Some(2),
            cap: 2,
            total: Total::Pages,
            names: 43,
            first_page: 0,
            deletes: Deletes::Soft,
            ..ListSpec::default()
        }),
        rows: 2,
        most_parts: 6,
        lie: Some(Lie::PagesTooLow),
        lies_below: true,
        twist: 38800,
        concurrency: 4,
        commit_rows: 10,
        runs: vec![RunSpec {
            during: vec![
                (3, Change::Go(At::part(729, 77415))),
                (1, Change::Move(At::part(864, 63062))),
                (1, Change::Come(At::part(112, 90503))),
                (1, Change::Edit(At::part(736, 34109))),
            ],
            ..RunSpec::default()
        }],
        ..Scenario::default()
    }
}

/// Returns a scenario in which the first page, which the API has cut to its own size, has more rows
/// than the total counts.
pub fn total_below_the_first_page() -> Scenario {
    Scenario {
        seed: 40746,
        items: ListSpec {
            paging: Paging::Offset,
            asks: Some(7),
            cap: 4,
            total: Total::Items,
            names: 11,
            keyed: false,
            ..ListSpec::default()
        },
        rows: 9,
        lie: Some(Lie::TotalTooLow),
        lies_from: 1,
        twist: 42291,
        behind: 45745,
        concurrency: 4,
        commit_rows: 10,
        runs: vec![
            RunSpec::default(),
            RunSpec {
                during: vec![
                    (5, Change::Go(At::item(22132))),
                    (7, Change::Back(At::item(89890))),
                    (8, Change::Back(At::item(53745))),
                    (10, Change::Come(At::item(21565))),
                    (8, Change::Come(At::item(42784))),
                ],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which each page begins with the last row of the previous one although the
/// list has no order.
pub fn unordered_behind_the_overlap() -> Scenario {
    Scenario {
        seed: 42219,
        items: ListSpec {
            paging: Paging::Offset,
            asks: Some(3),
            cap: 2,
            total_in_header: true,
            names: 12,
            bare: true,
            ..ListSpec::default()
        },
        rows: 5,
        lie: Some(Lie::Unordered),
        twist: 14172,
        concurrency: 8,
        commit_rows: 1000,
        runs: vec![
            RunSpec {
                during: vec![
                    (7, Change::Go(At::item(1250))),
                    (3, Change::Edit(At::item(25842))),
                    (2, Change::Go(At::item(55304))),
                    (3, Change::Edit(At::item(10914))),
                    (2, Change::Move(At::item(97108))),
                    (7, Change::Move(At::item(58111))),
                ],
                ..RunSpec::default()
            },
            RunSpec {
                dies_at: Some(12),
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![
                    Change::Go(At::item(98117)),
                    Change::Come(At::item(13934)),
                    Change::Edit(At::item(67039)),
                    Change::Back(At::item(96000)),
                ],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which a run dies after pages of one row, and the next one receives an object
/// instead of a list.
pub fn object_after_pages_of_one_row() -> Scenario {
    Scenario {
        seed: 55797,
        items: ListSpec {
            paging: Paging::LastId,
            asks: Some(1),
            cap: 1,
            total: Total::Items,
            more: true,
            names: 34,
            since: true,
            ..ListSpec::default()
        },
        rows: 5,
        lie: Some(Lie::EndsInObject),
        twist: 63031,
        concurrency: 8,
        commit_rows: 1,
        runs: vec![
            RunSpec {
                faults: 12,
                dies_at: Some(13),
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![Change::Come(At::item(68658))],
                during: vec![
                    (2, Change::Come(At::item(21500))),
                    (9, Change::Go(At::item(32626))),
                    (10, Change::Edit(At::item(37294))),
                    (13, Change::Edit(At::item(34653))),
                ],
                faults: 12,
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which a feed reports two changes of one item at the same time, and nothing
/// shows which one is newer.
pub fn feed_without_an_order() -> Scenario {
    Scenario {
        seed: 897,
        items: ListSpec {
            asks: Some(8),
            cap: 8,
            names: 29,
            since: true,
            fed: true,
            ..ListSpec::default()
        },
        feed: Some(ListSpec {
            asks: None,
            cap: 10,
            total: Total::Items,
            names: 14,
            append: true,
            since: true,
            ..ListSpec::default()
        }),
        rows: 3,
        twist: 46264,
        concurrency: 8,
        commit_rows: 30,
        runs: vec![
            RunSpec {
                stops_after: Some(1),
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![
                    Change::Go(At::item(60986)),
                    Change::Come(At::item(88698)),
                    Change::Back(At::item(5337)),
                    Change::Come(At::item(71152)),
                ],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}
