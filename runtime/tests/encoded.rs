//! Tests of responses in another charset than UTF-8: what is declared is decoded, and bytes that no
//! declaration explains are not proved.

use crate::support::{InMemory, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Proof, ResourceReport, RunOptions};
use etlgen_runtime::world::WireResponse;

#[derive(Record)]
struct Named {
    id: Option<String>,
}

/// Loads a list of one response; returns the report and the ids.
fn load(
    list: impl FnOnce(Resource<Named>) -> Resource<Named>,
    content_type: &'static str,
    body: Vec<u8>,
) -> (ResourceReport, Vec<String>) {
    let (world, clock) = simulated(0, move |_| {
        let response = WireResponse::new(200).header("content-type", content_type);
        let length = body.len().to_string();
        Ok(response
            .header("content-length", &length)
            .body(body.clone()))
    });
    let named = Named::list("names", "/names").primary_key([Named::ID]);
    let source = Source::new("s", "https://api.example")
        .world(world)
        .resource(list(named));
    let into = InMemory::new(10);
    let mut report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    let rows = into.table("names");
    let mut ids: Vec<String> = rows
        .values()
        .map(|row| row.get("id").cloned().unwrap_or_default())
        .collect();
    ids.sort_unstable();
    (report.resources.remove(0), ids)
}

fn proved(list: Resource<Named>) -> Resource<Named> {
    list.records("data")
        .paginate(Paginator::token("after", "next"))
}

const LATIN: &[u8] = b"{\"data\": [{\"id\": \"\xe8\"}, {\"id\": \"\xe9\"}], \"next\": null}";

#[test]
fn the_declared_charset_is_decoded_and_proved() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content_type, body) in [
        ("application/json; charset=ISO-8859-1", LATIN.to_vec()),
        (
            "application/json",
            utf16("\u{feff}{\"data\": [{\"id\": \"è\"}, {\"id\": \"é\"}], \"next\": null}"),
        ),
        // What is declared by default, and is UTF-8.
        (
            "application/json; charset=ISO-8859-1",
            "{\"data\": [{\"id\": \"è\"}, {\"id\": \"é\"}], \"next\": null}".into(),
        ),
    ] {
        let (report, ids) = load(proved, content_type, body);
        assert_eq!(ids, ["è", "é"], "{content_type}");
        assert!(matches!(report.proof, Proof::Proved(_)), "{report:?}");
        assert!(report.notes.is_empty(), "{report:?}");
    }
}

#[test]
fn bytes_that_no_charset_explains_are_not_proved() {
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "text/plain; charset=martian",
    ] {
        let (report, ids) = load(proved, content_type, LATIN.to_vec());
        assert_eq!(ids, ["\u{fffd}e8", "\u{fffd}e9"], "{content_type}");
        let Proof::Unproved(why) = &report.proof else {
            panic!("{report:?}")
        };
        assert!(why.contains("bytes that are not UTF-8"), "{why}");
        assert!(report.notes.join("\n").contains("not UTF-8"), "{report:?}");
    }
}

#[cfg(feature = "csv")]
#[test]
fn csv_has_a_charset_too() {
    let body = b"id\n\xe8\n\xe9\n".to_vec();
    let (report, ids) = load(
        Resource::csv,
        "text/csv; charset=windows-1252",
        body.clone(),
    );
    assert_eq!(ids, ["è", "é"]);
    assert!(matches!(report.proof, Proof::Assumed(_)), "{report:?}");
    let (report, ids) = load(Resource::csv, "text/csv", body);
    assert_eq!(ids, ["\u{fffd}e8", "\u{fffd}e9"]);
    assert!(matches!(report.proof, Proof::Unproved(_)), "{report:?}");
}

#[cfg(feature = "csv")]
#[test]
fn lines_that_are_no_records_of_csv_are_left_out_or_told() {
    let loaded = |content_type, body: &str| load(Resource::csv, content_type, body.into());
    let (report, ids) = loaded("text/csv", "id\na\nid\nb\n");
    assert_eq!(ids, ["a", "b"]);
    assert!(
        report.notes.join("").contains("repeats the header"),
        "{report:?}"
    );
    // Blanks around a name.
    let (report, ids) = loaded("text/csv", "n, id \n1,a\n");
    assert_eq!(ids, ["a"]);
    assert!(report.notes.is_empty(), "{report:?}");
    // Another column in place of the declared one.
    let (report, _) = loaded("text/csv", "ident\na\n");
    assert!(report.notes.join("").contains("has no `id`"), "{report:?}");
    // A server that calls everything HTML.
    assert_eq!(loaded("text/html; charset=utf-8", "id\na\n").1, ["a"]);
    for (content_type, body, said) in [
        (
            "text/csv",
            "<html><body>login</body></html>",
            "it is a page of HTML",
        ),
        ("text/html", "please log in\n", "it is a page of HTML"),
        ("text/csv", "id,n,id\na,1,b\n", "has the column `id` twice"),
        ("text/csv", "id,n, n\na,1,b\n", "has the column `n` twice"),
        (
            "text/csv",
            "id,,\na,1,2\n",
            "several columns without a name",
        ),
    ] {
        let (report, _) = loaded(content_type, body);
        let outcome = format!("{:?}", report.outcome);
        assert!(outcome.contains(said), "{body}: {outcome}");
    }
    // Delimiters at the end of each line.
    assert_eq!(loaded("text/csv", "id,,\na,,\n").1, ["a"]);
}
