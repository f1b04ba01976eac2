//! Tests of lists that change while they are read: rows are added and deleted, which shifts the
//! positions that page requests use. A row that exists throughout arrives, or the report does not
//! call the list proved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::support::{Answer, InMemory, serve};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, Proof, ResourceReport, RunOptions, sync};

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

type Query = BTreeMap<String, String>;

fn number(query: &Query, name: &str, default: usize) -> usize {
    query
        .get(name)
        .map_or(default, |value| value.parse().unwrap())
}

fn list(paginator: impl Into<Paginator>) -> Resource<Item> {
    Item::list("items", "/items")
        .records("data")
        .primary_key([Item::ID])
        .paginate(paginator)
}

/// Reads the list; returns the rows that arrived and the report.
fn load(
    list: Resource<Item>,
    api: impl Fn(&str, &Query) -> Answer + Send + Sync + 'static,
) -> (Vec<i64>, ResourceReport) {
    let (base, _) = serve(api);
    // With one request at a time, the changes fall between known pages.
    let source = Source::new("moving", &base).concurrency(1).resource(list);
    let into = InMemory::new(10_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let options = RunOptions::default();
    let run = sync(&source, Box::new(into.clone()), &options, Arc::new(()));
    let report = runtime.block_on(run).unwrap().resources.remove(0);
    let id = |row: &BTreeMap<String, String>| {
        let digits: String = row["id"].chars().filter(char::is_ascii_digit).collect();
        digits[2..].parse().unwrap()
    };
    let mut ids: Vec<i64> = into.table("items").values().map(id).collect();
    ids.sort_unstable();
    (ids, report)
}

/// A list that `change` changes before each response except the first.
struct Moving {
    rows: Mutex<Vec<i64>>,
    /// Rows that exist throughout.
    stayed: Mutex<BTreeSet<i64>>,
    asked: AtomicUsize,
}

impl Moving {
    fn new(rows: i64) -> Arc<Self> {
        Arc::new(Moving {
            rows: Mutex::new((0..rows).collect()),
            stayed: Mutex::new((0..rows).collect()),
            asked: AtomicUsize::new(0),
        })
    }

    /// Returns a page of rows from `at` on; `change` gets the number of earlier requests.
    fn page(
        &self,
        at: usize,
        size: usize,
        total: bool,
        change: impl Fn(usize, &mut Vec<i64>),
    ) -> Answer {
        let mut rows = self.rows.lock().unwrap();
        let asked = self.asked.fetch_add(1, Ordering::SeqCst);
        if asked > 0 {
            change(asked, &mut rows);
        }
        let here: BTreeSet<i64> = rows.iter().copied().collect();
        self.stayed.lock().unwrap().retain(|id| here.contains(id));
        let page = &rows[at.min(rows.len())..(at + size).min(rows.len())];
        let data: Vec<_> = page
            .iter()
            .map(|id| serde_json::json!({"id": id}))
            .collect();
        let mut body = serde_json::json!({"data": data});
        if total {
            body["total"] = rows.len().into();
        }
        (200, Vec::new(), body.to_string())
    }

    /// Returns the rows that exist throughout and have not arrived.
    fn missing(&self, arrived: &[i64]) -> Vec<i64> {
        let stayed = self.stayed.lock().unwrap();
        let missing = stayed.iter().filter(|id| !arrived.contains(id));
        missing.copied().collect()
    }
}

/// Deletes one of the rows already read and adds one at the end, so that the total does not change.
fn one_goes_one_comes(asked: usize, rows: &mut Vec<i64>) {
    if asked < 12 {
        rows.remove(asked * 3);
        rows.push(1000 + asked as i64);
    }
}

fn offsets(total: bool) -> Paginator {
    let pages = Paginator::offset("offset").page_size("limit", 10);
    match total {
        true => pages.total_items("total").into(),
        false => pages.into(),
    }
}

#[test]
fn by_offset_rows_that_come_and_go_in_equal_numbers_take_no_other_with_them() {
    for total in [true, false] {
        let moving = Moving::new(100);
        let api = moving.clone();
        let (arrived, report) = load(list(offsets(total)), move |_, query| {
            api.page(number(query, "offset", 0), 10, total, one_goes_one_comes)
        });
        assert_eq!(moving.missing(&arrived), [0; 0], "{report:?}");
        // A row that is read twice is written once.
        assert_eq!(report.tables[0].1, arrived.len() as u64, "{report:?}");
        // Rows have changed their positions: nothing is missing, but that is not a proof.
        let why = if total {
            "began with the last row"
        } else {
            "rows were created, deleted or moved"
        };
        let consistent = matches!(&report.proof, Proof::Consistent(said) if said.contains(why));
        assert!(consistent, "{report:?}");
    }
}

#[test]
fn by_offset_rows_that_come_in_front_repeat_none() {
    let moving = Moving::new(100);
    let api = moving.clone();
    // Without a key, a repeated row would be loaded twice.
    let list = Item::list("items", "/items")
        .records("data")
        .paginate(offsets(true));
    let (arrived, report) = load(list, move |_, query| {
        let in_front = |asked: usize, rows: &mut Vec<i64>| rows.insert(0, 1000 + asked as i64);
        api.page(number(query, "offset", 0), 10, true, in_front)
    });
    assert_eq!(arrived, (0..100).collect::<Vec<_>>(), "{report:?}");
    // The total has changed.
    assert!(matches!(report.proof, Proof::Consistent(_)), "{report:?}");
}

#[test]
fn by_offset_a_whole_page_that_goes_is_noticed() {
    // Nothing shows where the next page was: the list is read again.
    let moving = Moving::new(100);
    let api = moving.clone();
    let (arrived, report) = load(list(offsets(true)), move |_, query| {
        let change = |asked: usize, rows: &mut Vec<i64>| {
            if asked == 2 {
                rows.drain(5..25);
                rows.extend(1000..1020);
            }
        };
        api.page(number(query, "offset", 0), 10, true, change)
    });
    assert_eq!(moving.missing(&arrived), [0; 0], "{report:?}");
    assert!(matches!(report.proof, Proof::Consistent(_)), "{report:?}");
}

#[test]
fn servers_that_know_only_whole_pages_are_read_without_an_overlap() {
    let whole = |at: usize| {
        let rows: Vec<_> = (at.min(100)..(at + 10).min(100))
            .map(|id| serde_json::json!({"id": id}))
            .collect();
        (
            200,
            Vec::new(),
            serde_json::json!({"data": rows}).to_string(),
        )
    };
    // Such an offset is rounded down, refused, or answered with an empty page.
    let answers: [fn(usize) -> Option<usize>; 3] = [
        |at| Some(at / 10 * 10),
        |at| (at % 10 == 0).then_some(at),
        |at| Some(if at % 10 == 0 { at } else { 100 }),
    ];
    for answer in answers {
        let (arrived, report) = load(list(offsets(false)), move |_, query| {
            match answer(number(query, "offset", 0)) {
                Some(at) => whole(at),
                None => (400, Vec::new(), r#"{"message":"not a multiple"}"#.into()),
            }
        });
        assert_eq!(arrived, (0..100).collect::<Vec<_>>(), "{report:?}");
        // The list was read twice to find out.
        assert!(
            matches!(&report.proof, Proof::Proved(why) if why.contains("twice")),
            "{report:?}"
        );
    }
}

fn pages() -> Paginator {
    Paginator::page_number("page").total_items("total").into()
}

fn page_of(moving: &Moving, query: &Query, change: impl Fn(usize, &mut Vec<i64>)) -> Answer {
    moving.page((number(query, "page", 1) - 1) * 10, 10, true, change)
}

#[test]
fn by_page_number_nothing_is_called_proved() {
    let moving = Moving::new(100);
    let api = moving.clone();
    let rests = |_: usize, _: &mut Vec<i64>| {};
    let (arrived, report) = load(list(pages()), move |_, query| page_of(&api, query, rests));
    assert_eq!(arrived.len(), 100);
    // The requests are for ten full pages, one after them since a full page reaches the total, and
    // the first one again.
    assert_eq!(report.requests, 12);
    assert!(matches!(report.proof, Proof::Consistent(_)), "{report:?}");
    // Changes in the middle are invisible.
    let moving = Moving::new(100);
    let api = moving.clone();
    let (_, report) = load(list(pages()), move |_, query| {
        page_of(&api, query, |asked, rows| {
            if asked == 5 {
                rows.remove(25);
                rows.push(1000);
            }
        })
    });
    assert!(matches!(report.proof, Proof::Consistent(_)), "{report:?}");
    // A single page can be proved.
    let moving = Moving::new(7);
    let (_, report) = load(list(pages()), move |_, query| {
        page_of(&moving, query, rests)
    });
    assert!(matches!(report.proof, Proof::Proved(_)), "{report:?}");
}

#[test]
fn a_small_list_costs_one_request_more_or_two() {
    for (paginator, name) in [
        (Paginator::from(Paginator::page_number("page")), "page"),
        (Paginator::offset("offset").into(), "offset"),
    ] {
        let small = |deletes: Deletes| {
            let kept = list(paginator.clone()).deletes(deletes);
            let (_, report) = load(kept, move |_, query| {
                let all = [serde_json::json!({"id": 1}), serde_json::json!({"id": 2})];
                let skipped = match name {
                    "page" => 2 * number(query, name, 1).saturating_sub(1),
                    _ => number(query, name, 0),
                };
                let rows = &all[skipped.min(2)..];
                (
                    200,
                    Vec::new(),
                    serde_json::json!({"data": rows}).to_string(),
                )
            });
            report
        };
        let report = small(Deletes::Keep);
        // By page number, page 0 may have rows.
        assert_eq!(report.requests, if name == "page" { 3 } else { 2 });
        // The second page by offset begins with the last row of the first one.
        let grade = if name == "page" {
            "consistent"
        } else {
            "proved"
        };
        assert_eq!(report.proof.grade(), grade, "{report:?}");
        let report = small(Deletes::Soft);
        assert!(matches!(report.proof, Proof::Proved(_)), "{report:?}");
    }
}

#[test]
fn by_page_number_a_first_page_that_changed_is_read_again_with_all_the_others() {
    let moving = Moving::new(100);
    let api = moving.clone();
    let (arrived, report) = load(list(pages()), move |_, query| {
        page_of(&api, query, |asked, rows| {
            if asked == 5 {
                rows.remove(2);
                rows.push(1000);
            }
        })
    });
    assert_eq!(moving.missing(&arrived), [0; 0], "{report:?}");
    assert!(
        matches!(&report.proof, Proof::Consistent(why) if why.contains("first page")),
        "{report:?}"
    );
}

#[test]
fn by_page_number_a_list_is_read_twice_where_its_deletions_are_wanted() {
    let moving = Moving::new(100);
    let api = moving.clone();
    let kept = list(pages()).deletes(Deletes::Soft);
    let (_, report) = load(kept, move |_, query| page_of(&api, query, |_, _| {}));
    assert!(
        matches!(&report.proof, Proof::Proved(why) if why.contains("twice")),
        "{report:?}"
    );
    // A full page reaches the total, both times.
    assert_eq!(report.requests, 22);
    let moving = Moving::new(100);
    let api = moving.clone();
    let kept = list(pages()).deletes(Deletes::Soft);
    let (arrived, report) = load(kept, move |_, query| {
        page_of(&api, query, |asked, rows| {
            if asked == 5 {
                rows.remove(25);
                rows.push(1000);
            }
        })
    });
    assert_eq!(moving.missing(&arrived), [0; 0], "{report:?}");
    assert!(matches!(report.proof, Proof::Consistent(_)), "{report:?}");
}

#[test]
fn links_that_name_pages_by_number_are_not_called_proved() {
    let opaque = |page: i64| ["kq", "zz", "ab", "mm"][page as usize].to_owned();
    let number = |page: i64| page.to_string();
    for (name, token, proved) in [
        ("page", number as fn(i64) -> String, false),
        ("cursor", number, false),
        ("cursor", |page| format!("c{page}"), false),
        ("cursor", opaque, true),
    ] {
        let (arrived, report) = load(list(Paginator::next_url("next")), move |_, query| {
            let asked = query.get(name);
            let page = (0..4)
                .find(|page| asked == Some(&token(*page)))
                .unwrap_or(0);
            let next = (page < 3).then(|| format!("/items?{name}={}", token(page + 1)));
            let body = serde_json::json!({"data": [{"id": page}], "next": next});
            (200, Vec::new(), body.to_string())
        });
        assert_eq!(arrived.len(), 4);
        assert_eq!(
            matches!(report.proof, Proof::Proved(_)),
            proved,
            "{report:?}"
        );
    }
}

/// Returns a page of ten rows of a list whose tokens are numbers: of rows, or of pages.
fn page_by_token(
    moving: &Moving,
    query: &Query,
    of_pages: bool,
    change: impl Fn(usize, &mut Vec<i64>),
) -> Answer {
    let token = number(query, "token", usize::from(of_pages));
    let at = match of_pages {
        true => (token - 1) * 10,
        false => token,
    };
    let (status, headers, body) = moving.page(at, 10, false, change);
    let mut body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let left = moving.rows.lock().unwrap().len() > at + 10;
    let next = if of_pages { token + 1 } else { token + 10 };
    body["next"] = left.then(|| next.to_string()).into();
    (status, headers, body.to_string())
}

#[test]
fn tokens_that_count_rows_or_pages_are_positions() {
    for of_pages in [false, true] {
        let tokens = || Paginator::token("token", "next");
        let moving = Moving::new(60);
        let api = moving.clone();
        let (arrived, report) = load(list(tokens()), move |_, query| {
            page_by_token(&api, query, of_pages, |_, _| {})
        });
        assert_eq!(arrived.len(), 60);
        assert!(matches!(report.proof, Proof::Consistent(_)), "{report:?}");
        // Rows of the front are deleted while the list is read.
        let moving = Moving::new(60);
        let api = moving.clone();
        let (arrived, report) = load(list(tokens()), move |_, query| {
            page_by_token(&api, query, of_pages, |asked, rows| {
                if asked == 3 {
                    rows.drain(..15);
                }
            })
        });
        assert_eq!(moving.missing(&arrived), [0; 0], "{report:?}");
        assert!(!matches!(report.proof, Proof::Proved(_)), "{report:?}");
    }
}

#[test]
fn a_killed_run_does_not_go_on_from_a_token_that_counts_rows() {
    let api = Moving::new(60);
    let (base, log) = {
        let api = api.clone();
        serve(move |_, query| page_by_token(&api, query, false, |_, _| {}))
    };
    let tokens = list(Paginator::token("token", "next"));
    let source = Source::new("moving", &base).concurrency(1).resource(tokens);
    let into = InMemory::new(10);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let options = RunOptions::default();
    let dying = Box::new(into.failing_at(2));
    let run = sync(&source, dying, &options, Arc::new(()));
    runtime.block_on(run).unwrap_err();
    api.rows.lock().unwrap().drain(..15);
    log.lock().unwrap().clear();
    let run = sync(&source, Box::new(into.clone()), &options, Arc::new(()));
    let report = runtime.block_on(run).unwrap();
    let first = log.lock().unwrap()[0].clone();
    assert!(!first.contains("token"), "{first}");
    assert!(!report.resources[0].proof.grade().contains("proved"));
    assert_eq!(into.table("items").len(), 60);
}

#[test]
fn by_page_number_a_total_that_moves_is_read_again_once() {
    // Rows of the first page are deleted while the second is requested: the rest shifts, and the
    // total changes.
    let moving = Moving::new(40);
    let api = moving.clone();
    let (arrived, report) = load(list(pages()), move |_, query| {
        page_of(&api, query, |asked, rows| {
            if asked == 1 {
                rows.drain(..5);
            }
        })
    });
    assert_eq!(moving.missing(&arrived), [0; 0], "{report:?}");
    assert!(
        matches!(&report.proof, Proof::Consistent(why) if why.contains("from 40 to 35")),
        "{report:?}"
    );
    // A list that never stops changing is not proved.
    let moving = Moving::new(30);
    let (_, report) = load(list(pages()), move |_, query| {
        page_of(&moving, query, |asked, rows| rows.push(1000 + asked as i64))
    });
    assert!(matches!(report.proof, Proof::Unproved(_)), "{report:?}");
}

#[test]
fn rows_that_are_repeated_out_of_order_show_that_the_list_has_no_stable_order() {
    // The third page repeats a row of the first one, unchanged, behind a new row.
    let pages: [&[i64]; 4] = [&[1, 2], &[3, 4], &[5, 1], &[]];
    let api = move |_: &str, query: &Query| {
        let rows = pages[number(query, "page", 1).saturating_sub(1)];
        let data: Vec<_> = rows
            .iter()
            .map(|id| serde_json::json!({"id": id}))
            .collect();
        let body = serde_json::json!({"data": data}).to_string();
        (200, Vec::new(), body)
    };
    let by_number = || Paginator::page_number("page").page_size("limit", 2);
    let (_, report) = load(list(by_number()), api);
    let unproved = matches!(&report.proof, Proof::Unproved(why) if why.contains("no stable order"));
    assert!(unproved, "{report:?}");
}

/// Answers a request by offset with the two rows that this list has there, or with nothing.
fn by_twos(offsets: &[(usize, &[i64])], query: &Query) -> Answer {
    let at = number(query, "offset", 0);
    let rows = offsets.iter().find(|(offset, _)| *offset == at);
    let rows = rows.map_or(&[][..], |(_, rows)| rows);
    let data: Vec<_> = rows
        .iter()
        .map(|id| serde_json::json!({"id": id}))
        .collect();
    let body = serde_json::json!({"data": data}).to_string();
    (200, Vec::new(), body)
}

#[test]
fn by_offset_an_unchanged_row_that_is_repeated_behind_the_overlap_is_out_of_order() {
    // Each page begins with the last row of the previous one. Row 1 comes again instead of row 5.
    let unordered: [(usize, &[i64]); 5] = [
        (0, &[1, 2]),
        (1, &[2, 3]),
        (2, &[3, 4]),
        (3, &[4, 1]),
        (4, &[1]),
    ];
    let by_offset = || Paginator::offset("offset").page_size("limit", 2);
    let (_, report) = load(list(by_offset()), move |_, query| {
        by_twos(&unordered, query)
    });
    let unproved = matches!(&report.proof, Proof::Unproved(why) if why.contains("no stable order"));
    assert!(unproved, "{report:?}");
    // Without the repetition it is proved.
    let ordered: [(usize, &[i64]); 5] = [
        (0, &[1, 2]),
        (1, &[2, 3]),
        (2, &[3, 4]),
        (3, &[4, 5]),
        (4, &[5]),
    ];
    let (_, report) = load(list(by_offset()), move |_, query| by_twos(&ordered, query));
    assert!(matches!(report.proof, Proof::Proved(_)), "{report:?}");
}

#[test]
fn a_second_reading_without_a_stable_order_proves_nothing() {
    // In the first reading rows shift, so that the list is read again; then row 1 comes again
    // behind a new row, instead of row 5.
    let readings: [[&[i64]; 4]; 2] = [
        [&[1, 2], &[2, 3], &[4], &[]],
        [&[1, 2], &[3, 4], &[6, 1], &[]],
    ];
    let reading = Mutex::new(0);
    let api = move |_: &str, query: &Query| {
        let page = number(query, "page", 1);
        let mut reading = reading.lock().unwrap();
        *reading += usize::from(page == 1);
        // No page precedes the first one.
        let rows = page
            .checked_sub(1)
            .and_then(|page| readings[(*reading - 1).min(1)].get(page));
        let rows = rows.copied().unwrap_or_default();
        let data: Vec<_> = rows
            .iter()
            .map(|id| serde_json::json!({"id": id}))
            .collect();
        let body = serde_json::json!({"data": data}).to_string();
        (200, Vec::new(), body)
    };
    let by_number = Paginator::page_number("page").page_size("limit", 2);
    let (_, report) = load(list(by_number), api);
    let unproved = matches!(&report.proof, Proof::Unproved(why) if why.contains("no stable order"));
    assert!(unproved, "{report:?}");
}

#[test]
fn a_number_of_pages_does_not_prove_that_no_row_moved_from_page_to_page() {
    // The number of pages is one too low. Before the second request a row of the first page is
    // deleted, so that the third row moves there.
    let by_number = Paginator::page_number("page").page_size("limit", 2);
    let (_, report) = load(list(by_number.total_pages("pages")), |_, query| {
        let data = match number(query, "page", 1) {
            1 => serde_json::json!([{"id": 1}, {"id": 2}]),
            _ => serde_json::json!([]),
        };
        let body = serde_json::json!({"data": data, "pages": 1}).to_string();
        (200, Vec::new(), body)
    });
    assert!(matches!(report.proof, Proof::Consistent(_)), "{report:?}");
}

/// Loads 230 rows by offset, 100 at a time; `page` returns the rows at an offset.
fn by_hundreds(
    deletes: Deletes,
    page: impl Fn(usize) -> std::ops::Range<usize> + Send + Sync + 'static,
) -> (Vec<i64>, ResourceReport) {
    let list = list(Paginator::offset("offset").page_size("limit", 100)).deletes(deletes);
    load(list, move |_, query| {
        let rows = page(number(query, "offset", 0));
        let rows: Vec<_> = rows.map(|id| serde_json::json!({"id": id})).collect();
        let body = serde_json::json!({"data": rows}).to_string();
        (200, Vec::new(), body)
    })
}

#[test]
fn an_offset_that_counts_pages_and_a_limited_depth_are_not_proved() {
    // An offset that counts pages; and no page that begins behind the 150th row.
    let by_page = |at: usize| (at * 100).min(230)..(at * 100 + 100).min(230);
    let shallow = |at: usize| match at <= 150 {
        true => at..(at + 100).min(230),
        false => 0..0,
    };
    for deletes in [Deletes::Keep, Deletes::Hard] {
        let (arrived, report) = by_hundreds(deletes, by_page);
        assert_eq!(arrived.len(), 100, "{report:?}");
        assert!(matches!(report.proof, Proof::Unproved(_)), "{report:?}");
        let (arrived, report) = by_hundreds(deletes, shallow);
        assert_eq!(arrived.len(), 199, "{report:?}");
        assert!(matches!(report.proof, Proof::Unproved(_)), "{report:?}");
    }
}

#[test]
fn an_offset_that_is_clamped_to_the_last_page_ends_unproved() {
    let (arrived, report) = by_hundreds(Deletes::Keep, |at| at.min(130)..at.min(130) + 100);
    assert_eq!(arrived.len(), 230, "{report:?}");
    assert!(report.requests < 20, "{report:?}");
    let unproved = matches!(&report.proof, Proof::Unproved(why) if why.contains("the same page"));
    assert!(
        unproved && matches!(report.outcome, Outcome::Complete),
        "{report:?}"
    );
}

/// How a link or a token names the page that begins at a row.
type Naming = (&'static str, fn(usize) -> String, fn(&str) -> usize);

fn digits(text: &str) -> usize {
    let digits = text.split(|c: char| !c.is_ascii_digit());
    let mut numbers = digits.filter(|run| !run.is_empty());
    numbers.next().map_or(0, |run| run.parse().unwrap())
}

/// Names of rows and pages in links and in tokens.
const NAMES: [Naming; 12] = [
    (
        "p",
        |at| (at / 10 + 1).to_string(),
        |text| (digits(text) - 1) * 10,
    ),
    (
        "page_no",
        |at| (at / 10 + 1).to_string(),
        |text| (digits(text) - 1) * 10,
    ),
    (
        "currentPage",
        |at| (at / 10).to_string(),
        |text| digits(text) * 10,
    ),
    ("firstResult", |at| at.to_string(), digits),
    ("$skip", |at| at.to_string(), digits),
    ("anything", |at| at.to_string(), digits),
    ("begin", |at| (at + 1).to_string(), |text| digits(text) - 1),
    (
        "last_index",
        |at| (at - 1).to_string(),
        |text| digits(text) + 1,
    ),
    ("range", |at| format!("{at}-{}", at + 9), digits),
    (
        "t",
        |at| format!("p{}", at / 10 + 1),
        |text| (digits(text) - 1) * 10,
    ),
    ("t", |at| format!("offset:{at}"), digits),
    ("t", |at| format!("{{\"offset\": {at}}}"), digits),
];

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// Loads 53 rows, ten at a time, with a link or a token to each page. One row of the first page is
/// deleted after it has been read.
fn by_names((name, named, at): Naming, link: bool) -> (Vec<i64>, ResourceReport) {
    let paginator = match link {
        true => Paginator::next_url("next").into(),
        false => Paginator::from(Paginator::token("token", "next")),
    };
    load(list(paginator), move |_, query| {
        let asked = query.get(if link { name } else { "token" });
        let at = asked.map_or(0, |text| at(text));
        let rows: Vec<usize> = (500..553).filter(|id| at == 0 || *id != 503).collect();
        let page: Vec<_> = rows
            .iter()
            .skip(at)
            .take(10)
            .map(|id| serde_json::json!({"id": id}))
            .collect();
        let text = named(at + 10);
        let next = match link {
            true => format!("/items?limit=10&{}={}", escaped(name), escaped(&text)),
            false => text,
        };
        let next = (at + 10 < rows.len()).then_some(next);
        let body = serde_json::json!({"data": page, "next": next}).to_string();
        (200, Vec::new(), body)
    })
}

#[test]
fn numbers_under_any_name_that_grow_with_the_pages_are_positions() {
    for naming in NAMES {
        for link in [true, false] {
            let (arrived, report) = by_names(naming, link);
            // One of the rows that were there all the time was never shown.
            assert_eq!(arrived.len(), 52, "{} {report:?}", naming.0);
            let grade = report.proof.grade();
            assert_eq!(grade, "consistent", "{} {link} {report:?}", naming.0);
        }
    }
}

#[test]
fn a_number_in_the_path_of_a_link_is_a_position() {
    let (_, report) = load(list(Paginator::next_url("next")), |path, _| {
        let page = path
            .rsplit('/')
            .next()
            .and_then(|part| part.parse().ok())
            .unwrap_or(1);
        let rows: Vec<_> = (0..3)
            .map(|row| serde_json::json!({"id": 500 + page * 3 + row}))
            .collect();
        let next = (page < 4).then(|| format!("/items/page/{}", page + 1));
        (
            200,
            Vec::new(),
            serde_json::json!({"data": rows, "next": next}).to_string(),
        )
    });
    assert_eq!(report.proof.grade(), "consistent", "{report:?}");
}

#[test]
fn tokens_that_name_the_last_record_or_its_time_stay_proved() {
    let tokens: [fn(i64) -> String; 4] = [
        |last| last.to_string(),
        |last| format!("id:{last}"),
        |last| (1_700_000_000 + last).to_string(),
        |last| format!("2024-01-{:02}T00:00:00Z", last / 10 - 48),
    ];
    for token in tokens {
        for link in [true, false] {
            let paginator = match link {
                true => Paginator::next_url("next").into(),
                false => Paginator::from(Paginator::token("token", "next")),
            };
            let (arrived, report) = load(list(paginator), move |_, query| {
                let after = |last: &i64| query.get("token") == Some(&token(*last));
                let last = (509..560).step_by(10).find(after).unwrap_or(499);
                let page: Vec<_> = (last + 1..=last + 10)
                    .map(|id| serde_json::json!({"id": id}))
                    .collect();
                let text = token(last + 10);
                let next = if link {
                    format!("/items?token={text}")
                } else {
                    text
                };
                let next = (last < 539).then_some(next);
                (
                    200,
                    Vec::new(),
                    serde_json::json!({"data": page, "next": next}).to_string(),
                )
            });
            assert_eq!(arrived.len(), 50);
            assert_eq!(report.proof.grade(), "proved", "{} {report:?}", token(509));
        }
    }
}

#[test]
fn a_killed_run_does_not_go_on_from_a_link_that_counts() {
    for (name, by) in [("p", 1), ("$skip", 10), ("x", 10)] {
        let gone = Arc::new(AtomicUsize::new(0));
        let deleted = gone.clone();
        let (base, _) = serve(move |_, query| {
            let k = number(query, name, usize::from(by == 1));
            let at = if by == 1 { (k - 1) * 10 } else { k };
            let first = 500 + deleted.load(Ordering::SeqCst);
            let page: Vec<_> = (first..560)
                .skip(at)
                .take(10)
                .map(|id| serde_json::json!({"id": id}))
                .collect();
            let name = name.replace('$', "%24");
            let next =
                (first + at + 10 < 560).then(|| format!("/items?limit=10&{name}={}", k + by));
            (
                200,
                Vec::new(),
                serde_json::json!({"data": page, "next": next}).to_string(),
            )
        });
        let source = Source::new("moving", &base).concurrency(1);
        let source = source.resource(list(Paginator::next_url("next")));
        let into = InMemory::new(10);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let options = RunOptions::default();
        let run = sync(
            &source,
            Box::new(into.failing_at(4)),
            &options,
            Arc::new(()),
        );
        runtime.block_on(run).unwrap_err();
        gone.store(15, Ordering::SeqCst);
        let run = sync(&source, Box::new(into.clone()), &options, Arc::new(()));
        let report = runtime.block_on(run).unwrap();
        assert_eq!(into.table("items").len(), 60, "{name} {report:?}");
        assert!(!report.resources[0].proof.grade().contains("proved"));
    }
}
