//! The common shape of JSON samples: the schema of a response that the document does not describe.
//! Names and types are kept, but never values, because samples may hold secrets.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

/// The deepest nesting that is read; deeper parts stay free form.
const DEPTH: usize = 32;
/// The fewest keys of a map.
const MAP: usize = 2;

/// The types at one place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    null: bool,
    boolean: bool,
    number: Option<Digits>,
    text: Option<Text>,
    list: Option<Box<Shape>>,
    object: Option<IndexMap<String, Shape>>,
}

/// The properties that all numbers at a place share.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Digits {
    /// Whether all are integers.
    whole: bool,
    /// Whether all fit into 32 bits, or into 64 (`fits`).
    small: bool,
    fits: bool,
    /// Whether all could be seconds since 1970 in this century, or milliseconds (`millis`).
    seconds: bool,
    millis: bool,
}

/// The common format of all texts at a place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Text {
    Plain,
    DateTime,
    Date,
    Uuid,
    Decimal,
}

impl Shape {
    /// Returns the shape of one sample.
    #[cfg(test)]
    pub fn of(value: &Value) -> Shape {
        let mut shape = Shape::default();
        shape.add(value);
        shape
    }

    /// Adds a sample.
    pub fn add(&mut self, value: &Value) {
        self.add_at(value, 0);
    }

    fn add_at(&mut self, value: &Value, depth: usize) {
        if depth > DEPTH {
            return;
        }
        match value {
            Value::Null => self.null = true,
            Value::Bool(_) => self.boolean = true,
            Value::Number(number) => {
                let seen = Digits::of(number);
                let all = self.number.map_or(seen, |all| all.with(seen));
                self.number = Some(all);
            }
            Value::String(text) => {
                let seen = Text::of(text);
                let same = self.text.is_none_or(|all| all == seen);
                self.text = Some(if same { seen } else { Text::Plain });
            }
            Value::Array(items) => {
                let list = self.list.get_or_insert_default();
                for item in items {
                    list.add_at(item, depth + 1);
                }
            }
            Value::Object(map) => {
                let object = self.object.get_or_insert_default();
                for (key, value) in map {
                    let field = object.entry(key.clone()).or_default();
                    field.add_at(value, depth + 1);
                }
            }
        }
    }

    /// Adds all samples of another shape.
    fn merge(&mut self, other: &Shape) {
        self.null |= other.null;
        self.boolean |= other.boolean;
        self.number = match (self.number, other.number) {
            (Some(a), Some(b)) => Some(a.with(b)),
            (a, b) => a.or(b),
        };
        self.text = match (self.text, other.text) {
            (Some(a), Some(b)) if a != b => Some(Text::Plain),
            (a, b) => a.or(b),
        };
        if let Some(list) = &other.list {
            self.list.get_or_insert_default().merge(list);
        }
        if let Some(object) = &other.object {
            let own = self.object.get_or_insert_default();
            for (key, field) in object {
                own.entry(key.clone()).or_default().merge(field);
            }
        }
    }

    /// Returns a list of this shape.
    pub fn listed(self) -> Shape {
        Shape {
            list: Some(Box::new(self)),
            ..Shape::default()
        }
    }

    /// Returns an object with this shape at a key.
    pub fn below(self, key: &str) -> Shape {
        Shape {
            object: Some(IndexMap::from([(key.to_owned(), self)])),
            ..Shape::default()
        }
    }

    /// Returns the items of its lists, if every sample was a list.
    pub fn items(&self) -> Option<&Shape> {
        let others = self.boolean || self.number.is_some() || self.text.is_some();
        self.list
            .as_deref()
            .filter(|_| !others && self.object.is_none())
    }

    /// Returns the shape at a key.
    pub fn field(&self, key: &str) -> Option<&Shape> {
        self.object.as_ref()?.get(key)
    }

    /// Returns whether every sample was an object or null.
    pub fn is_object(&self) -> bool {
        let others = self.boolean || self.number.is_some() || self.text.is_some();
        self.object.is_some() && !others && self.list.is_none()
    }

    /// Returns the shape as an OpenAPI schema.
    pub fn schema(&self) -> Value {
        self.schema_of("")
    }

    /// Returns the schema of a place. Its name, `key`, distinguishes times from other numbers.
    fn schema_of(&self, key: &str) -> Value {
        let mut arms: Vec<Map<String, Value>> = Vec::new();
        let mut arm = |value: Value| arms.extend(value.as_object().cloned());
        if self.boolean {
            arm(json!({"type": "boolean"}));
        }
        if let Some(digits) = self.number {
            arm(digits.schema(key));
        }
        if let Some(text) = self.text {
            arm(text.schema(key));
        }
        if let Some(list) = &self.list {
            arm(json!({"type": "array", "items": list.schema_of(key)}));
        }
        if let Some(object) = &self.object {
            arm(object_schema(object));
        }
        let mut schema = match arms.len() {
            0 => Map::new(),
            1 => arms.swap_remove(0),
            _ => Map::from_iter([("oneOf".to_owned(), json!(arms))]),
        };
        if self.null {
            schema.insert("nullable".to_owned(), Value::Bool(true));
        }
        Value::Object(schema)
    }
}

fn object_schema(object: &IndexMap<String, Shape>) -> Value {
    if object.len() >= MAP && object.keys().all(|key| is_id(key)) {
        let mut all = Shape::default();
        object.values().for_each(|field| all.merge(field));
        return json!({"type": "object", "additionalProperties": all.schema()});
    }
    let fields = object
        .iter()
        .map(|(key, field)| (key.clone(), field.schema_of(key)));
    json!({"type": "object", "properties": fields.collect::<Map<_, _>>()})
}

/// Returns whether a key is an id instead of the name of a property.
fn is_id(key: &str) -> bool {
    let digits = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
    let hex = key.len() >= 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    // `v1.0.1`, but not `odata.type`.
    let version = key.as_bytes().windows(3).any(|three| {
        let [one, dot, other] = three else {
            return false;
        };
        *dot == b'.' && one.is_ascii_digit() && other.is_ascii_digit()
    });
    let address = key.find('@').is_some_and(|at| at > 0);
    digits
        || hex
        || version
        || address
        || matches!(Text::of(key), Text::Uuid | Text::Date | Text::DateTime)
}

impl Digits {
    fn of(number: &serde_json::Number) -> Digits {
        let whole = number.is_i64() || number.is_u64();
        let value = number.as_i64();
        // The range is from 2000 to 2100.
        let within = |unit: i64| {
            value.is_some_and(|value| (946_684_800..4_102_444_800).contains(&(value / unit)))
        };
        Digits {
            whole,
            small: value.is_some_and(|value| i32::try_from(value).is_ok()),
            fits: value.is_some() || !whole,
            seconds: within(1),
            millis: within(1000),
        }
    }

    fn with(self, other: Digits) -> Digits {
        Digits {
            whole: self.whole && other.whole,
            small: self.small && other.small,
            fits: self.fits && other.fits,
            seconds: self.seconds && other.seconds,
            millis: self.millis && other.millis,
        }
    }

    fn schema(self, key: &str) -> Value {
        match (self.whole, is_time(key)) {
            (true, true) if self.seconds => json!({"type": "integer", "format": "unix-time"}),
            (true, true) if self.millis => json!({"type": "integer", "format": "unix-millis"}),
            // Beyond 64 bits, only a decimal keeps all digits.
            _ if !self.fits => json!({"type": "number", "format": "decimal"}),
            (true, _) if self.small => json!({"type": "integer"}),
            (true, _) => json!({"type": "integer", "format": "int64"}),
            (false, _) => json!({"type": "number"}),
        }
    }
}

/// Returns whether a name is that of a time.
fn is_time(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let ends = ["_at", "time", "timestamp", "date", "_on", "_ts"];
    let names = [
        "created", "updated", "modified", "expires", "ts", "start", "end",
    ];
    ends.iter().any(|end| key.ends_with(end)) || names.contains(&key.as_str())
}

impl Text {
    fn of(text: &str) -> Text {
        let bytes = text.as_bytes();
        // `0` stands for a digit, `x` for a hexadecimal one.
        let fits = |text: &[u8], pattern: &str| {
            text.len() == pattern.len()
                && text
                    .iter()
                    .zip(pattern.bytes())
                    .all(|(byte, sign)| match sign {
                        b'0' => byte.is_ascii_digit(),
                        b'x' => byte.is_ascii_hexdigit(),
                        sign => *byte == sign,
                    })
        };
        if fits(bytes, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
            return Text::Uuid;
        }
        if let Some((date, time)) = bytes.split_at_checked(10)
            && fits(date, "0000-00-00")
        {
            return match time {
                [] => Text::Date,
                [b'T' | b't' | b' ', time @ ..] if is_clock(time, fits) => Text::DateTime,
                _ => Text::Plain,
            };
        }
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let is_number = unsigned
            .split_once('.')
            .is_some_and(|(whole, part)| is_digits(whole) && is_digits(part));
        if is_number && unsigned.len() <= 39 {
            Text::Decimal
        } else {
            Text::Plain
        }
    }

    fn schema(self, key: &str) -> Value {
        // A version looks like a number but is not one.
        let is_version = key.to_ascii_lowercase().contains("version");
        match self {
            Text::DateTime => json!({"type": "string", "format": "date-time"}),
            Text::Date => json!({"type": "string", "format": "date"}),
            Text::Uuid => json!({"type": "string", "format": "uuid"}),
            Text::Decimal if !is_version => json!({"type": "string", "format": "decimal"}),
            Text::Decimal | Text::Plain => json!({"type": "string"}),
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns whether a text is `12:34:56`, with or without a fraction, and a zone, as in RFC 3339.
fn is_clock(time: &[u8], fits: impl Fn(&[u8], &str) -> bool) -> bool {
    let Some((clock, mut rest)) = time.split_at_checked(8) else {
        return false;
    };
    if let [b'.', fraction @ ..] = rest {
        let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit());
        let count = digits.count();
        if count == 0 {
            return false;
        }
        rest = fraction.get(count..).unwrap_or_default();
    }
    let zone = match rest {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', zone @ ..] => fits(zone, "00:00"),
        _ => false,
    };
    fits(clock, "00:00:00") && zone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(samples: &[Value]) -> Value {
        let mut shape = Shape::default();
        samples.iter().for_each(|sample| shape.add(sample));
        shape.schema()
    }

    fn field(values: &[Value]) -> Value {
        let samples: Vec<Value> = values.iter().map(|value| json!({"f": value})).collect();
        schema(&samples)["properties"]["f"].clone()
    }

    #[test]
    fn numbers() {
        assert_eq!(
            field(&[json!(1), json!(-2), Value::Null]),
            json!({"type": "integer", "nullable": true})
        );
        assert_eq!(
            field(&[json!(1), json!(5_000_000_000_u64)]),
            json!({"type": "integer", "format": "int64"})
        );
        assert_eq!(field(&[json!(1), json!(1.5)]), json!({"type": "number"}));
        assert_eq!(
            field(&[json!(u64::MAX)]),
            json!({"type": "number", "format": "decimal"})
        );
    }

    #[test]
    fn texts() {
        let of = |texts: &[&str]| {
            let values: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
            field(&values)["format"].clone()
        };
        assert_eq!(
            of(&["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.678+02:00"]),
            "date-time"
        );
        assert_eq!(of(&["2026-01-02"]), "date");
        assert_eq!(of(&["2026-01-02", "soon"]), Value::Null);
        assert_eq!(of(&["12.50", "-0.1"]), "decimal");
        assert_eq!(of(&["12.50", "12"]), Value::Null);
        assert_eq!(of(&["0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f"]), "uuid");
        for odd in [
            "",
            "2026-01-02T",
            "2026-01-02T03:04:05.",
            "é026-01-02",
            "1.",
            ".5",
        ] {
            assert_eq!(of(&[odd]), Value::Null, "{odd}");
        }
        let version = schema(&[json!({"api_version": "1.10"})]);
        assert_eq!(
            version["properties"]["api_version"],
            json!({"type": "string"})
        );
    }

    #[test]
    fn times_are_told_by_their_names() {
        let sample = json!({"created": 1_700_000_000, "updated_at": 1_700_000_000_123_i64, "size": 1_700_000_000});
        let fields = schema(&[sample]);
        let format = |key: &str| fields["properties"][key]["format"].clone();
        assert_eq!(format("created"), "unix-time");
        assert_eq!(format("updated_at"), "unix-millis");
        assert_eq!(format("size"), Value::Null);
    }

    #[test]
    fn objects_lists_and_maps() {
        let samples = [
            json!({"a": {"b": [1, null]}, "c": []}),
            json!({"a": {"d": true}, "c": null}),
        ];
        assert_eq!(
            schema(&samples),
            json!({"type": "object", "properties": {
                "a": {"type": "object", "properties": {
                    "b": {"type": "array", "items": {"type": "integer", "nullable": true}},
                    "d": {"type": "boolean"},
                }},
                "c": {"type": "array", "items": {}, "nullable": true},
            }})
        );
        let map = field(&[json!({"1": {"x": 1}, "22": {"y": 2}, "333": {}})]);
        assert_eq!(
            map,
            json!({"type": "object", "additionalProperties": {"type": "object", "properties": {
                "x": {"type": "integer"}, "y": {"type": "integer"},
            }}})
        );
    }

    #[test]
    fn what_differs_is_a_union() {
        assert_eq!(
            field(&[json!("x"), json!(1)]),
            json!({"oneOf": [{"type": "integer"}, {"type": "string"}]})
        );
    }

    #[test]
    fn values_are_not_kept() {
        let text = schema(&[json!({"token": "sk_live_1", "list": [{"pin": "0000"}], "n": 12345})])
            .to_string();
        for value in ["sk_live", "0000", "12345"] {
            assert!(!text.contains(value), "{text}");
        }
    }

    #[test]
    fn depth_ends() {
        let mut value = json!(1);
        for _ in 0..200 {
            value = json!([value]);
        }
        assert!(Shape::of(&value).schema().to_string().len() < 4000);
    }
}
