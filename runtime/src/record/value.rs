//! UUIDs, bytes, and values that stay JSON.

use std::fmt;
use std::str::FromStr;

use super::json;
use super::parse_error::ParseError;

/// A UUID, sent as 36 characters.
///
/// ```
/// use etlgen_runtime::prelude::Uuid;
///
/// let id: Uuid = "123E4567-E89B-12D3-A456-426614174000".parse()?;
/// assert_eq!(id.to_string(), "123e4567-e89b-12d3-a456-426614174000");
/// # Ok::<(), etlgen_runtime::record::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid(u128);

impl Uuid {
    /// Creates the UUID with that number.
    pub const fn from_u128(value: u128) -> Self {
        Uuid(value)
    }

    /// Returns its number.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// Returns its 36 characters, in lower case.
    pub(crate) fn text(self) -> [u8; 36] {
        let mut out = [b'-'; 36];
        let mut shift = 128;
        for (index, place) in out.iter_mut().enumerate() {
            if !matches!(index, 8 | 13 | 18 | 23) {
                shift -= 4;
                *place = b"0123456789abcdef"[(self.0 >> shift) as usize & 15];
            }
        }
        out
    }
}

impl FromStr for Uuid {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = ParseError("a UUID of 36 characters");
        if text.len() != 36 {
            return Err(error);
        }
        let mut value = 0;
        for (index, byte) in text.bytes().enumerate() {
            let digit = match byte {
                b'-' if matches!(index, 8 | 13 | 18 | 23) => continue,
                _ if matches!(index, 8 | 13 | 18 | 23) => return Err(error),
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                b'A'..=b'F' => byte - b'A' + 10,
                _ => return Err(error),
            };
            value = value << 4 | u128::from(digit);
        }
        Ok(Uuid(value))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// Bytes, sent as base64 with padding.
///
/// ```
/// use etlgen_runtime::prelude::Bytes;
///
/// let bytes: Bytes = "TWFu".parse()?;
/// assert_eq!(bytes.as_slice(), b"Man");
/// # Ok::<(), etlgen_runtime::record::ParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(Vec<u8>);

impl Bytes {
    /// Returns the bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes(bytes)
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Parses base64 in its only canonical form: missing padding and extra bits are refused.
impl FromStr for Bytes {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = ParseError("base64");
        if !text.len().is_multiple_of(4) {
            return Err(error);
        }
        let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
        let data = text.trim_end_matches('=').as_bytes();
        if text.len() - data.len() > 2 {
            return Err(error);
        }
        for chunk in data.chunks(4) {
            let mut value: u32 = 0;
            for byte in chunk {
                let digit = match byte {
                    b'A'..=b'Z' => byte - b'A',
                    b'a'..=b'z' => byte - b'a' + 26,
                    b'0'..=b'9' => byte - b'0' + 52,
                    b'+' => 62,
                    b'/' => 63,
                    _ => return Err(error),
                };
                value = value << 6 | u32::from(digit);
            }
            let bits = chunk.len() as u32 * 6;
            let (whole, rest) = (bits / 8, bits % 8);
            if chunk.len() < 4 && (whole == 0 || value & ((1 << rest) - 1) != 0) {
                return Err(error);
            }
            value >>= rest;
            bytes.extend_from_slice(&value.to_be_bytes()[4 - whole as usize..]);
        }
        Ok(Bytes(bytes))
    }
}

/// Writes base64.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(self.0.len().div_ceil(3) * 4);
        for chunk in self.0.chunks(3) {
            let mut value: u32 = 0;
            for index in 0..3 {
                value = value << 8 | u32::from(chunk.get(index).copied().unwrap_or(0));
            }
            for index in 0..4 {
                out.push(if index <= chunk.len() {
                    char::from(BASE64[(value >> (18 - 6 * index)) as usize & 63])
                } else {
                    '='
                });
            }
        }
        f.write_str(&out)
    }
}

/// Any JSON, unchanged (without the white space between its parts). As a field it is one JSON column; as a record
/// (`Resource<Json>`) it gets its types when it is loaded.
///
/// ```
/// use etlgen_runtime::prelude::Json;
///
/// let user: Json = r#"{"id": 7, "name": "Ada", "tags": ["a", "b"]}"#.parse()?;
/// assert_eq!(user.text("id").as_deref(), Some("7"));
/// assert_eq!(user.text("name").as_deref(), Some("Ada"));
/// assert_eq!(user.get("tags").unwrap().as_str(), r#"["a","b"]"#);
/// # Ok::<(), etlgen_runtime::record::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Json(Box<str>);

impl Json {
    /// Wraps a valid JSON text.
    pub(crate) fn from_raw(raw: Box<str>) -> Self {
        Json(raw)
    }

    /// Creates the JSON text of a value.
    pub fn new(value: &serde_json::Value) -> Self {
        Json(value.to_string().into_boxed_str())
    }

    /// Returns the JSON text.
    pub fn as_str(&self) -> &str {
        // An empty `Json` is one that was never filled.
        if self.0.is_empty() { "null" } else { &self.0 }
    }

    /// Returns the JSON at these keys, joined with dots (an item of a list by its index, from 0);
    /// `None` if it is missing or null. For a parameter use [`Json::text`].
    pub fn get(&self, path: &str) -> Option<JsonRef<'_>> {
        JsonRef(self.as_str()).get(path)
    }

    /// Returns the text of the value at these keys: a string without its quotes, a number or a
    /// boolean unchanged; `None` for an object, a list, null, or if it is missing.
    pub fn text(&self, path: &str) -> Option<String> {
        self.get(path)?.text()
    }

    /// Parses the value. Numbers beyond 64 bits become doubles; the text has them exactly.
    pub fn to_value(&self) -> Option<serde_json::Value> {
        serde_json::from_str(self.as_str()).ok()
    }
}

/// JSON within other JSON, unchanged: [`Json::get`] and [`Drift::get`](super::Drift::get) return it.
///
/// It is JSON, not text: a string has its quotes. Therefore it cannot be a parameter of a request; its
/// [`JsonRef::text`] can.
///
/// ```
/// use etlgen_runtime::prelude::Json;
///
/// let channel: Json = r#"{"id": "C1", "topic": {"text": "news"}}"#.parse()?;
/// assert_eq!(channel.get("topic").unwrap().as_str(), r#"{"text":"news"}"#);
/// assert_eq!(channel.get("id").unwrap().as_str(), r#""C1""#);
/// assert_eq!(channel.text("id").as_deref(), Some("C1"));
/// assert_eq!(channel.text("topic"), None);
/// # Ok::<(), etlgen_runtime::record::ParseError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct JsonRef<'a>(&'a str);

impl<'a> JsonRef<'a> {
    /// Wraps JSON text that is known to be valid.
    pub(crate) fn from_raw(raw: &'a str) -> Self {
        JsonRef(raw)
    }

    /// Returns the JSON text.
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// Returns the JSON at these keys; see [`Json::get`].
    pub fn get(self, path: &str) -> Option<JsonRef<'a>> {
        let found = json::find(self.0, path.split('.')).filter(|raw| *raw != "null");
        found.map(JsonRef)
    }

    /// Returns a string without its quotes, a number or a boolean unchanged; `None` for an object,
    /// a list or null.
    pub fn text(self) -> Option<String> {
        json::scalar_text(self.0)
    }

    /// Returns an owned copy.
    pub fn to_json(self) -> Json {
        Json(self.0.into())
    }
}

impl fmt::Debug for JsonRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for JsonRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Json {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut reader = json::Reader::new(text);
        let raw = reader
            .raw()
            .and_then(|raw| reader.end().map(|()| raw))
            .map_err(|error| ParseError(error.expected))?;
        Ok(Json(json::compact(raw)))
    }
}

/// Any JSON that gets its types when it is loaded: objects become columns, lists become tables.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Event {
///     id: Option<String>,
///     /// The columns `data__…` come from the data itself.
///     data: Option<Dynamic>,
/// }
///
/// let data = Dynamic::new(r#"{"amount": 3}"#.parse()?);
/// assert_eq!(data.json().text("amount").as_deref(), Some("3"));
/// # Ok::<(), etlgen_runtime::record::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Dynamic(Json);

impl Dynamic {
    /// Creates a value that gets its type when it is loaded.
    pub fn new(json: Json) -> Self {
        Dynamic(json)
    }

    /// Returns the JSON.
    pub fn json(&self) -> &Json {
        &self.0
    }
}

impl From<Json> for Dynamic {
    fn from(json: Json) -> Self {
        Dynamic(json)
    }
}

impl fmt::Debug for Dynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

impl fmt::Display for Dynamic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_read_in_either_case() {
        let text = "123e4567-e89b-12d3-a456-426614174000";
        assert_eq!(text.parse::<Uuid>().unwrap().to_string(), text);
        assert_eq!(
            text.to_uppercase().parse::<Uuid>().unwrap().to_string(),
            text
        );
        for wrong in [
            "",
            "123e4567e89b12d3a456426614174000",
            "123e4567-e89b-12d3-a456-42661417400g",
            "123e4567-e89b-12d3-a4564-26614174000",
            "ééééééééééééééééééé",
        ] {
            assert!(wrong.parse::<Uuid>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn base64_that_can_be_written_back_is_read() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("TQ==", b"M"),
            ("TWE=", b"Ma"),
            ("TWFu", b"Man"),
            ("//79", &[255, 254, 253]),
        ] {
            let read = text.parse::<Bytes>().unwrap();
            assert_eq!(read.as_slice(), bytes);
            assert_eq!(read.to_string(), text);
        }
        for wrong in [
            "T", "TQ", "TQ=", "TR==", "TWF=", "====", "T===", "TW-u", "TQ==TQ==",
        ] {
            assert!(wrong.parse::<Bytes>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn json_is_kept_without_white_space_and_can_be_asked() {
        let json: Json = " { \"a\" : { \"b c\" : [ 1 , \"x \\n y\" ] }, \"n\": null } "
            .parse()
            .unwrap();
        assert_eq!(json.as_str(), r#"{"a":{"b c":[1,"x \n y"]},"n":null}"#);
        let at = |path| json.get(path).map(JsonRef::as_str);
        assert_eq!(at("a.b c"), Some(r#"[1,"x \n y"]"#));
        assert_eq!(at("a.b c.0"), Some("1"));
        assert_eq!(json.text("a.b c"), None);
        assert_eq!(json.text("a.b c.1").as_deref(), Some("x \n y"));
        assert_eq!(json.get("n"), None);
        assert_eq!(Json::default().as_str(), "null");
        assert!("{".parse::<Json>().is_err());
        assert!("1 2".parse::<Json>().is_err());
    }
}
