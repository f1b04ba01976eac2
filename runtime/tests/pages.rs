//! Tests of what pages say about themselves: how many rows they have, how many pages there are, tokens
//! that are words for the end, one token for all pages.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use crate::account::{Came, Query, Thing, into, list, load, number, ok, rows};
use crate::answers::token;
use crate::support::InMemory;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::RunOptions;
use etlgen_runtime::world::WireResponse;
use serde_json::{Value, json};

/// Returns the number of the page that a token `k0`, `k1`, … leads to.
fn page_of(query: &Query) -> usize {
    let token = query.get("token").map(|token| token[1..].parse().unwrap());
    token.unwrap_or(0)
}

/// Loads 53 rows in pages of ten by tokens whose digits are mixed, so that they count nothing.
fn by_token(of: impl Fn(usize) -> (Vec<Value>, Value, Value) + Send + Sync + 'static) -> Came {
    const TOKENS: [&str; 6] = ["", "qx", "am", "zt", "hk", "wd"];
    load(token(), move |query| {
        let at = query.get("token").map_or(0, |token| {
            TOKENS.iter().position(|known| known == token).unwrap_or(0)
        });
        let (rows, next, beside) = of(at);
        let next = match next {
            Value::Bool(true) => TOKENS.get(at + 1).copied().into(),
            next => next,
        };
        let mut body = json!({"data": rows, "next": next});
        for (key, value) in beside.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        ok(body)
    })
}

fn tens(at: usize) -> std::ops::Range<usize> {
    (at * 10).min(53)..(at * 10 + 10).min(53)
}

#[test]
fn a_number_of_pages_that_is_smaller_than_what_came_ends_nothing_and_contradicts() {
    let pages = |count: fn(usize) -> Value, all: usize| {
        let paginator = Paginator::page_number("page").total_pages("pages");
        load(list(paginator), move |query| {
            let at = number(query, "page").unwrap_or(1).max(1) - 1;
            let first = query.get("page").is_none_or(|page| page != "0");
            let rows = rows((at * 10).min(all)..(at * 10 + 10).min(all));
            ok(json!({"data": if first { rows } else { Vec::new() }, "pages": count(all)}))
        })
    };
    for (count, all, grade) in [
        ((|_| json!(0)) as fn(usize) -> Value, 53, "failed"),
        (|_| json!(1), 53, "failed"),
        (|_| json!(3), 53, "failed"),
        (|_| json!(0), 7, "failed"),
        (|all| json!(all.div_ceil(10)), 53, "consistent"),
        (|all| json!(all.div_ceil(10)), 7, "consistent"),
        (|_| json!(0), 0, "proved"),
    ] {
        let came = pages(count, all);
        let cell = format!("{} {all}: {}", count(all), came.said());
        assert_eq!((came.grade(), came.ids.len()), (grade, all), "{cell}");
    }
    // Where no paginator names it.
    for (pages, rows_, grade) in [(0, 7, "unproved"), (1, 7, "proved"), (0, 0, "proved")] {
        let came = crate::account::single(move || {
            ok(json!({"data": rows(0..rows_), "total_pages": pages}))
        });
        assert_eq!(came.grade(), grade, "{pages} {rows_}: {}", came.said());
    }
}

#[test]
fn a_total_that_turns_to_0_or_falls_by_more_than_a_page_is_not_believed() {
    for (totals, grade) in [
        ([53, 53, 0], "failed"),
        ([53, 0, 0], "failed"),
        ([53, 53, 30], "unproved"),
        ([35, 35, 30], "consistent"),
        ([30, 30, 30], "proved"),
    ] {
        let came = by_token(move |at| {
            let beside = json!({"total": totals[at]});
            let next = if at < 2 { true.into() } else { Value::Null };
            (rows(tens(at)), next, beside)
        });
        let said = format!("{totals:?}: {}", came.said());
        assert_eq!((came.grade(), came.ids.len()), (grade, 30), "{said}");
    }
}

#[test]
fn a_page_with_fewer_rows_than_it_says_makes_a_doubt() {
    let counted = |name: &'static str, count: fn(usize, usize) -> usize, drops: bool| {
        by_token(move |at| {
            let all = rows(tens(at));
            let count = count(at, all.len());
            let sent = match at {
                2 if drops => all[..8].to_vec(),
                _ => all,
            };
            let next = match at {
                5 => Value::Null,
                _ => true.into(),
            };
            (sent, next, json!({name: count}))
        })
    };
    for name in [
        "count",
        "returned",
        "numberReturned",
        "result_count",
        "items_count",
        "size",
        "length",
        "rowCount",
        "num_results",
        "itemsInPage",
        "records_returned",
        "numberOfElements",
    ] {
        let came = counted(name, |_, rows| rows, true);
        let said = came.said();
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("unproved", 51),
            "{name}: {said}"
        );
        assert!(said.contains(name) && said.contains("8 arrived"), "{said}");
        assert_eq!(
            counted(name, |_, rows| rows, false).grade(),
            "proved",
            "{name}"
        );
    }
    // The requested size, positions, and numbers of something else.
    for (name, count) in [
        ("size", (|_, _| 10) as fn(usize, usize) -> usize),
        ("length", |at, _| 10 * at + 3),
        ("returned", |at, _| 10 * at + 10),
        ("size", |at, _| 4000 + at),
    ] {
        let came = counted(name, count, false);
        assert_eq!(came.grade(), "proved", "{name}: {}", came.said());
    }
}

/// Answers with the next page whatever is asked for.
fn scroll(all: usize, size: usize, ends_null: bool) -> impl Fn(&Query) -> WireResponse {
    let place = AtomicUsize::new(0);
    move |query| {
        if !query.contains_key("token") {
            place.store(0, SeqCst);
        }
        let at = place.fetch_add(size, SeqCst).min(all);
        let end = (at + size).min(all);
        let token = (!(ends_null && end == all)).then_some("c2Nyb2xs");
        ok(json!({"data": rows(at..end), "next": token}))
    }
}

#[test]
fn a_scroll_has_one_token_for_all_pages() {
    for (all, size, ends_null) in [
        (53, 10, false),
        (53, 10, true),
        (50, 10, false),
        (30, 10, true),
    ] {
        let came = load(token(), scroll(all, size, ends_null));
        let cell = format!("{all} {size} {ends_null}: {}", came.said());
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("consistent", all),
            "{cell}"
        );
    }
    // A server that sends one page for ever is no scroll.
    let came = load(token(), |_| {
        ok(json!({"data": rows(0..10), "next": "c2Nyb2xs"}))
    });
    assert_eq!(came.grade(), "failed", "{}", came.said());
    // Nor is one whose pages have no new rows.
    let turn = AtomicUsize::new(0);
    let came = load(token(), move |_| {
        let turn = turn.fetch_add(1, SeqCst);
        let mut all = rows(0..20);
        all.rotate_left(turn);
        ok(json!({"data": all, "next": "c2Nyb2xs"}))
    });
    assert_eq!(came.grade(), "failed", "{}", came.said());
    assert!(came.asked.len() < 8, "{:?}", came.asked);
}

#[test]
fn a_scroll_is_not_continued_by_another_run() {
    for (limit, failed) in [(15, true), (25, false)] {
        let memory = InMemory::new(10);
        let answer = Arc::new(scroll(53, 10, false));
        let run = |limit: Option<u64>| {
            let mut options = RunOptions::default();
            options.limit = limit;
            let answer = answer.clone();
            into(&memory, token(), move |query| answer(query), &options)
        };
        run(Some(limit));
        // After one page nothing shows that the token is that of a scroll.
        if failed {
            let came = run(None);
            assert_eq!(came.grade(), "failed", "{}", came.said());
        }
        let came = run(None);
        assert_eq!(
            (came.grade(), came.ids.len()),
            ("consistent", 53),
            "{}",
            came.said()
        );
        assert!(!came.asked[0].contains("token"), "{:?}", came.asked);
    }
}

#[test]
fn words_for_no_more_are_no_tokens() {
    for word in [
        json!("null"),
        json!("None"),
        json!("undefined"),
        json!("nil"),
        json!("-1"),
        json!(-1),
        json!("false"),
        json!(" "),
        json!("00000000-0000-0000-0000-000000000000"),
    ] {
        let last = word.clone();
        let came = by_token(move |at| {
            let next = if at == 5 { last.clone() } else { true.into() };
            (rows(tens(at)), next, json!({}))
        });
        let cell = format!("{word}: {}", came.said());
        assert_eq!(
            (came.grade(), came.ids.len(), came.asked.len()),
            ("proved", 53, 6),
            "{cell}"
        );
        // A full first page is no proof.
        let first = word.clone();
        let came = load(token(), move |_| {
            ok(json!({"data": rows(0..10), "next": first}))
        });
        let grade = if word == json!(" ") {
            "proved"
        } else {
            "unproved"
        };
        assert_eq!(came.grade(), grade, "{word}: {}", came.said());
    }
}

#[test]
fn a_word_for_the_end_that_the_api_refuses_is_the_end() {
    let ended = |word: &'static str, status: u16| {
        load(token(), move |query| match query.get("token") {
            Some(token) if token == word => WireResponse::new(status).body("{}"),
            _ => {
                let at = page_of(query);
                let next = if at == 5 {
                    word.to_owned()
                } else {
                    format!("k{}", at + 1)
                };
                ok(json!({"data": rows(tens(at)), "next": next}))
            }
        })
    };
    for word in ["end", "EOF", "DONE", "LAST", "-", "e30="] {
        for status in [400, 404, 422] {
            let came = ended(word, status);
            let said = came.said();
            assert_eq!(
                (came.grade(), came.ids.len()),
                ("consistent", 53),
                "{word} {status}: {said}"
            );
            assert!(
                said.contains("on_status") || said.contains("count"),
                "{said}"
            );
        }
    }
    // A token that is no word may have expired.
    assert_eq!(ended("endless", 404).grade(), "failed");
    assert_eq!(ended("end", 403).grade(), "failed");
}

#[test]
fn a_page_by_token_that_is_requested_again_is_consistent_unless_rows_are_counted() {
    let failing = |status: u16, at_page: usize, total: bool| {
        let tries = AtomicUsize::new(0);
        load(token(), move |query| {
            const TOKENS: [&str; 3] = ["qx", "am", "zt"];
            let at = query.get("token").map_or(0, |token| {
                1 + TOKENS.iter().position(|known| known == token).unwrap()
            });
            if at == at_page && tries.fetch_add(1, SeqCst) == 0 {
                return WireResponse::new(status);
            }
            let rows = rows(at * 10..(at * 10 + 10).min(33));
            let mut body = json!({"data": rows, "next": TOKENS.get(at)});
            if total {
                body["total"] = 33.into();
            }
            ok(body)
        })
    };
    for (status, at_page, total, grade) in [
        (500, 2, false, "consistent"),
        (502, 2, false, "consistent"),
        (500, 2, true, "proved"),
        (500, 0, false, "proved"),
        // The server has not read the list.
        (429, 2, false, "proved"),
        (503, 2, false, "proved"),
    ] {
        let came = failing(status, at_page, total);
        let cell = format!("{status} {at_page} {total}: {}", came.said());
        assert_eq!((came.grade(), came.ids.len()), (grade, 33), "{cell}");
    }
}

#[test]
fn a_list_that_fills_a_usual_number_of_pages_may_be_limited() {
    let full = |size: usize, all: usize, total: bool| {
        let paginator = Paginator::token("token", "next");
        let things: Resource<Thing> = list(paginator);
        load(things, move |query| {
            let at = query.get("token").map_or(0, |token| {
                usize::from_str_radix(&token[1..], 7).unwrap() / 1013
            });
            let end = ((at + 1) * size).min(all);
            let next = (end < all).then(|| {
                let mut left = (at + 1) * 1013 + (at * 37) % 1000;
                let mut digits = Vec::new();
                while left > 0 {
                    digits.insert(0, char::from(b'0' + (left % 7) as u8));
                    left /= 7;
                }
                format!("x{}", digits.into_iter().collect::<String>())
            });
            let mut body = json!({"data": rows(at * size..end), "next": next});
            if total {
                body["total"] = all.into();
            }
            ok(body)
        })
    };
    for (size, all, total, grade) in [
        (30, 300, false, "unproved"),
        (20, 60, false, "unproved"),
        (50, 2500, false, "unproved"),
        (30, 300, true, "proved"),
        (30, 299, false, "proved"),
        (30, 270, false, "proved"),
        (10, 100, false, "proved"),
        (30, 90, false, "proved"),
    ] {
        let came = full(size, all, total);
        let cell = format!("{size} {all} {total}: {}", came.said());
        assert_eq!((came.grade(), came.ids.len()), (grade, all), "{cell}");
    }
}
