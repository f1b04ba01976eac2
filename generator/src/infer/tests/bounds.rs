//! Bounds of times: by name, by text, and the field that they compare.

use super::*;

/// Writes a query parameter with a type, a format and a description.
fn told(name: &str, format: &str, text: &str) -> String {
    format!(
        "{{name: '{name}', in: query, description: '{text}', schema: {{type: string, format: {format}}}}}"
    )
}

/// Infers the list `vans` from its parameters and the properties of a record, and returns parameter
/// and field of its cursor.
fn cursor(parameters: &[String], fields: &str) -> Option<(Option<String>, String)> {
    let record = format!("{{type: object, properties: {{id: {{type: string}}, {fields}}}}}");
    let array = format!("{{type: array, items: {record}}}");
    let parameters = format!("[{}]", parameters.join(", "));
    let facts = facts(&get("/vans", &parameters, &array));
    let cursor = resource(&facts, "vans").cursor.value.clone()?;
    Some((cursor.param, cursor.field))
}

fn found(param: &str, field: &str) -> Option<(Option<String>, String)> {
    Some((Some(param.to_owned()), field.to_owned()))
}

const SOLD: &str = "price: {type: number}, soldAt: {type: string, format: date-time}";
const PARKED: &str =
    "parkedAt: {type: string, format: date-time}, washedAt: {type: string, format: date-time}";

#[test]
fn a_bound_without_a_separator_means_the_only_event() {
    let both = [
        told("todate", "date", "Vans up to this date"),
        told("fromdate", "date", "Vans from this date on"),
    ];
    assert_eq!(cursor(&both, SOLD), found("fromdate", "soldAt"));
    // The counterpart is known.
    let facts = facts(&get(
        "/vans",
        &format!("[{}]", both.join(", ")),
        &format!("{{type: array, items: {{type: object, properties: {{{SOLD}}}}}}}"),
    ));
    let cursor = resource(&facts, "vans").cursor.value.clone().unwrap();
    assert_eq!(cursor.until.as_deref(), Some("todate"));
}

#[test]
fn a_date_that_is_no_bound_filters_nothing() {
    let text = "Vans that can be rented on this day";
    assert_eq!(cursor(&[told("startdate", "date", text)], SOLD), None);
    let day = told("createdOn", "date", "Vans built on this day");
    let created = "createdOn: {type: string, format: date}";
    assert_eq!(cursor(&[day], created), None);
}

#[test]
fn a_comparison_may_end_the_name() {
    let text = "Write the comparison after the name: `builtOn>=2024-01-31`";
    let both = [
        told("builtOn", "date", text),
        told("builtOn>", "date", text),
    ];
    let built = "built_on: {type: string, format: date}, wheels: {type: integer}";
    assert_eq!(cursor(&both, built), found("builtOn>", "built_on"));
}

#[test]
fn a_text_names_the_field_or_its_verb() {
    let named = told("low", "date-time", "The minimum `parkedAt`");
    assert_eq!(cursor(&[named], PARKED), found("low", "parkedAt"));
    let verb = told(
        "begin_date",
        "date-time",
        "Vans that were washed from this time on",
    );
    assert_eq!(cursor(&[verb], PARKED), found("begin_date", "washedAt"));
    // Neither is meant.
    let none = told("begin_date", "date-time", "Vans from this time on");
    assert_eq!(cursor(&[none], PARKED), None);
    let upper = told("high", "date-time", "The maximum `parkedAt`");
    assert_eq!(cursor(&[upper], PARKED), None);
}

#[test]
fn an_event_is_no_bound_for_records_that_change() {
    let after = told("soldAfter", "date-time", "Vans sold after this time");
    let changes = format!("{SOLD}, updated: {{type: string, format: date-time}}");
    let updated = Some((None, "updated".to_owned()));
    assert_eq!(cursor(std::slice::from_ref(&after), &changes), updated);
    assert_eq!(cursor(&[after], SOLD), found("soldAfter", "soldAt"));
}

#[test]
fn of_a_pair_of_times_the_last_one_is_compared() {
    let span = told("t0", "date-time", "The beginning of the time span");
    let pair = "firstMoved: {type: string, format: date-time}, lastMoved: {type: string, format: date-time}";
    assert_eq!(cursor(&[span], pair), found("t0", "lastMoved"));
    let weight = told("t0", "byte", "Weight at the beginning of the trip");
    assert_eq!(cursor(&[weight], "t0: {type: number}"), None);
}

#[test]
fn a_bound_whose_field_is_unknown_is_an_open_question() {
    let after = told(
        "tyresChangedAfter",
        "date-time",
        "Vans with new tyres after this time",
    );
    let array = format!("{{type: array, items: {ITEM}}}");
    let facts = facts(&get("/vans", &format!("[{after}]"), &array));
    let vans = resource(&facts, "vans");
    let cursor = vans.cursor.value.as_ref().unwrap();
    assert_eq!(cursor.field, "");
    assert!(vans.cursor.confidence < SURE);
    let asks = |line: &str| vans.doubts.iter().any(|doubt| doubt.settle.contains(line));
    assert!(asks("field = \"FIELD\", param = \"tyresChangedAfter\""));
}

#[test]
fn every_change_moves_the_field_that_is_chosen() {
    let time = "{type: string, format: date-time}";
    let both = format!("edited_at: {time}, updated_at: {time}");
    assert_eq!(cursor(&[], &both), Some((None, "updated_at".to_owned())));
    let part = "last_price_update: {type: string, format: date-time, description: When the price was last updated.}";
    assert_eq!(
        cursor(&[], part),
        Some((None, "last_price_update".to_owned()))
    );
    let other = format!("price_updated_at: {time}");
    assert_eq!(cursor(&[], &other), None);
}

#[test]
fn a_bound_in_the_body_is_stated_and_not_used() {
    let text = "  /vans/query:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              properties:
                filter: {type: object, properties: {updated_after: {type: string, format: date-time}}}
                skip: {type: integer}
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema:
                type: object
                properties:
                  vans:
                    type: array
                    items: {type: object, properties: {id: {type: string}, updated_at: {type: string, format: date-time}}}
";
    let facts = facts(text);
    let vans = resource(&facts, "vans");
    let cursor = vans.cursor.value.as_ref().unwrap();
    assert_eq!(cursor.param.as_deref(), Some("filter.updated_after"));
    assert!(cursor.in_body && vans.cursor.confidence < SURE);
    assert_eq!(vans.paging().kind, "offset");
}

#[test]
fn a_date_of_a_plan_is_no_event() {
    let from = told("range_start", "date-time", "The start of the range");
    let plan = "shift_date: {type: string, format: date}";
    assert_eq!(cursor(std::slice::from_ref(&from), plan), None);
    let event = "uploaded_date: {type: string, format: date}";
    assert_eq!(
        cursor(&[from], event),
        found("range_start", "uploaded_date")
    );
}
