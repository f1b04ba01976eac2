//! Tests of what follows a page, for each kind of paginator.

use std::num::NonZeroU32;

use etlgen_model::Paginator;
use reqwest::header::HeaderMap;

use super::account::{Account, Terms};
use super::advance::{PageFacts, Step};
use super::paginator::{Next, Pager, Position};
use super::places::Places;
use super::proof::Proof;
use crate::Result;
use crate::http::{Response, Sent};
use crate::record::Stands;

fn response(link: Option<&str>) -> Response {
    let mut headers = HeaderMap::new();
    if let Some(link) = link {
        headers.insert("link", link.parse().unwrap());
    }
    Response {
        status: 200,
        headers,
        body: Vec::new(),
        open_ended: false,
        repeated: false,
        landed: None,
        request: "GET /x".into(),
        sent: Sent::default(),
    }
}

/// The rows, more, total, next and last id of a page.
type Page<'a> = (
    u64,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
);

fn account() -> Account {
    Account::new(Terms {
        name: "things".into(),
        keyed: true,
        ..Terms::default()
    })
}

fn facts<'a>(page: Page<'a>, ids: &'a [u64], response: &'a Response) -> PageFacts<'a> {
    let (rows, more, total, next, last_id) = page;
    PageFacts {
        rows,
        probes: [more, total, next],
        beside: &[],
        stands: Stands::List,
        last_id: last_id.map(str::to_owned),
        fingerprint: None,
        ids,
        contents: &[],
        settled: &|_| true,
        records: (&[], &[]),
        redacted: &str::to_owned,
        response,
    }
}

fn advance(paginator: &Pager, at: &Position, page: Page<'_>) -> Result<Step> {
    let response = response(None);
    let facts = facts(page, &[], &response);
    Ok(match account().judge(paginator, at, &facts)?.step? {
        Step::Next(position) => Step::Next(Position {
            places: Places::default(),
            ..position
        }),
        end => end,
    })
}

fn after(next: Next, rows: u64, pages: u64) -> Position {
    Position {
        next,
        rows,
        pages,
        fingerprint: None,
        listed: pages > 0,
        ..Position::default()
    }
}

fn value(text: &str) -> Next {
    Next::Value(text.into())
}

#[test]
fn a_full_first_page_without_the_next_key_proves_nothing() {
    let paginator = Pager::from(Paginator::token("after", "next").page_size("limit", 5));
    let step = |rows, next| {
        let step = advance(
            &paginator,
            &Position::default(),
            (rows, None, None, next, None),
        );
        step.unwrap()
    };
    assert!(matches!(step(5, None), Step::End(Proof::Unproved(_))));
    assert!(matches!(step(4, None), Step::End(Proof::Proved(_))));
    assert!(matches!(step(5, Some("null")), Step::End(Proof::Proved(_))));
}

#[test]
fn last_id_goes_on_until_has_more_is_false() {
    let paginator = Pager::from(Paginator::last_id("after").more("has_more"));
    let start = Position::default();
    let step = advance(&paginator, &start, (2, Some("true"), None, None, Some("b"))).unwrap();
    let second = Position {
        promised: Some("has_more".to_owned()),
        ..after(value("b"), 2, 1)
    };
    assert_eq!(step, Step::Next(second.clone()));
    let again = advance(
        &paginator,
        &second,
        (2, Some("true"), None, None, Some("b")),
    );
    assert!(again.unwrap_err().to_string().contains("again"));
    let end = advance(
        &paginator,
        &start,
        (2, Some("false"), None, None, Some("b")),
    )
    .unwrap();
    assert_eq!(end, Step::End(Proof::Proved("`has_more` is false".into())));
    assert!(advance(&paginator, &start, (0, Some("true"), None, None, None)).is_err());
}

#[test]
fn a_short_page_proves_nothing() {
    let paginator = Pager::from(Paginator::page_number("page").page_size("per_page", 500));
    let step = advance(
        &paginator,
        &Position::default(),
        (100, None, None, None, None),
    )
    .unwrap();
    // A server that cuts its pages off is asked for as many rows as it sends.
    let second = Position {
        size: NonZeroU32::new(100),
        ..after(value("2"), 100, 1)
    };
    assert_eq!(step, Step::Next(second));
    let step = advance(
        &paginator,
        &after(value("2"), 100, 1),
        (15, None, None, None, None),
    )
    .unwrap();
    assert_eq!(step, Step::Next(after(value("3"), 115, 2)));
    let step = advance(
        &paginator,
        &after(value("3"), 115, 2),
        (0, None, None, None, None),
    )
    .unwrap();
    // Nothing counts the rows, so page 0 may have some.
    assert_eq!(step, Step::Next(after(value("0"), 115, 2)));
}

#[test]
fn offsets_advance_by_rows_received_and_end_at_the_total() {
    let paginator = Pager::from(Paginator::offset("offset").total_items("total"));
    let step = advance(
        &paginator,
        &Position::default(),
        (100, None, Some("117"), None, None),
    )
    .unwrap();
    let second = Position {
        total: Some(117),
        counted_rows: Some(117),
        ..after(value("100"), 100, 1)
    };
    assert_eq!(step, Step::Next(second.clone()));
    let step = advance(&paginator, &second, (17, None, Some("117"), None, None)).unwrap();
    assert_eq!(step, Step::End(Proof::Proved("117 rows of 117".into())));
    // A list that ends short of its total is read again; then it is an error.
    let (response, mut account) = (response(None), account());
    let mut step = |at: &Position, rows| {
        let page = facts((rows, None, Some("117"), None, None), &[], &response);
        account.judge(&paginator, at, &page).unwrap().step
    };
    let mut at = after(value("100"), 100, 1);
    for rows in [0, 100] {
        let Step::Next(next) = step(&at, rows).unwrap() else {
            panic!("it ends")
        };
        at = next;
    }
    let error = step(&at, 0).unwrap_err().report();
    assert!(error.contains("after 100 rows"), "{error}");
    assert!(error.contains("counts 117 (`total`)"), "{error}");
    assert!(error.contains("`total = false`"), "{error}");
}

#[test]
fn page_totals_count_pages() {
    let paginator = Pager::from(
        Paginator::page_number("page")
            .starting_at(0)
            .total_pages("pages"),
    );
    let step = advance(
        &paginator,
        &Position::default(),
        (7, None, Some("2"), None, None),
    )
    .unwrap();
    let second = Position {
        total: Some(2),
        counted_pages: Some(2),
        ..after(value("1"), 7, 1)
    };
    assert_eq!(step, Step::Next(second.clone()));
    let step = advance(&paginator, &second, (7, None, Some("2"), None, None)).unwrap();
    assert_eq!(step, Step::End(Proof::Proved("page 2 of 2".into())));
}

#[test]
fn tokens_end_where_none_is_left_and_never_loop() {
    let paginator = Pager::from(Paginator::token("cursor", "meta.next"));
    let step = advance(
        &paginator,
        &Position::default(),
        (1, None, None, Some("\"kq\""), None),
    )
    .unwrap();
    assert_eq!(step, Step::Next(after(value("kq"), 1, 1)));
    assert!(
        advance(
            &paginator,
            &after(value("kq"), 1, 1),
            (1, None, None, Some("\"kq\""), None)
        )
        .is_err()
    );
    for none in [None, Some("null"), Some("\"\"")] {
        let step = advance(
            &paginator,
            &Position::default(),
            (1, None, None, none, None),
        )
        .unwrap();
        assert_eq!(
            step,
            Step::End(Proof::Proved("no next token".into())),
            "{none:?}"
        );
    }
    let lying = Pager::from(Paginator::token("cursor", "next").more("more"));
    assert!(
        advance(
            &lying,
            &Position::default(),
            (1, Some("true"), None, None, None)
        )
        .is_err()
    );
}

#[test]
fn links_are_followed_and_a_page_sent_twice_is_an_error() {
    let paginator = Pager::from(Paginator::link_header());
    let response = response(Some("</x?page=2>; rel=\"next\""));
    let facts = PageFacts {
        fingerprint: Some(7),
        ..facts((1, None, None, None, None), &[1], &response)
    };
    let mut account = account();
    let step = account.judge(&paginator, &Position::default(), &facts);
    let Step::Next(position) = step.unwrap().step.unwrap() else {
        panic!("it ends")
    };
    assert_eq!(position.next, Next::Url("/x?page=2".into()));
    let again = account.judge(&paginator, &position, &facts).unwrap();
    assert!(again.step.is_err());
}

#[test]
fn a_page_of_one_row_that_was_asked_for_one_row_early_foresees_nothing() {
    let paginator = Pager::from(Paginator::offset("offset").total_items("total"));
    let next = Position {
        places: Places::early(),
        ..after(value("5"), 5, 1)
    };
    let foreseen = paginator.foreseen(&next, 1, Some(100), 8);
    assert_eq!(foreseen, [next]);
}

#[test]
fn tokens_and_links_that_are_none_are_errors_and_0_is_none() {
    for paginator in [
        Pager::from(Paginator::token("cursor", "next")),
        Pager::from(Paginator::next_url("next")),
    ] {
        let step = |next| {
            advance(
                &paginator,
                &Position::default(),
                (3, None, None, Some(next), None),
            )
        };
        for (json, holds) in [
            (r#"{"after":"t"}"#, "an object"),
            (r#"["t"]"#, "a list"),
            ("true", "`true`"),
        ] {
            let error = step(json).unwrap_err().report();
            assert!(error.contains(&format!("`next` is {holds}")), "{error}");
        }
        for none in ["0", "false", "null", "\"\""] {
            assert!(
                matches!(step(none), Ok(Step::End(Proof::Proved(_)))),
                "{none}"
            );
        }
    }
}

#[test]
fn circles_of_any_length_end() {
    for paginator in [
        Pager::from(Paginator::token("cursor", "next")),
        Pager::from(Paginator::next_url("next")),
        Pager::from(Paginator::last_id("after")),
    ] {
        for length in 1..=5_u64 {
            let response = response(None);
            let (mut account, mut position) = (account(), Position::default());
            let error = (0..20).find_map(|page| {
                let (token, ids) = (format!("\"t{}\"", page % length), [page]);
                let last = token.trim_matches('"').to_owned();
                let facts = facts((1, None, None, Some(&token), Some(&last)), &ids, &response);
                match account.judge(&paginator, &position, &facts).unwrap().step {
                    Ok(Step::Next(next)) => position = next,
                    Ok(end) => panic!("{end:?}"),
                    Err(error) => return Some((page, error.report())),
                }
                None
            });
            let (page, error) = error.unwrap();
            assert_eq!(page, length, "{error}");
        }
    }
}

#[test]
fn pages_whose_rows_have_all_come_end_after_three() {
    let paginator = Pager::from(Paginator::page_number("page"));
    let response = response(None);
    let (mut account, mut position) = (account(), Position::default());
    for page in 0..20_u64 {
        // Page 7 repeats page 1.
        let ids: Vec<u64> = (0..10).map(|row| page % 6 * 10 + row + 1).collect();
        let facts = facts((10, None, None, None, None), &ids, &response);
        match account.judge(&paginator, &position, &facts).unwrap().step {
            Ok(Step::Next(next)) => position = next,
            Ok(end) => panic!("{end:?}"),
            Err(error) => {
                assert_eq!(page, 8, "{error}");
                return;
            }
        }
    }
    panic!("it goes on for ever");
}
