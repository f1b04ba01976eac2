//! Tests of tokens and links that hold a number of rows or pages: such a list is paged by position,
//! also where only one token came, so that none can be compared with it.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::account::{Came, list, load, ok, rows};
use etlgen_runtime::prelude::*;
use serde_json::json;

/// Loads a list of two or more pages with ten rows by these tokens, named by the field `next`.
fn by_tokens(tokens: &'static [&'static str]) -> Came {
    let paginator = Paginator::token("token", "next");
    load(list(paginator), move |query| {
        let asked = query.get("token");
        let at = asked.map_or(0, |asked| {
            1 + tokens.iter().position(|token| token == asked).unwrap()
        });
        ok(json!({"data": rows(500 + at * 10..510 + at * 10), "next": tokens.get(at)}))
    })
}

#[test]
fn a_number_within_the_only_token_of_a_list_may_be_a_position() {
    for tokens in [
        &["p2"][..],
        &["p1"],
        &["page:2"],
        &["cursor_10"],
        &["10-19"],
        &["next=11"],
        &["{\"offset\":10,\"limit\":10}"],
        &["{\"page\":2,\"seed\":81273}"],
        // The same in base64.
        &["cDI="],
        &["eyJvZmZzZXQiOjEwfQ"],
        // What stands beside the number changes.
        &["ab-2", "cd-3"],
        &["ab-2", "cd-3", "ef-4"],
        // Whatever else is in the token.
        &["10_9f3ca77e", "20_77eab01c"],
        &[
            "{\"offset\":10,\"nonce\":\"a8f3\"}",
            "{\"offset\":20,\"nonce\":\"77be\"}",
        ],
        &["Y0RJPQ==", "Y0RNPQ=="],
        &["7032", "7033"],
    ] {
        let came = by_tokens(tokens);
        let read = (came.grade(), came.ids.len());
        assert_eq!(
            read,
            ("consistent", 10 + tokens.len() * 10),
            "{tokens:?}: {}",
            came.said()
        );
    }
}

#[test]
fn opaque_tokens_that_hold_digits_are_no_positions() {
    for tokens in [
        &["kq"][..],
        &["k509"],
        &["after:509"],
        &["eyJpZCI6NTA5fQ"],
        &["{\"v\":1,\"id\":509}"],
        &["v1.dGhl"],
        &["v2:509"],
        &["a7f2k9"],
        &["1f0c2d8e-58cc-4372-a567-0e02b2c3d479"],
        &["2024-01-02T00:00:00Z"],
        &["1700000000.10"],
        // Three pages show that the first token did not count.
        &["p2", "z9"],
        &["x10", "x77"],
        &["9f3ca77e-8812", "77eab01c-9913"],
        &[
            "{\"limit\":10,\"id\":\"a8f3\"}",
            "{\"limit\":10,\"id\":\"b7\"}",
        ],
    ] {
        let came = by_tokens(tokens);
        let read = (came.grade(), came.ids.len());
        assert_eq!(
            read,
            ("proved", 10 + tokens.len() * 10),
            "{tokens:?}: {}",
            came.said()
        );
    }
}

#[test]
fn a_number_within_the_token_of_the_only_link_may_be_a_position() {
    for (link, grade) in [
        ("/things?cursor=p2", "consistent"),
        ("/things?pageToken=cDI%3D", "consistent"),
        ("/things/p2", "consistent"),
        ("/things?cursor=k509", "proved"),
        ("/v2/things?cursor=kq&limit=10", "proved"),
        ("/v2/things?cursor=kq&fields=address2", "proved"),
    ] {
        let count = AtomicUsize::new(0);
        let came = load(list(Paginator::next_url("next")), move |_| {
            let asked = count.fetch_add(1, Ordering::Relaxed);
            let next = (asked == 0).then_some(link);
            ok(json!({"data": rows(500 + asked * 10..510 + asked * 10), "next": next}))
        });
        assert_eq!(
            (came.grade(), came.ids.len()),
            (grade, 20),
            "{link}: {}",
            came.said()
        );
    }
}
