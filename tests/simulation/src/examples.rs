//! Failures that seeds have found, as scenarios that stay the same when the generator changes.

pub mod statements;

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

/// Returns a scenario in which a killed run continues from the last value of a list that is sorted
/// the oldest first, and the key of a record recurs after the kill.
pub fn key_of_two_across_last_values() -> Scenario {
    Scenario {
        seed: 110515,
        items: ListSpec {
            paging: Paging::Offset,
            asks: Some(9),
            total_in_header: true,
            names: 3,
            bare: true,
            by_cursor: true,
            first_page: 0,
            since: true,
            ..ListSpec::default()
        },
        rows: 37,
        lie: Some(Lie::KeyTwice),
        twist: 29728,
        behind: 18056,
        concurrency: 8,
        commit_rows: 1,
        runs: vec![
            RunSpec {
                dies_at: Some(25),
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![Change::Come(At::item(32298)), Change::Edit(At::item(68066))],
                during: vec![
                    (9, Change::Edit(At::item(98861))),
                    (2, Change::Come(At::item(94153))),
                ],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which a record changes between two runs of a pass in windows: it moves to
/// the window of the current time.
pub fn moved_to_the_last_window() -> Scenario {
    Scenario {
        seed: 107174,
        items: ListSpec {
            paging: Paging::NextUrl,
            numbered: true,
            asks: Some(6),
            cap: 6,
            names: 18,
            newest_first: true,
            since: true,
            windows: true,
            ..ListSpec::default()
        },
        parts: Some(ListSpec {
            paging: Paging::LastId,
            asks: None,
            cap: 4,
            more: true,
            names: 14,
            ..ListSpec::default()
        }),
        rows: 7,
        most_parts: 11,
        twist: 57908,
        concurrency: 4,
        commit_rows: 3,
        runs: vec![
            RunSpec {
                commit_fails: Some(2),
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![
                    Change::Move(At::item(47314)),
                    Change::Edit(At::item(82808)),
                    Change::Edit(At::item(68767)),
                ],
                during: vec![
                    (11, Change::Come(At::item(36847))),
                    (15, Change::Come(At::part(803, 72688))),
                    (9, Change::Edit(At::part(781, 56168))),
                    (19, Change::Move(At::item(69150))),
                ],
                ..RunSpec::default()
            },
            RunSpec {
                during: vec![
                    (12, Change::Go(At::item(43076))),
                    (20, Change::Come(At::part(75, 23984))),
                    (21, Change::Come(At::part(34, 20525))),
                    (13, Change::Go(At::part(478, 39085))),
                    (5, Change::Edit(At::part(416, 2406))),
                ],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which the API cuts off a list by page numbers that is sorted the oldest
/// first, and rows move while it is read.
pub fn cut_off_by_number() -> Scenario {
    Scenario {
        seed: 111125,
        items: ListSpec {
            paging: Paging::Number,
            asks: Some(4),
            cap: 4,
            total: Total::Items,
            names: 18,
            by_cursor: true,
            since: true,
            ..ListSpec::default()
        },
        rows: 27,
        lie: Some(Lie::DepthCap),
        twist: 26299,
        behind: 28763,
        concurrency: 4,
        commit_rows: 1,
        runs: vec![RunSpec {
            during: vec![
                (13, Change::Come(At::item(22014))),
                (16, Change::Go(At::item(91339))),
                (7, Change::Edit(At::item(64457))),
                (14, Change::Edit(At::item(28761))),
            ],
            ..RunSpec::default()
        }],
        ..Scenario::default()
    }
}

/// Returns a scenario in which a list without a key has equal rows before a kill.
pub fn equal_rows_before_a_kill() -> Scenario {
    Scenario {
        seed: 111984,
        items: ListSpec {
            paging: Paging::LastId,
            asks: Some(10),
            cap: 10,
            more: true,
            names: 56,
            keyed: false,
            ..ListSpec::default()
        },
        rows: 70,
        lie: Some(Lie::Inclusive),
        twist: 53796,
        concurrency: 1,
        commit_rows: 3,
        place: Place::Parquet,
        runs: vec![
            RunSpec {
                during: vec![
                    (6, Change::Go(At::item(87277))),
                    (14, Change::Edit(At::item(929))),
                    (7, Change::Edit(At::item(10064))),
                    (14, Change::Come(At::item(48096))),
                ],
                faults: 4,
                stops_after: Some(4),
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![Change::Come(At::item(72261)), Change::Come(At::item(91179))],
                faults: 4,
                dies_at: Some(22),
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![
                    Change::Edit(At::item(71459)),
                    Change::Come(At::item(40535)),
                    Change::Go(At::item(39556)),
                    Change::Go(At::item(63613)),
                ],
                during: vec![
                    (16, Change::Edit(At::item(14854))),
                    (4, Change::Come(At::item(37757))),
                    (1, Change::Come(At::item(7556))),
                ],
                faults: 4,
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which links form a circle in two runs, and not in the third.
pub fn circle_in_two_runs() -> Scenario {
    Scenario {
        seed: 118586,
        items: ListSpec {
            paging: Paging::Link,
            asks: None,
            cap: 4,
            names: 13,
            newest_first: true,
            first_page: 0,
            keyed: false,
            ..ListSpec::default()
        },
        rows: 14,
        lie: Some(Lie::Circle),
        twist: 21872,
        behind: 29328,
        concurrency: 8,
        commit_rows: 1000,
        place: Place::Sqlite,
        runs: vec![
            RunSpec::default(),
            RunSpec {
                before: vec![Change::Come(At::item(37164)), Change::Come(At::item(7424))],
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![
                    Change::Go(At::item(30592)),
                    Change::Go(At::item(92705)),
                    Change::Come(At::item(44044)),
                ],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which a page has an object instead of a list in two runs.
pub fn object_in_two_runs() -> Scenario {
    Scenario {
        seed: 135340,
        items: ListSpec {
            asks: Some(1),
            cap: 1,
            total_declared: false,
            names: 46,
            first_page: 0,
            since: true,
            ..ListSpec::default()
        },
        rows: 3,
        lie: Some(Lie::EndsInObject),
        lies_from: 1,
        twist: 55930,
        behind: 40398,
        commit_rows: 1000,
        runs: vec![
            RunSpec {
                during: vec![
                    (10, Change::Edit(At::item(92937))),
                    (6, Change::Come(At::item(83904))),
                    (8, Change::Come(At::item(94413))),
                ],
                dies_at: Some(3),
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![
                    Change::Go(At::item(72390)),
                    Change::Edit(At::item(37263)),
                    Change::Back(At::item(75088)),
                ],
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![Change::Back(At::item(78755)), Change::Edit(At::item(70226))],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which the API cuts off a list by links with page numbers, and rows move
/// while it is read.
pub fn cut_off_by_numbered_links() -> Scenario {
    Scenario {
        seed: 302601,
        items: ListSpec {
            paging: Paging::Link,
            numbered: true,
            asks: Some(12),
            cap: 12,
            total_in_header: true,
            more: true,
            names: 50,
            by_cursor: true,
            since: true,
            ..ListSpec::default()
        },
        rows: 67,
        lie: Some(Lie::DepthCap),
        twist: 34324,
        concurrency: 1,
        commit_rows: 10,
        runs: vec![
            RunSpec {
                during: vec![
                    (13, Change::Go(At::item(15822))),
                    (7, Change::Edit(At::item(62244))),
                    (12, Change::Come(At::item(63453))),
                    (11, Change::Go(At::item(74391))),
                    (8, Change::Come(At::item(12562))),
                    (11, Change::Go(At::item(58125))),
                ],
                stops_after: Some(0),
                ..RunSpec::default()
            },
            RunSpec {
                dies_at: Some(1),
                ..RunSpec::default()
            },
            RunSpec {
                during: vec![
                    (6, Change::Edit(At::item(27150))),
                    (4, Change::Go(At::item(1305))),
                    (5, Change::Come(At::item(62259))),
                    (12, Change::Edit(At::item(86895))),
                    (8, Change::Go(At::item(78033))),
                    (14, Change::Edit(At::item(29575))),
                ],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}

/// Returns a scenario in which a list without a key has no order: a row of the first page comes again
/// on the second one instead of another row.
pub fn equal_rows_of_two_pages() -> Scenario {
    Scenario {
        seed: 400947,
        items: ListSpec {
            paging: Paging::Link,
            numbered: true,
            asks: Some(8),
            cap: 8,
            total: Total::Items,
            names: 44,
            ..ListSpec::default()
        },
        parts: Some(ListSpec {
            paging: Paging::Offset,
            cap: 3,
            total: Total::Items,
            names: 33,
            keyed: false,
            ..ListSpec::default()
        }),
        rows: 3,
        most_parts: 9,
        lie: Some(Lie::Unordered),
        lies_below: true,
        twist: 35617,
        concurrency: 4,
        commit_rows: 1,
        place: Place::Forgetful,
        runs: vec![
            RunSpec::default(),
            RunSpec {
                before: vec![
                    Change::Edit(At::part(536, 75960)),
                    Change::Come(At::item(82064)),
                ],
                during: vec![
                    (9, Change::Come(At::part(145, 80430))),
                    (11, Change::Move(At::item(76309))),
                    (9, Change::Move(At::part(696, 56993))),
                    (1, Change::Come(At::part(528, 37476))),
                    (12, Change::Edit(At::item(86160))),
                    (5, Change::Edit(At::part(803, 88857))),
                ],
                ..RunSpec::default()
            },
            RunSpec {
                before: vec![
                    Change::Go(At::part(671, 42166)),
                    Change::Come(At::part(782, 90713)),
                    Change::Go(At::item(30169)),
                    Change::Move(At::part(385, 53799)),
                ],
                ..RunSpec::default()
            },
        ],
        ..Scenario::default()
    }
}
