//! Tests of defaults that hide rows.

use super::*;

type Pairs = Vec<(String, String)>;

/// Returns the fixed values and the questions of a list with this parameter.
fn of(parameter: &str) -> (Pairs, Pairs) {
    let facts = facts(&get(
        "/things",
        &format!("[{parameter}]"),
        &format!("{{type: array, items: {ITEM}}}"),
    ));
    let list = resource(&facts, "things");
    let fixed = list.fixed.iter().map(|fixed| {
        let value = fixed.value.as_str().unwrap().to_owned();
        (fixed.name.clone(), value)
    });
    let doubts = list
        .doubts
        .iter()
        .filter(|doubt| doubt.settle.starts_with("query."));
    let doubts = doubts.map(|doubt| (doubt.question.clone(), doubt.settle.clone()));
    (fixed.collect(), doubts.collect())
}

#[test]
fn a_bound_whose_default_hides_old_rows_begins_early() {
    let cases = [
        (
            "since",
            "date-time",
            "Only issues updated at or after this time. Defaults to 30 days ago.",
            "1970-01-01T00:00:00Z",
        ),
        (
            "start_date",
            "date",
            "First day. Default: yesterday.",
            "1970-01-01",
        ),
        (
            "from",
            "date",
            "The first date. If not specified, the last 7 days are returned",
            "1970-01-01",
        ),
        (
            "created_after",
            "date-time",
            "Default is 24 hours ago",
            "1970-01-01T00:00:00Z",
        ),
        (
            "start_time",
            "int64",
            "Unix time, by default one hour ago",
            "0",
        ),
    ];
    for (name, format, text, value) in cases {
        let kind = if format == "int64" {
            "integer"
        } else {
            "string"
        };
        let (fixed, doubts) = of(&format!(
            "{{name: {name}, in: query, description: '{text}', schema: {{type: {kind}, format: {format}}}}}"
        ));
        assert_eq!(fixed, [(name.to_owned(), value.to_owned())], "{text}");
        assert_eq!(doubts, [], "{text}");
    }
}

#[test]
fn a_bound_that_hides_nothing_is_not_sent() {
    for text in [
        "Only issues updated at or after this time.",
        "Defaults to the date of the first issue.",
        "By default all issues are returned.",
        "Issues of the last days",
    ] {
        let (fixed, doubts) = of(&format!(
            "{{name: since, in: query, description: '{text}', schema: {{type: string, format: date-time}}}}"
        ));
        assert_eq!((fixed, doubts), (vec![], vec![]), "{text}");
    }
}

#[test]
fn a_bound_that_must_not_lie_far_back_is_a_question() {
    let (fixed, doubts) = of(
        "{name: since, in: query, description: 'A time. Defaults to 30 days ago. Must not be older than 90 days, the maximum', schema: {type: string, format: date-time}}",
    );
    assert_eq!(fixed, []);
    assert_eq!(
        doubts,
        [(
            "does it return all rows? Without `since` the API returns only rows since 30 days ago"
                .to_owned(),
            "query.since = \"2024-01-01\"".to_owned()
        )]
    );
}

#[test]
fn a_default_without_a_value_for_all_rows_is_a_question() {
    let cases = [
        (
            "status",
            "string, enum: [active, archived], default: active",
            "`active`",
            "\"active\"",
        ),
        (
            "archived",
            "boolean, default: false",
            "those of `false`",
            "false",
        ),
        (
            "filter",
            "string, enum: [mine, others], default: mine",
            "`mine`",
            "\"mine\"",
        ),
    ];
    for (name, schema, shown, value) in cases {
        let (fixed, doubts) = of(&format!(
            "{{name: {name}, in: query, schema: {{type: {schema}}}}}"
        ));
        assert_eq!(fixed, [], "{name}");
        assert_eq!(
            doubts,
            [(
                format!("does it return all rows? Without `{name}` the API returns only {shown}"),
                format!("query.{name} = {value}")
            )]
        );
    }
    for free in [
        "{name: status, in: query, schema: {type: string, enum: [active, archived]}}",
        "{name: sort, in: query, schema: {type: string, enum: [a, b], default: a}}",
        "{name: status, in: query, schema: {type: string, enum: [open, all], default: all}}",
    ] {
        assert_eq!(of(free).1, [], "{free}");
    }
}
