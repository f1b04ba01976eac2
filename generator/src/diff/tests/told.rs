//! Tests of the forms of a report: text, markdown, JSON.

use super::super::{Diff, Level, json, markdown, next, text};
use super::{API, compared, with};

fn later() -> Diff {
    let new = with(&[
        (
            "        total: {type: integer}\n",
            "        total: {type: string}\n        tax: {type: number}\n        vat: {type: number}\n",
        ),
        ("        zip: {type: string}\n", ""),
        (
            "        text: {type: string}\n",
            "        body_text: {type: string}\n",
        ),
        ("maximum: 50", "maximum: 100"),
        ("  /users:\n", "  /people:\n"),
        ("scheme: bearer", "scheme: basic"),
    ]);
    compared(
        (API, ""),
        (&new, "[resources.orders]\nprimary_key = [\"total\"]\n"),
    )
}

#[test]
fn in_text() {
    etlgen_testkit::assert_snapshot!(text(&later()));
}

#[test]
fn in_markdown() {
    etlgen_testkit::assert_snapshot!(markdown(&later()));
}

#[test]
fn in_json() {
    let found = later();
    let from = semver::Version::new(0, 3, 1);
    let to = next(&from, Level::Breaking);
    etlgen_testkit::assert_snapshot!(format!("{:#}", json(&found, Some(&(from, to)))));
}

#[test]
fn nothing() {
    let found = Diff::default();
    assert_eq!(text(&found), "nothing has changed\n");
    assert_eq!(markdown(&found), "");
}

#[test]
fn text_of_a_document_does_not_reach_the_terminal() {
    let evil = API.replace("/users", "\"/us`ers\\u001b[2J\"");
    let found = compared((API, ""), (&evil, ""));
    assert!(!found.changes.is_empty());
    for told in [text(&found), markdown(&found)] {
        assert!(!told.contains('\u{1b}'), "{told:?}");
    }
}
