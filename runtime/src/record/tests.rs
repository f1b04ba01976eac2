//! Tests of reading pages.

use super::page::Page;
use super::*;

#[derive(Record, Clone)]
struct Thing {
    id: Option<String>,
    count: Option<i64>,
    price: Option<f64>,
    paid: Option<bool>,
    created: Option<UnixTime>,
    updated: Option<Timestamp>,
    #[record(key = "+1")]
    plus_one: Option<i64>,
    r#type: Option<String>,
    amount: Option<Decimal>,
    tags: Option<Vec<String>>,
    grid: Option<Vec<Vec<i64>>>,
    meta: Option<Json>,
    extra: Option<Dynamic>,
    part: Option<Part>,
    parent: Option<Box<Thing>>,
    children: Option<Vec<Thing>>,
    #[allow(clippy::vec_box, reason = "an owner may write it")]
    boxes: Option<Vec<Box<Part>>>,
}

#[derive(Record, Clone)]
#[record(drop("ssn", "na\"me"))]
struct Part {
    a: Option<i64>,
    b: Option<String>,
}

fn read<T: Record>(body: &str) -> Page<T> {
    PageReader::new(&[], &[]).read(body.as_bytes()).unwrap()
}

fn one<T: Record>(body: &str) -> Row<T> {
    let mut page = read(body);
    assert_eq!(page.rows.len(), 1);
    page.rows.pop().unwrap()
}

fn drift<T: Record>(row: &Row<T>) -> Vec<(String, String)> {
    let pairs = row.drift.iter();
    pairs.map(|(path, raw)| (path, raw.to_owned())).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| (a.to_string(), b.to_string());
    pairs.iter().map(owned).collect()
}

fn path(keys: &str) -> Vec<String> {
    keys.split('.').map(str::to_owned).collect()
}

#[test]
fn every_type_is_read() {
    let row = one::<Thing>(
        r#"{"id":"a\nb","count":-7,"price":2.5,"paid":true,"created":1706702400,"updated":"2024-01-31T12:00:00Z",
            "+1":1,"type":"x","amount":"12.50","tags":["x","y"],"grid":[[1,2],[],[3]],"meta":{"k":[1, 2]},
            "extra":[1],"part":{"a":1,"b":"z"},"parent":{"id":"p","parent":{"count":1}},
            "children":[{"id":"c1"},{"id":"c2","children":[{}]}],"boxes":[{"a":5}]}"#,
    );
    assert!(row.drift.is_empty(), "{:?}", row.drift);
    let thing = row.record;
    assert_eq!(thing.id.as_deref(), Some("a\nb"));
    assert_eq!(
        (thing.count, thing.price, thing.paid),
        (Some(-7), Some(2.5), Some(true))
    );
    assert_eq!(
        thing.created.map(UnixTime::micros),
        thing.updated.map(Timestamp::micros)
    );
    assert_eq!(
        (thing.plus_one, thing.r#type.as_deref()),
        (Some(1), Some("x"))
    );
    assert_eq!(thing.amount.unwrap().to_string(), "12.5");
    assert_eq!(thing.tags.unwrap(), ["x", "y"]);
    assert_eq!(thing.grid.unwrap(), [vec![1, 2], vec![], vec![3]]);
    assert_eq!(thing.meta.unwrap().as_str(), r#"{"k":[1,2]}"#);
    assert_eq!(thing.extra.unwrap().json().as_str(), "[1]");
    assert_eq!(
        thing.part,
        Some(Part {
            a: Some(1),
            b: Some("z".into())
        })
    );
    assert_eq!(thing.parent.unwrap().parent.unwrap().count, Some(1));
    let children = thing.children.unwrap();
    assert_eq!(children.len(), 2);
    assert_eq!(children[1].children.as_ref().unwrap().len(), 1);
    assert_eq!(thing.boxes.unwrap()[0].a, Some(5));
}

#[test]
fn what_does_not_fit_is_drift_and_fails_nothing() {
    let row = one::<Thing>(
        r#"{"id":7,"count":2.5,"price":9007199254740993,"paid":"yes","created":"","updated":"n/a","tags":["a",1,null,"b"],
            "grid":[[1,"x"],5],"part":{"a":"one","ssn":"secret","na\"me":1,"c":[ 1 ]},"children":[{"id":1},"x",{"id":"c"}],
            "meta":null,"unknown":{"k": 1},"nothing":null,"parent":3}"#,
    );
    assert_eq!(
        drift(&row),
        pairs(&[
            ("id", "7"),
            ("count", "2.5"),
            ("price", "9007199254740993"),
            ("paid", "\"yes\""),
            ("created", "\"\""),
            ("updated", "\"n/a\""),
            ("tags.1", "1"),
            ("tags.2", "null"),
            ("grid.0.1", "\"x\""),
            ("grid.1", "5"),
            ("part.a", "\"one\""),
            ("part.c", "[1]"),
            ("children.0.id", "1"),
            ("children.1", "\"x\""),
            ("unknown", "{\"k\":1}"),
            ("parent", "3"),
        ])
    );
    assert_eq!(row.drift.text("part.c.0").as_deref(), Some("1"));
    assert_eq!(row.drift.text("unknown.k").as_deref(), Some("1"));
    assert_eq!(row.drift.text("children.0.id").as_deref(), Some("1"));
    assert_eq!(row.drift.text("paid").as_deref(), Some("yes"));
    assert_eq!(row.drift.get("ssn"), None);
    assert_eq!(
        row.record.tags.as_deref(),
        Some(&["a".to_owned(), "b".to_owned()][..])
    );
    assert_eq!(row.record.grid, Some(vec![vec![1]]));
    assert_eq!(row.record.children.unwrap().len(), 2);
    let mut drift = row.drift;
    assert_eq!(drift.take("unknown").unwrap().as_str(), "{\"k\":1}");
    assert_eq!(drift.get("unknown"), None);
}

#[test]
fn the_first_of_two_equal_keys_counts() {
    let row = one::<Thing>(
        r#"{"id":null,"id":"a","id":"b","part":{"a":1},"part":{"b":"x"},"\u0069d":"c"}"#,
    );
    assert_eq!(row.record.id.as_deref(), Some("a"));
    assert_eq!(
        row.record.part,
        Some(Part {
            a: Some(1),
            b: None
        })
    );
    assert_eq!(
        drift(&row),
        pairs(&[("id", "\"b\""), ("part", "{\"b\":\"x\"}"), ("id", "\"c\"")])
    );
}

#[test]
fn keys_are_found_in_any_order_and_spelling() {
    let page = read::<Part>(
        r#"[{"a":1,"b":"x"},{"b":"y","a":2},{ "\u0061" : 3 , "b":"z" },{"b":"w"},{"ab":1,"":2,"a":4}]"#,
    );
    let a: Vec<_> = page.rows.iter().map(|row| row.record.a).collect();
    assert_eq!(a, [Some(1), Some(2), Some(3), None, Some(4)]);
    assert_eq!(drift(&page.rows[4]), pairs(&[("ab", "1"), ("", "2")]));
}

#[test]
fn strings_that_are_no_text_are_drift() {
    let row = one::<Thing>(r#"{"id":"\ud800","type":"a\u0000b","\udfff":1}"#);
    assert_eq!(row.record.r#type.as_deref(), Some("a\0b"));
    assert_eq!(
        drift(&row),
        pairs(&[("id", "\"\\ud800\""), ("\\udfff", "1")])
    );
}

#[test]
fn hostile_nesting_is_drift_below_some_depth() {
    let body = format!(
        "{}{{}}{}",
        "{\"parent\":".repeat(50_000),
        "}".repeat(50_000)
    );
    let row = one::<Thing>(&body);
    let mut depth = 0;
    let mut thing = &row.record;
    while let Some(parent) = &thing.parent {
        thing = parent;
        depth += 1;
    }
    assert_eq!(depth, 100);
    assert_eq!(row.drift.iter().count(), 1);
    let body = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(
        one::<Thing>(&body).drift.get("x").unwrap().as_str().len(),
        200_000
    );
}

#[test]
fn records_and_probes_are_found_in_one_pass() {
    let reader = PageReader::<Part>::new(
        &path("data.items"),
        &[
            path("meta.next"),
            path("has_more"),
            path("data"),
            path("meta.none"),
            path("data.total"),
        ],
    );
    let body = br#" {"has_more": true, "data": {"total": 2, "items": [ {"a":1} , {"a":2} ]}, "meta": {"next": "abc"}} "#;
    let page = reader.read(body).unwrap();
    assert_eq!(page.rows.len(), 2);
    assert_eq!(page.raw(body, 1), b"{\"a\":2}");
    let probes: Vec<_> = page.probes.iter().map(Option::as_deref).collect();
    assert_eq!(
        probes,
        [
            Some("\"abc\""),
            Some("true"),
            Some("{\"total\":2,\"items\":[{\"a\":1},{\"a\":2}]}"),
            None,
            Some("2")
        ]
    );
}

#[test]
fn a_probe_with_two_values_is_an_error() {
    let reader = PageReader::<Part>::new(&path("data"), &[path("next")]);
    for (body, wrong) in [
        (r#"{"next": null, "data": [], "next": "t30"}"#, true),
        (r#"{"data": [], "next": "", "next": "t30"}"#, true),
        (r#"{"next": "t30", "data": [], "next": "t30"}"#, false),
    ] {
        let read = reader.read(body.as_bytes());
        let error = read.err().map(|error| error.report()).unwrap_or_default();
        assert_eq!(
            error.contains("`next` stands twice"),
            wrong,
            "{body}: {error}"
        );
    }
}

#[test]
fn one_object_is_one_record_and_null_is_none() {
    let reader = PageReader::<Part>::new(&path("data"), &[]);
    let rows = |body: &str| reader.read(body.as_bytes()).map(|page| page.rows.len());
    assert_eq!(rows(r#"{"data":{"a":1}}"#).unwrap(), 1);
    assert_eq!(rows(r#"{"data":[]}"#).unwrap(), 0);
    assert_eq!(rows(r#"{"data":null}"#).unwrap(), 0);
    assert_eq!(rows(r#"{"data":[null,{"a":1},5]}"#).unwrap(), 2);
    assert_eq!(
        rows(r#"[{"data":[{"a":1}]},{"data":[{"a":2}]}]"#).unwrap(),
        2
    );
    assert_eq!(
        PageReader::<Part>::new(&path("a.b"), &[])
            .read(b"{\"a\":null}")
            .unwrap()
            .rows
            .len(),
        0
    );
}

#[test]
fn records_that_are_not_there_are_an_error_that_names_what_is() {
    let error = |keys: &str, body: &str| {
        let reader = PageReader::<Part>::new(&path(keys), &[]);
        reader.read(body.as_bytes()).unwrap_err().report()
    };
    let message = error("data.items", r#"{"data":{"error":"no","co\u001bde":1}}"#);
    assert!(message.contains("`data.items`"), "{message}");
    assert!(
        message.contains("only the keys `error`, `co\\u{1b}de`"),
        "{message}"
    );
    assert!(error("data", "{}").contains("an empty object"));
    assert!(error("data.items", r#"{"data":5}"#).contains("a number"));
    assert!(error("data", "\"x\"").contains("a string"));
    let message = error("data", "{\"data\":[{\"a\":1},]}");
    assert!(message.contains("byte 17"), "{message}");
    assert!(error("data", "<html>").contains("HTML"));
    assert!(error("data", "").contains("the end"));
}

#[test]
fn bytes_that_are_no_text_are_repaired_and_told() {
    let body = b"{\"b\":\"x\xffy\",\"a\":1}";
    let page = PageReader::<Part>::new(&[], &[]).read(body).unwrap();
    assert_eq!(page.rows[0].record.b.as_deref(), Some("x\u{fffd}ffy"));
    assert_eq!(
        page.repaired.as_deref(),
        Some("{\"b\":\"x\u{fffd}ffy\",\"a\":1}")
    );
    assert_eq!(page.raw(body, 0).len(), body.len() + 4);
    let page = PageReader::<Part>::new(&[], &[])
        .read("\u{feff}[{\"a\":1}]".as_bytes())
        .unwrap();
    assert_eq!(page.rows[0].record.a, Some(1));
}

fn field<R: Record>(named: impl IntoFieldPath<R>) -> FieldPath<R> {
    named.into_field_path()
}

#[test]
fn whole_records_are_kept_as_they_are() {
    let page = read::<Json>(r#"[{"a": 1}, 2, "x"]"#);
    let texts: Vec<_> = page.rows.iter().map(|row| row.record.as_str()).collect();
    assert_eq!(texts, ["{\"a\":1}", "2", "\"x\""]);
    let path = field::<Json>("a");
    assert_eq!(path.cursor_value(&page.rows[0]).unwrap().to_string(), "1");
    assert!(path.cursor_value(&page.rows[1]).is_none());
}

#[test]
fn fields_are_found_by_handle_and_by_keys() {
    let row = one::<Thing>(
        r#"{"created":1706702400,"part":{"a":5,"new":"x"},"meta":{"at":"2024"},"children":[],"later":{"b":true},"count":"7"}"#,
    );
    let created = field::<Thing>(Thing::CREATED);
    assert_eq!(created.wire_format(), WireFormat::EpochSeconds);
    assert_eq!(
        created.cursor_value(&row).unwrap().to_string(),
        "1706702400"
    );
    let text = |keys: &str| field::<Thing>(keys).text(&row);
    assert_eq!(text("part.a").as_deref(), Some("5"));
    assert_eq!(text("part.new").as_deref(), Some("x"));
    assert_eq!(text("meta.at").as_deref(), Some("2024"));
    assert_eq!(text("later.b").as_deref(), Some("true"));
    assert_eq!(text("id"), None);
    assert_eq!(text("nowhere.at.all"), None);
    assert_eq!(
        field::<Thing>("count").cursor_value(&row),
        Some(CursorValue::Int(7))
    );
    assert_eq!(Thing::PLUS_ONE.key(), "+1");
    assert_eq!(Thing::TYPE.key(), "type");
}

#[test]
fn what_was_read_can_be_written_again() {
    let body = r#"{"id":"a\"","price":0.1,"tags":["x",1,"y",null],"part":{"a":1,"new":2},"children":[{"id":1},"x"],"zzz":[1]}"#;
    let row = one::<Thing>(body);
    let mut out = String::new();
    let record = layout::RecordRef::new(&row.record);
    serialize::write_record(&mut out, record, row.drift.0.as_deref());
    assert_eq!(out, body);
}

#[derive(Record)]
#[record(rename_all = "camelCase")]
struct Renamed {
    id: Option<i64>,
    max_results: Option<i64>,
    r#type: Option<String>,
    self_: Option<String>,
    #[record(key = "snake_stays")]
    snake_stays: Option<bool>,
}

#[test]
fn the_case_of_a_record_is_that_of_its_keys() {
    let body = r#"[{"id": 1, "maxResults": 2, "type": "a", "self": "b", "snake_stays": true}]"#;
    let row = one::<Renamed>(body);
    assert_eq!(drift(&row), []);
    let record = row.record;
    assert_eq!(
        (record.id, record.max_results, record.snake_stays),
        (Some(1), Some(2), Some(true))
    );
    assert_eq!(record.r#type.as_deref(), Some("a"));
    assert_eq!(record.self_.as_deref(), Some("b"));
    // The column has the name of the key, as with `key = "maxResults"`.
    assert_eq!(Renamed::MAX_RESULTS.key(), "maxResults");
}

/// Checks the keys of `max_results`, `a` and `_1_click` in each case.
#[test]
fn every_case_is_known() {
    macro_rules! keys {
        ($case:literal) => {{
            #[derive(Record)]
            #[record(rename_all = $case)]
            #[allow(dead_code, reason = "only the table of fields is looked at")]
            struct Keys {
                max_results: Option<i64>,
                a: Option<i64>,
                _1_click: Option<i64>,
            }
            let fields = Keys::SCHEMA.fields.iter();
            fields.map(|field| field.key).collect::<Vec<_>>()
        }};
    }
    assert_eq!(keys!("camelCase"), ["maxResults", "a", "1Click"]);
    assert_eq!(keys!("PascalCase"), ["MaxResults", "A", "1Click"]);
    assert_eq!(keys!("snake_case"), ["max_results", "a", "_1_click"]);
    assert_eq!(keys!("kebab-case"), ["max-results", "a", "-1-click"]);
    assert_eq!(
        keys!("SCREAMING_SNAKE_CASE"),
        ["MAX_RESULTS", "A", "_1_CLICK"]
    );
}

#[test]
fn a_record_is_printed_as_its_struct() {
    let body = r#"[{"id": "in_1", "created": 1704067200, "price": 1.0, "tags": ["a\"b"], "meta": {"x": [1]},
        "part": {"a": 2}, "children": [{"id": "in_2"}]}]"#;
    let printed = format!("{:?}", one::<Thing>(body).record);
    for part in [
        r#"Thing { id: Some("in_1"), count: None, price: Some(1.0), paid: None"#,
        "created: Some(2024-01-01T00:00:00Z)",
        r#"tags: Some(["a\"b"])"#,
        r#"meta: Some({"x":[1]})"#,
        "part: Some(Part { a: Some(2), b: None })",
        r#"children: Some([Thing { id: Some("in_2"), count: None"#,
    ] {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
    let pretty = format!("{:#?}", one::<Part>(r#"[{"a": 1}]"#).record);
    assert_eq!(
        pretty,
        "Part {\n    a: Some(\n        1,\n    ),\n    b: None,\n}"
    );
}

#[test]
fn records_are_compared_by_what_they_hold() {
    let base = r#"{"id": "a", "price": 1.5, "grid": [[1], []], "part": {"a": 1}, "boxes": [{"b": "x"}], "meta": {"k": 1}}"#;
    let read = |body: &str| one::<Thing>(&format!("[{body}]")).record;
    assert_eq!(read(base), read(base));
    for (from, to) in [
        (r#""id": "a""#, r#""id": "b""#),
        (r#""id": "a""#, r#""id": null"#),
        ("1.5", "2.5"),
        ("[[1], []]", "[[1]]"),
        (r#"{"a": 1}"#, r#"{"a": 2}"#),
        (r#"{"b": "x"}"#, r#"{"b": "y"}"#),
        (r#"{"k": 1}"#, r#"{"k": 2}"#),
    ] {
        assert_ne!(read(base), read(&base.replace(from, to)), "{to}");
    }
}
