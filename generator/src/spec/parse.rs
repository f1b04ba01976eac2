//! Parses JSON and YAML bytes to a JSON value, with the repairs that a text may need.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde_json::{Map, Number, Value};

use super::identify;
use super::load::Input;
use super::report::Report;
use crate::diagnostics::{Position, Severity, json_reason};

/// Parses the document of an input. Also returns the text that the value was read from.
pub(super) fn parse<'a>(input: &'a Input, report: &mut Report) -> Option<(Cow<'a, str>, Value)> {
    let text = decode(&input.bytes);
    if let Some(other) = identify::by_text(&text) {
        let hint = "etlgen reads OpenAPI 3.x and Swagger 2.0, as YAML or JSON";
        let start = Some(Position { line: 1, column: 1 });
        report.text(
            Severity::Error,
            &input.name,
            start,
            "this is not an OpenAPI document",
            other,
            Some(hint),
        );
        return None;
    }
    let error = match parse_text(&text) {
        Ok(value) => return Some((text, value)),
        Err(error) => error,
    };
    // A tab is probably as wide as one indentation step of the document.
    for width in step(&text).into_iter().chain([2, 4, 8]) {
        let Some(untabbed) = untab(&text, width) else {
            break;
        };
        if let Ok(value) = parse_text(&untabbed) {
            report.text(
                Severity::Warning,
                &input.name,
                error.position,
                "tabs in the indentation were read as spaces",
                &format!("{width} each"),
                None,
            );
            return Some((Cow::Owned(untabbed), value));
        }
    }
    report.text(
        Severity::Error,
        &input.name,
        error.position,
        "the document is not well-formed",
        &error.message,
        None,
    );
    None
}

/// The error for a text that is neither JSON nor YAML.
#[derive(Debug)]
pub(super) struct SyntaxError {
    pub message: String,
    pub position: Option<Position>,
}

/// The deepest nesting of a document. The parsers reject less than this themselves, but take long
/// to notice it.
const DEEPEST: usize = 1_000;

/// Returns the place at which brackets are nested deeper than [`DEEPEST`]. Only brackets that can
/// open a list or an object count; others are prose.
fn too_deep(text: &str) -> Option<Position> {
    let (mut depth, mut opens) = (0usize, true);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' if opens => {
                depth += 1;
                if depth > DEEPEST {
                    let before = text.get(..at).unwrap_or_default();
                    let line = before.rsplit('\n').next().unwrap_or_default();
                    return Some(Position {
                        line: before.matches('\n').count() + 1,
                        column: line.chars().count() + 1,
                    });
                }
            }
            b']' | b'}' => (depth, opens) = (depth.saturating_sub(1), false),
            b'\n' | b':' | b',' | b'-' => opens = true,
            b' ' | b'\t' | b'\r' => {}
            _ => opens = false,
        }
    }
    None
}

/// Parses clean text.
pub(super) fn parse_text(text: &str) -> Result<Value, SyntaxError> {
    if let Some(position) = too_deep(text) {
        return Err(SyntaxError {
            position: Some(position),
            message: format!("it is nested deeper than {DEEPEST} levels"),
        });
    }
    if !text.trim_start().starts_with(['{', '[']) {
        return parse_yaml(text);
    }
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        // Braces may also start YAML's flow style, with trailing commas, comments and bare words.
        Err(error) => parse_yaml(text).map_err(|_| SyntaxError {
            position: Some(Position {
                line: error.line().max(1),
                column: error.column().max(1),
            }),
            message: json_reason(&error),
        }),
    }
}

fn parse_yaml(text: &str) -> Result<Value, SyntaxError> {
    let Some(document) = yaml_serde::Deserializer::from_str(text).next() else {
        return Ok(Value::Null);
    };
    Tree.deserialize(document).map_err(|error| SyntaxError {
        position: error.location().map(|location| Position {
            line: location.line(),
            column: location.column(),
        }),
        message: without_place(&error.to_string()),
    })
}

/// Returns a message without ` at line 1 column 4`, which is shown before it.
fn without_place(message: &str) -> String {
    let Some((words, rest)) = message.split_once(" at line ") else {
        return message.to_owned();
    };
    let digits = |text: &str| {
        text.trim_start_matches(|c: char| c.is_ascii_digit())
            .to_owned()
    };
    let rest = digits(rest);
    let rest = match rest.strip_prefix(" column ") {
        Some(column) => digits(column),
        None => rest,
    };
    format!("{words}{rest}")
}

/// Decodes bytes to text: respects byte order marks, and replaces invalid UTF-8 and unprintable
/// characters by U+FFFD.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let text = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => String::from_utf8_lossy(rest),
        [0xFF, 0xFE, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xFE, 0xFF, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes),
    };
    // YAML forbids control characters; U+0085 is a line break in YAML, but in practice a garbled letter.
    let forbidden = |c: char| {
        matches!(c, '\u{0}'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{7F}'..='\u{9F}')
            || matches!(c, '\u{FFFE}' | '\u{FFFF}')
    };
    if text.contains(forbidden) {
        Cow::Owned(text.replace(forbidden, "\u{FFFD}"))
    } else {
        text
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Returns the indentation step of the text in spaces; `None` if nothing is indented.
fn step(text: &str) -> Option<usize> {
    let indents = text
        .lines()
        .map(|line| line.len() - line.trim_start_matches(' ').len());
    indents.filter(|indent| *indent > 0).min()
}

/// Returns the text with each tab in the indentation replaced by that many spaces; `None` if there
/// are none.
fn untab(text: &str, width: usize) -> Option<String> {
    let indent = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    if !text.lines().any(|line| line[..indent(line)].contains('\t')) {
        return None;
    }
    let mut clean = String::with_capacity(text.len() + text.len() / 8);
    for line in text.lines() {
        let (spaces, rest) = line.split_at(indent(line));
        clean.push_str(&spaces.replace('\t', &" ".repeat(width)));
        clean.push_str(rest);
        clean.push('\n');
    }
    Some(clean)
}

/// Builds a `Value` from YAML: drops unknown tags, applies merge keys (`<<`), keeps unusual numbers.
#[derive(Clone, Copy)]
struct Tree;

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Value, E> {
        self.visit_f64(value as f64)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        // JSON has no infinity or NaN, so they become text.
        Ok(Number::from_f64(value).map_or_else(|| value.to_string().into(), Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(Key(key)) = entries.next_key()? {
            map.insert(key, entries.next_value_seed(self)?);
        }
        if let Some(merged) = map.shift_remove("<<") {
            merge(&mut map, merged);
        }
        Ok(map.into())
    }

    fn visit_enum<A: EnumAccess<'de>>(self, tagged: A) -> Result<Value, A::Error> {
        let (Key(_), value) = tagged.variant()?;
        value.newtype_variant_seed(self)
    }
}

/// A key of a mapping: any scalar, as written.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        String::deserialize(deserializer)
            .map(Key)
            .map_err(|_| D::Error::custom("a key must be a plain word, text or a number"))
    }
}

fn merge(map: &mut Map<String, Value>, merged: Value) {
    match merged {
        Value::Object(entries) => {
            for (key, value) in entries {
                map.entry(key).or_insert(value);
            }
        }
        Value::Array(items) => {
            for item in items {
                // Only mappings can be merged; other values are ignored.
                if item.is_object() {
                    merge(map, item);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn yaml(text: &str) -> Value {
        parse_text(&decode(text.as_bytes())).unwrap()
    }

    #[test]
    fn words_that_older_yaml_took_for_booleans_stay_words() {
        assert_eq!(yaml("[NO, off, y, on]"), json!(["NO", "off", "y", "on"]));
        assert_eq!(yaml("a: 010"), json!({"a": "010"}));
        assert_eq!(yaml("- ="), json!(["="]));
    }

    #[test]
    fn what_is_nested_without_end_is_an_error_at_once() {
        let many = 200_000;
        for text in [
            "[".repeat(many),
            format!("a: {}", "[".repeat(many)),
            format!("a:\n  {}", "{a: ".repeat(many)),
            format!("a: {}x", "- ".repeat(many)),
            format!("{}1{}", "{\"a\":".repeat(many), "}".repeat(many)),
            format!("x: {}", "[\n".repeat(many)),
        ] {
            let began = std::time::Instant::now();
            assert!(parse_text(&text).is_err());
            let seconds = began.elapsed().as_secs();
            assert!(seconds < 10, "{}…: {seconds} s", &text[..20]);
        }
        let error = parse_text(&format!("a: 1\nb: {}", "[".repeat(many))).unwrap_err();
        let place = error
            .position
            .map(|position| (position.line, position.column));
        assert_eq!(place, Some((2, DEEPEST + 4)));
    }

    #[test]
    fn brackets_in_prose_nest_nothing() {
        let text = format!(
            "a: |\n{}b: 1\n",
            "  see [1, and (2 {x\n".repeat(3 * DEEPEST)
        );
        assert_eq!(yaml(&text)["b"], json!(1));
    }

    #[test]
    fn unknown_tags_are_dropped() {
        assert_eq!(
            yaml("a: !include x.raml\nb: !thing {c: 1}\nd: !!str 5\ne: !x [1]\nf: !x\n"),
            json!({"a": "x.raml", "b": {"c": 1}, "d": "5", "e": [1], "f": null})
        );
    }

    #[test]
    fn merge_keys_are_applied() {
        assert_eq!(
            yaml("x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3\n"),
            json!({"x": {"a": 1, "b": 2}, "y": {"b": 3, "a": 1}})
        );
    }

    #[test]
    fn keys_may_be_numbers() {
        assert_eq!(
            yaml("200: a\ntrue: b\n~: c\n"),
            json!({"200": "a", "true": "b", "~": "c"})
        );
    }

    #[test]
    fn control_characters_do_not_cost_the_document() {
        assert_eq!(
            yaml("a: x\u{85}y\u{0}\u{9f}"),
            json!({"a": "x\u{fffd}y\u{fffd}\u{fffd}"})
        );
    }

    #[test]
    fn a_tab_is_as_wide_as_the_documents_own_step() {
        let text = "info:\n    title: A\n\tversion: \"1\"\n";
        assert!(parse_text(text).is_err());
        let width = step(text).unwrap();
        let clean = untab(text, width).unwrap();
        assert_eq!(
            yaml(&clean),
            serde_json::json!({"info": {"title": "A", "version": "1"}})
        );
    }

    #[test]
    fn utf16_and_byte_order_marks() {
        let bytes: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain("{\"a\": 1}".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        assert_eq!(parse_text(&decode(&bytes)).unwrap(), json!({"a": 1}));
        assert_eq!(yaml("\u{feff}a: 1"), json!({"a": 1}));
    }

    #[test]
    fn braces_may_open_yaml() {
        assert_eq!(yaml("{a: 1, b: [2,],}"), json!({"a": 1, "b": [2]}));
    }

    #[test]
    fn errors_know_their_place() {
        let error = parse_text("{\n  \"a\": 1\n  \"b\": 2\n}").unwrap_err();
        assert_eq!(error.position, Some(Position { line: 3, column: 3 }));
        let error = parse_text("a:\n  - b\n c: d\n").unwrap_err();
        assert_eq!(error.position.map(|p| p.line), Some(3));
        let error = parse_text("[1,2").unwrap_err();
        assert_eq!(error.message, "the text ends within a list");
        let error = parse_text("a: [1\nb: 2\n").unwrap_err();
        let context =
            "did not find expected ',' or ']', while parsing a flow sequence at line 1 column 4";
        assert_eq!(error.message, context);
    }

    #[test]
    fn infinite_numbers_are_words() {
        assert_eq!(yaml("[.inf, 1e400]")[0], json!("inf"));
    }
}
