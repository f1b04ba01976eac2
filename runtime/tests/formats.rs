//! Tests of responses that are not one JSON value: JSON lines, and CSV.

use crate::support::serve;
use etlgen_runtime::prelude::*;

#[derive(Record)]
struct Reading {
    id: Option<i64>,
    taken: Option<Date>,
    celsius: Option<f64>,
    valid: Option<bool>,
    place: Option<String>,
}

/// Returns the records of a list with these pages, followed by an empty one, with their drift; or
/// the error.
fn read(resource: Resource<Reading>, pages: &'static [&str]) -> Result<Vec<String>, String> {
    let (base, log) = serve(move |_, query| {
        let offset: usize = query.get("offset").map_or(0, |n| n.parse().unwrap());
        let page = pages.get(offset.div_ceil(2)).copied().unwrap_or_default();
        (200, Vec::new(), page.to_owned())
    });
    let source = Source::new("formats", &base);
    let paged = resource.paginate(Paginator::offset("offset").page_size("limit", 2));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rows = runtime.block_on(async {
        let mut rows = source.stream(paged);
        let mut read = Vec::new();
        while let Some(row) = rows.next_row().await {
            let Row { record, drift } = row.map_err(|error| error.report())?;
            let taken = record.taken.map(|day| day.to_string());
            let values = (record.id, taken, record.celsius, record.valid);
            let drift: Vec<_> = drift
                .iter()
                .map(|(key, raw)| format!("{key}={raw}"))
                .collect();
            read.push(format!("{values:?} {:?} {drift:?}", record.place));
        }
        Ok(read)
    });
    assert!(!log.lock().unwrap().is_empty());
    rows
}

fn readings() -> Resource<Reading> {
    Reading::list("readings", "/readings").primary_key([Reading::ID])
}

#[test]
fn each_line_is_a_record() {
    let pages: &[&str] = &[
        "{\"id\": 1, \"place\": \"a\\nb\"}\r\n\r\n{\"id\": 2, \"more\": [1]}\n",
        "\u{1e}{\"id\": 3}\n",
    ];
    let read = read(readings().ndjson(), pages).unwrap();
    assert_eq!(
        read,
        [
            r#"(Some(1), None, None, None) Some("a\nb") []"#,
            r#"(Some(2), None, None, None) None ["more=[1]"]"#,
            r#"(Some(3), None, None, None) None []"#,
        ]
    );
}

#[test]
fn a_list_in_place_of_lines_is_read_as_a_list() {
    let read = read(readings().ndjson(), &["[{\"id\": 1},\n {\"id\": 2}]", "[]"]).unwrap();
    assert_eq!(read.len(), 2);
}

#[test]
fn a_closure_may_come_first() {
    let resource = Reading::list("readings", "/readings").filter(|reading| reading.id > Some(1));
    let read = read(resource, &["[{\"id\": 1}, {\"id\": 2}]", "[]"]).unwrap();
    assert_eq!(read, ["(Some(2), None, None, None) None []"]);
}

#[test]
fn a_line_that_is_no_record_but_an_error_or_a_mark_is_an_error() {
    for last in [
        r#"{"error": "timeout"}"#,
        r#"{"error": {"code": 500, "message": "timeout"}}"#,
        r#"{"status": "error", "message": "timeout"}"#,
        r#"{"done": false}"#,
        r#"{"isComplete": false, "ok": true}"#,
    ] {
        let page: &'static str = format!("{{\"id\": 1}}\n{last}\n").leak();
        let error = read(readings().ndjson(), Vec::leak(vec![page])).unwrap_err();
        assert!(
            error.contains("line") && error.contains(last),
            "{last}: {error}"
        );
    }
    let error = read(readings().ndjson(), &["{\"error\": \"x\"}\n{\"id\": 1}"]).unwrap_err();
    assert!(error.contains("a line is an error"), "{error}");
    // Keys of the record, and an error within one.
    let pages: &[&str] = &["{\"id\": 1, \"error\": \"x\"}\n{\"valid\": false}"];
    assert_eq!(read(readings().ndjson(), pages).unwrap().len(), 2);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let pages: &[&str] = &["\u{feff}{\"id\": 1}\n{\"id\": 2}"];
    assert_eq!(read(readings().ndjson(), pages).unwrap().len(), 2);
}

#[test]
fn a_cut_line_is_an_error() {
    let error = read(readings().ndjson(), &["{\"id\": 1}\n{\"id\": "]).unwrap_err();
    assert!(error.contains("not JSON"), "{error}");
}

#[cfg(feature = "csv")]
mod csv {
    use super::*;

    #[test]
    fn a_value_is_what_its_field_says() {
        let pages: &[&str] = &[
            "\u{feff}id,taken,celsius,valid,place,note\n1,2024-01-31,-3.5,TRUE,\"7, \"\"north\"\"\nside\",x\n2,,n/a,,7,\n",
            "id;place\r\n3;\"a;b\"\r\n",
            "id,place\n",
        ];
        let read = read(readings().csv(), pages).unwrap();
        assert_eq!(
            read,
            [
                r#"(Some(1), Some("2024-01-31"), Some(-3.5), Some(true)) Some("7, \"north\"\nside") ["note=\"x\""]"#,
                r#"(Some(2), None, None, None) Some("7") ["celsius=\"n/a\""]"#,
                r#"(Some(3), None, None, None) Some("a;b") []"#,
            ]
        );
    }

    #[test]
    fn a_row_with_another_number_of_values_is_an_error() {
        let error = read(readings().csv(), &["id,place\n1,a\n2\n"]).unwrap_err();
        assert!(
            error.contains("not CSV") && error.contains("line: 3"),
            "{error}"
        );
    }

    #[test]
    fn a_quote_that_stays_open_is_an_error() {
        for page in [
            "id,place\n1,a\n2,\"open\n3,b\n",
            "id,place\n1,\"x\n2,y\n3,\"z\"\n",
            "id,place\n1,\"",
        ] {
            let error = read(readings().csv(), Vec::leak(vec![page])).unwrap_err();
            assert!(error.contains("the quote in line"), "{page}: {error}");
        }
        let pages: &[&str] = &["id,place\n1,\"a\n\"\"b\"\n2,5\" pipe\n3,\"\"\n"];
        assert_eq!(read(readings().csv(), pages).unwrap().len(), 3);
    }

    #[test]
    fn an_error_in_json_is_not_read_as_csv() {
        let error = read(readings().csv(), &["{\"error\": \"quota\"}"]).unwrap_err();
        assert!(
            error.contains("an error in a response with 200 OK: quota"),
            "{error}"
        );
    }
}
