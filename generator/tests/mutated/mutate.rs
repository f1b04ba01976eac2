//! Mutations of documents: parts that are missing, duplicated, of another type, oddly named, or circular.

use proptest::prelude::*;
use serde_json::{Value, json};

/// The size from which a document is not changed further.
const LARGEST: usize = 100_000;

/// One mutation; the numbers select the place and the value, so that any numbers are valid.
#[derive(Clone, Debug)]
pub struct Change {
    kind: u8,
    place: u32,
    with: u32,
}

pub fn changes(most: usize) -> impl Strategy<Value = Vec<Change>> {
    let change = (0..16u8, any::<u32>(), any::<u32>());
    let change = change.prop_map(|(kind, place, with)| Change { kind, place, with });
    prop::collection::vec(change, 1..most)
}

/// Changes a value.
pub fn value(document: &Value, changes: &[Change]) -> Value {
    let mut document = document.clone();
    for change in changes {
        if document.to_string().len() < LARGEST {
            change_value(&mut document, change);
        }
    }
    document
}

fn change_value(document: &mut Value, change: &Change) {
    let mut pointers = Vec::new();
    gather(document, &mut String::new(), &mut pointers);
    let pick = |number: u32| pointers[number as usize % pointers.len()].clone();
    let (place, other) = (pick(change.place), pick(change.with));
    let with = change.with as usize;
    let copy = document.pointer(&other).cloned().unwrap_or_default();
    let reference = json!({"$ref": format!("#{other}")});
    let Some((above, key)) = place.rsplit_once('/') else {
        if change.kind == 0 {
            *document = odd_value(with);
        }
        return;
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    match change.kind {
        0..=2 => remove(document.pointer_mut(above), &key),
        3 | 4 => rename(document.pointer_mut(above), &key, odd_name(with)),
        kind => {
            let Some(here) = document.pointer_mut(&place) else {
                return;
            };
            let old = here.take();
            *here = match kind {
                5..=7 => odd_value(with),
                8 | 9 => copy,
                10 | 11 => reference,
                12 => json!([old]),
                13 => json!({(odd_name(with)): old}),
                14 => json!({(["allOf", "oneOf", "anyOf"][with % 3]): [old, reference]}),
                _ => match old {
                    Value::Object(mut map) => {
                        map.insert("$ref".to_owned(), json!(format!("#{other}")));
                        Value::Object(map)
                    }
                    Value::Array(mut items) => {
                        items.extend(items.clone());
                        Value::Array(items)
                    }
                    scalar => json!(scalar.to_string()),
                },
            };
        }
    }
}

fn gather(value: &Value, at: &mut String, found: &mut Vec<String>) {
    found.push(at.clone());
    let mut step = |key: &str, value: &Value| {
        let length = at.len();
        at.push('/');
        at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        gather(value, at, found);
        at.truncate(length);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| step(key, value)),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(at, value)| step(&at.to_string(), value));
        }
        _ => {}
    }
}

fn remove(above: Option<&mut Value>, key: &str) {
    match above {
        Some(Value::Object(map)) => _ = map.shift_remove(key),
        Some(Value::Array(items)) => {
            if let Ok(at) = key.parse::<usize>() {
                items.remove(at);
            }
        }
        _ => {}
    }
}

fn rename(above: Option<&mut Value>, key: &str, name: String) {
    if let Some(Value::Object(map)) = above
        && let Some(value) = map.shift_remove(key)
    {
        map.insert(name, value);
    }
}

fn odd_name(number: usize) -> String {
    let names = [
        "",
        " ",
        "~",
        "/",
        "$ref",
        "a.b",
        "a/b",
        "{x}",
        "{",
        "}",
        "{}",
        "/{a}{b}",
        "//",
        "/..",
        "self",
        "Self",
        "crate",
        "type",
        "r#type",
        "fn",
        "@type",
        "+1",
        "-1",
        "1",
        "é",
        "漢字",
        "\u{0}",
        "\u{202e}x",
        "\"",
        "\\",
        "'",
        "\n",
        "\r\n",
        "*/",
        "//!",
        "#",
        "%",
        "%2e%2e",
        "true",
        "null",
        "Option",
        "String",
        "Record",
        "config",
        "resources",
        "types",
        "mod",
        "main",
        "lib",
        "etlgen_runtime",
        "ID",
        "Id",
        "id",
        "_",
        "__",
        "$",
        "[]",
        "a[b]",
        "a[]",
        "items",
        "properties",
        "allOf",
        "x-",
        "x-ms-pageable",
        "x-speakeasy-pagination",
        "x-fern-pagination",
        "200",
        "default",
        "get",
        "post",
        "application/json",
        "next_cursor",
        "has_more",
        "created[gte]",
    ];
    match names.get(number % (names.len() + 1)) {
        Some(name) => (*name).to_owned(),
        None => "long_".repeat(60),
    }
}

fn odd_value(number: usize) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e308),
        json!(-0.5),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null]),
        json!({"": {}}),
        json!({"$ref": "#"}),
        json!({"$ref": ""}),
        json!({"$ref": "#/"}),
        json!({"$ref": "x.yaml#/y"}),
        json!({"$ref": 5}),
        json!({"$ref": "#/components/schemas/%"}),
        json!({"type": "object"}),
        json!({"type": ["string", "null", "object"]}),
        json!({"type": "array"}),
        json!({"type": "array", "items": {"type": "array", "items": {}}}),
        json!({"type": "null"}),
        json!({"additionalProperties": {"type": "object", "properties": {"id": {}}}}),
        json!({"enum": [null, 1, "x", {}]}),
        json!({"oneOf": []}),
        json!({"allOf": [true, false]}),
        json!({"discriminator": "x", "anyOf": [{"type": "object"}]}),
        json!({"nextLinkName": "", "type": "cursor", "inputs": [{}], "outputs": {"results": "$"}}),
        json!("1_000"),
        json!("https://{}.{x/"),
        json!("{\"id\": [1]}"),
        json!("integer"),
        json!("date-time"),
        json!("$.a[-1].b"),
    ];
    match values.get(number % (values.len() + 1)) {
        Some(value) => value.clone(),
        None => json!(odd_name(number / 7)),
    }
}

/// Changes a text.
pub fn text(document: &str, changes: &[Change]) -> Vec<u8> {
    let mut bytes = document.as_bytes().to_vec();
    for change in changes {
        if !bytes.is_empty() && bytes.len() < LARGEST {
            change_text(&mut bytes, change);
        }
    }
    bytes
}

fn change_text(bytes: &mut Vec<u8>, change: &Change) {
    let at = change.place as usize % bytes.len();
    let line = |at: usize| {
        let start = bytes[..at].iter().rposition(|byte| *byte == b'\n');
        let start = start.map_or(0, |at| at + 1);
        let end = bytes[at..].iter().position(|byte| *byte == b'\n');
        start..end.map_or(bytes.len(), |end| at + end + 1)
    };
    let here = line(at);
    let other = line(change.with as usize % bytes.len());
    match change.kind {
        0..=2 => drop(bytes.drain(here)),
        3 | 4 => {
            let copy = bytes[here].to_vec();
            let place = other.start;
            drop(bytes.splice(place..place, copy));
        }
        5 => {
            let end = (at + change.with as usize % 40).min(bytes.len());
            drop(bytes.drain(at..end));
        }
        6 => bytes.truncate(at),
        7 => bytes[at] = change.with as u8,
        8 | 9 => {
            let count = change.with as usize % 5;
            drop(bytes.splice(here.start..here.start, vec![b' '; count]));
        }
        10 => {
            let spaces = bytes[here.clone()].iter().take_while(|byte| **byte == b' ');
            let end = here.start + spaces.count().min(change.with as usize % 5);
            drop(bytes.drain(here.start..end));
        }
        kind => {
            let signs = [
                "\t",
                "\0",
                "\u{85}",
                "&a ",
                "*a",
                "<<: *a\n",
                "!t ",
                "- ",
                "? ",
                ": ",
                "|\n",
                ">-\n",
                "{",
                "}",
                "[",
                "]",
                "\"",
                "'",
                "#",
                "---\n",
                "...\n",
                "%YAML 1.2\n",
                "\r",
                "\u{feff}",
                "~",
                "9e999",
                "0x",
                ".nan",
                "@",
                "`",
            ];
            let sign = signs[change.with as usize % signs.len()];
            let place = if kind < 13 { at } else { here.start };
            drop(bytes.splice(place..place, sign.bytes()));
        }
    }
}
