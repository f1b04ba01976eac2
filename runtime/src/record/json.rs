//! A small pull parser of JSON: it reads the text once and returns slices of it.
//!
//! It follows RFC 8259, except that it accepts control characters within strings. Nothing here is recursive, so that
//! any nesting depth works.

use std::borrow::Cow;
use std::ops::Range;

/// A syntax error: its position, and what was expected there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    pub at: usize,
    pub expected: &'static str,
}

/// The raw text of a string between its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted<'a> {
    pub raw: &'a str,
    pub escaped: bool,
}

impl<'a> Quoted<'a> {
    /// Returns its text; `None` if it contains half a surrogate pair, which text cannot represent.
    #[inline]
    pub fn decode(self) -> Option<Cow<'a, str>> {
        if self.escaped {
            unescape(self.raw).map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(self.raw))
        }
    }
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number<'a> {
    /// An integer that fits in 64 bits.
    Int(i64),
    /// An integer with more digits.
    Big(&'a str),
    /// A number with a point or an exponent.
    Real(&'a str),
}

impl Number<'_> {
    /// Returns the number as 64 bits, if that is exact (`1.0` is 1).
    pub fn as_int(self) -> Option<i64> {
        match self {
            Number::Int(value) => Some(value),
            Number::Big(_) => None,
            Number::Real(raw) => super::time::parse_scaled(raw, 0),
        }
    }

    /// Returns the number as a double: an integer must be exact, another number becomes the nearest
    /// double.
    pub fn as_float(self) -> Option<f64> {
        match self {
            Number::Int(value) => {
                let float = value as f64;
                (float as i128 == i128::from(value)).then_some(float)
            }
            Number::Big(raw) => {
                let float: f64 = raw.parse().ok()?;
                let exact = super::decimal::parse_scaled(raw, 0)?;
                (float.abs() < 1e38 && float as i128 == exact).then_some(float)
            }
            Number::Real(raw) => {
                let float: f64 = raw.parse().ok()?;
                let vanished = float == 0.0
                    && raw
                        .bytes()
                        .take_while(|byte| !matches!(byte, b'e' | b'E'))
                        .any(|byte| matches!(byte, b'1'..=b'9'));
                (float.is_finite() && !vanished).then_some(float)
            }
        }
    }
}

/// A position in a JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pub at: usize,
}

type Result<T, E = Syntax> = std::result::Result<T, E>;

impl<'a> Reader<'a> {
    pub fn new(text: &'a str) -> Self {
        Reader {
            text,
            bytes: text.as_bytes(),
            at: 0,
        }
    }

    /// Returns the next byte after white space; 0 at the end.
    #[inline]
    pub fn peek(&mut self) -> u8 {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(&byte) => return byte,
                None => return 0,
            }
        }
    }

    pub fn error<T>(&self, expected: &'static str) -> Result<T> {
        Err(Syntax {
            at: self.at,
            expected,
        })
    }

    /// Returns the text since `start`.
    #[inline]
    pub fn since(&self, start: usize) -> &'a str {
        // Both ends are next to an ASCII character.
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Checks that only white space follows.
    pub fn end(&mut self) -> Result<()> {
        self.peek();
        if self.at < self.bytes.len() {
            return self.error("the end");
        }
        Ok(())
    }

    /// Takes a `null`, if it is next.
    #[inline]
    pub fn null(&mut self) -> Result<bool> {
        if self.peek() != b'n' {
            return Ok(false);
        }
        self.literal("null")?;
        Ok(true)
    }

    /// Takes `true`, `false` or `null`.
    #[inline]
    pub fn literal(&mut self, literal: &'static str) -> Result<()> {
        if !self.bytes[self.at.min(self.bytes.len())..].starts_with(literal.as_bytes()) {
            return self.error("a value");
        }
        self.at += literal.len();
        Ok(())
    }

    /// Takes the peeked brace or bracket. Returns false if the object or list is empty, and then takes its end as well.
    #[inline]
    pub fn open(&mut self, close: u8) -> bool {
        self.at += 1;
        let filled = self.peek() != close;
        self.at += usize::from(!filled);
        filled
    }

    /// Takes a comma (true) or the end of the object or list.
    #[inline]
    pub fn more(&mut self, close: u8) -> Result<bool> {
        let byte = self.peek();
        if byte != b',' && byte != close {
            return self.error(if close == b'}' {
                "`,` or `}`"
            } else {
                "`,` or `]`"
            });
        }
        self.at += 1;
        Ok(byte == b',')
    }

    /// Takes the key of an object, and its colon, if it is this one; `quoted` ends with the quote.
    #[inline]
    pub fn key_is(&mut self, quoted: &[u8]) -> bool {
        if self.peek() != b'"' {
            return false;
        }
        let start = self.at + 1;
        let same = match self.bytes.get(start..start + quoted.len()) {
            Some(bytes) => bytes == quoted,
            None => false,
        };
        // The position was not changed, so the key is read again, as another key or as an error.
        if same && self.bytes.get(start + quoted.len()) == Some(&b':') {
            self.at = start + quoted.len() + 1;
            return true;
        }
        false
    }

    /// Takes a key and its colon.
    pub fn key(&mut self) -> Result<Quoted<'a>> {
        if self.peek() != b'"' {
            return self.error("a key");
        }
        let key = self.string()?;
        if self.peek() != b':' {
            return self.error("`:`");
        }
        self.at += 1;
        Ok(key)
    }

    /// Takes the peeked string.
    #[inline]
    pub fn string(&mut self) -> Result<Quoted<'a>> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            // Checks eight bytes at a time for a quote or a backslash.
            while let Some(chunk) = self
                .bytes
                .get(at..at + 8)
                .and_then(|chunk| <[u8; 8]>::try_from(chunk).ok())
            {
                let word = u64::from_le_bytes(chunk);
                let found = zero_bytes(word ^ QUOTES) | zero_bytes(word ^ BACKSLASHES);
                if found != 0 {
                    at += found.trailing_zeros() as usize / 8;
                    break;
                }
                at += 8;
            }
            match self.bytes.get(at) {
                Some(b'"') => {
                    self.at = at;
                    let raw = self.since(start);
                    self.at += 1;
                    return Ok(Quoted { raw, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    at = self.escape(at)?;
                }
                Some(_) => at += 1,
                None => {
                    self.at = start - 1;
                    return self.error("the closing quote of a string");
                }
            }
        }
    }

    /// Returns the position after the escape that starts at `at`.
    fn escape(&mut self, at: usize) -> Result<usize> {
        match self.bytes.get(at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u')
                if self
                    .bytes
                    .get(at + 2..at + 6)
                    .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) =>
            {
                Ok(at + 6)
            }
            _ => {
                self.at = at;
                self.error("an escape such as `\\n`")
            }
        }
    }

    /// Takes the peeked number.
    #[inline]
    pub fn number(&mut self) -> Result<Number<'a>> {
        let start = self.at;
        let negative = self.bytes.get(self.at) == Some(&b'-');
        self.at += usize::from(negative);
        let first = self.at;
        let mut value: u64 = 0;
        while let Some(digit) = self.bytes.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = self.at - first;
        if digits == 0 || digits > 1 && self.bytes[first] == b'0' {
            self.at = first;
            return self.error("a value");
        }
        if matches!(self.bytes.get(self.at), Some(b'.' | b'e' | b'E')) {
            return self.real(start);
        }
        if digits <= 18 {
            let value = value as i64;
            return Ok(Number::Int(if negative { -value } else { value }));
        }
        let raw = self.since(start);
        Ok(raw.parse().map_or(Number::Big(raw), Number::Int))
    }

    fn real(&mut self, start: usize) -> Result<Number<'a>> {
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.bytes.get(self.at), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(Number::Real(self.since(start)))
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start {
            return self.error("a digit");
        }
        Ok(())
    }

    /// Skips a value and returns its text.
    pub fn raw(&mut self) -> Result<&'a str> {
        self.peek();
        let start = self.at;
        self.skip()?;
        Ok(self.since(start))
    }

    /// Skips a value.
    pub fn skip(&mut self) -> Result<()> {
        let mut open = Open::default();
        loop {
            match self.peek() {
                b'{' => {
                    if self.open(b'}') {
                        open.push(true);
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    if self.open(b']') {
                        open.push(false);
                        continue;
                    }
                }
                b'"' => {
                    self.string()?;
                }
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                b'-' | b'0'..=b'9' => {
                    self.number()?;
                }
                _ => return self.error("a value"),
            }
            // A value has ended, and with it possibly the object or list around it.
            loop {
                let Some(object) = open.last() else {
                    return Ok(());
                };
                if self.more(if object { b'}' } else { b']' })? {
                    if object {
                        self.key()?;
                    }
                    break;
                }
                open.pop();
            }
        }
    }
}

const ONES: u64 = u64::from_le_bytes([1; 8]);
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);

/// Sets the high bit of every byte that is zero; bytes above the first one may be marked wrongly.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

/// The open objects (true) and lists, with one bit each.
#[derive(Default)]
struct Open {
    top: u64,
    below: Vec<u64>,
    depth: usize,
}

impl Open {
    fn push(&mut self, object: bool) {
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.below.push(self.top);
        }
        self.top = self.top << 1 | u64::from(object);
        self.depth += 1;
    }

    fn last(&self) -> Option<bool> {
        (self.depth > 0).then_some(self.top & 1 == 1)
    }

    fn pop(&mut self) {
        self.depth -= 1;
        self.top >>= 1;
        if self.depth > 0 && self.depth.is_multiple_of(64) {
            self.top = self.below.pop().unwrap_or_default();
        }
    }
}

/// Decodes a string with escapes; `None` if it contains half a surrogate pair.
fn unescape(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let kind = *rest.as_bytes().get(at + 1)?;
        let mut length = 2;
        out.push(match kind {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                length = 6;
                let unit = hex(rest, at + 2)?;
                let code = if (0xD800..0xDC00).contains(&unit) {
                    length = 12;
                    if rest.get(at + 6..at + 8) != Some("\\u") {
                        return None;
                    }
                    let low = hex(rest, at + 8)?.checked_sub(0xDC00)?;
                    if low >= 0x400 {
                        return None;
                    }
                    0x10000 + ((unit - 0xD800) << 10) + low
                } else {
                    unit
                };
                char::from_u32(code)?
            }
            other => char::from(other),
        });
        rest = rest.get(at + length..)?;
    }
    out.push_str(rest);
    Some(out)
}

fn hex(text: &str, at: usize) -> Option<u32> {
    u32::from_str_radix(text.get(at..at + 4)?, 16).ok()
}

/// Returns the same JSON without white space between its parts, and with control characters within
/// strings escaped. The text must be JSON.
pub(crate) fn compact(raw: &str) -> Box<str> {
    if !raw.bytes().any(|byte| byte <= b' ') {
        return raw.into();
    }
    let mut out = String::with_capacity(raw.len());
    let (mut string, mut escaped) = (false, false);
    for part in raw.split_inclusive(|char: char| char <= ' ' || matches!(char, '"' | '\\')) {
        let Some(last) = part.chars().next_back() else {
            continue;
        };
        let body = &part[..part.len() - last.len_utf8()];
        if !body.is_empty() {
            escaped = false;
        }
        out.push_str(body);
        let text = string;
        match last {
            '"' if !escaped => string = !string,
            '\\' if !escaped => {
                escaped = true;
                out.push(last);
                continue;
            }
            _ => {}
        }
        escaped = false;
        match last {
            ' ' if !text => {}
            char if char < ' ' => {
                if text {
                    out.push_str(&format!("\\u{:04x}", char as u32));
                }
            }
            char => out.push(char),
        }
    }
    out.into_boxed_str()
}

/// Returns the raw JSON of the value at these keys (a number is an index into a list), if it
/// exists. The text must be JSON.
pub(crate) fn find<'a, 'k>(
    raw: &'a str,
    keys: impl IntoIterator<Item = &'k str>,
) -> Option<&'a str> {
    let mut reader = Reader::new(raw);
    for key in keys {
        match reader.peek() {
            b'{' if reader.open(b'}') => loop {
                let found = reader.key().ok()?;
                if found.decode().as_deref() == Some(key) {
                    break;
                }
                reader.skip().ok()?;
                if !reader.more(b'}').ok()? {
                    return None;
                }
            },
            b'[' if reader.open(b']') => {
                for _ in 0..key.parse::<usize>().ok()? {
                    reader.skip().ok()?;
                    if !reader.more(b']').ok()? {
                        return None;
                    }
                }
            }
            _ => return None,
        }
    }
    reader.raw().ok()
}

/// Returns the positions of the values at these keys; after a list in the path, the remaining keys
/// apply to each of its items.
pub(crate) fn find_all(raw: &str, keys: &[String]) -> Result<Vec<Range<usize>>> {
    let mut found = Vec::new();
    collect(&mut Reader::new(raw), keys, &mut found)?;
    Ok(found)
}

fn collect(json: &mut Reader<'_>, keys: &[String], found: &mut Vec<Range<usize>>) -> Result<()> {
    let next = json.peek();
    let Some((key, below)) = keys.split_first() else {
        let start = json.at;
        json.skip()?;
        found.push(start..json.at);
        return Ok(());
    };
    if next != b'{' {
        return json.skip();
    }
    if !json.open(b'}') {
        return Ok(());
    }
    let mut seen = false;
    loop {
        let here = json.key()?.decode().as_deref() == Some(key);
        if seen || !here {
            json.skip()?;
        } else if json.peek() == b'[' && !below.is_empty() {
            let mut more = json.open(b']');
            while more {
                collect(json, below, found)?;
                more = json.more(b']')?;
            }
        } else {
            collect(json, below, found)?;
        }
        seen |= here;
        if !json.more(b'}')? {
            return Ok(());
        }
    }
}

/// Returns the text of a raw string, number or boolean; `None` for null, objects, lists, and
/// strings that are not valid text.
pub(crate) fn scalar_text(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => Some(Reader::new(raw).string().ok()?.decode()?.into_owned()),
        b'n' | b'{' | b'[' => None,
        _ => Some(raw.to_owned()),
    }
}

/// Returns the text of a raw value that identifies a record: that of a scalar, and the JSON of
/// others; `None` for null.
pub(crate) fn key_text(raw: &str) -> Option<String> {
    let json = || (raw != "null").then(|| compact(raw).into_string());
    scalar_text(raw).or_else(json)
}

/// Returns whether the text is one JSON value.
#[cfg(feature = "csv")]
pub(crate) fn is_value(text: &str) -> bool {
    let mut reader = Reader::new(text);
    reader.skip().and_then(|()| reader.end()).is_ok()
}

/// Writes a string with its quotes.
pub(crate) fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|char: char| char < ' ' || matches!(char, '"' | '\\')) {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte => out.push_str(&format!("\\u{byte:04x}")),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(text: &str) -> Result<()> {
        let mut reader = Reader::new(text);
        reader.skip()?;
        reader.end()
    }

    #[test]
    fn what_is_json_is_told_from_what_is_not() {
        for good in [
            "0",
            "-1.5e-7",
            " [ ] ",
            r#"{"a":[1,{"b":null}],"":"\u00e9\\\""}"#,
            "[[[]],[{}],{}]",
            "\"raw\u{1}control\"",
            "[true,false,null]",
        ] {
            assert_eq!(skip(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            " ",
            "{",
            "[",
            "]",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "01",
            "-",
            "1.",
            "1e",
            ".5",
            "+1",
            "nul",
            "tru",
            "NaN",
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "[1}",
            "{\"a\":1]",
            "1 2",
            "\"a\" \"b\"",
            "[1 2]",
            "\0",
        ] {
            assert!(skip(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn no_nesting_is_too_deep() {
        for depth in [1, 63, 64, 65, 128, 129, 1_000_000] {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(skip(&text), Ok(()));
            assert!(skip(&text[1..]).is_err());
            assert!(skip(&text[..text.len() - 1]).is_err());
            let text = format!("{}1{}", "{\"a\":[".repeat(depth), "]}".repeat(depth));
            assert_eq!(skip(&text), Ok(()), "{depth}");
            assert!(skip(&text.replace("]}", "}]")).is_err());
        }
    }

    #[test]
    fn strings_are_decoded_or_known_to_be_no_text() {
        let decode = |text: &str| {
            let quoted = Reader::new(text).string().unwrap();
            quoted.decode().map(Cow::into_owned)
        };
        assert_eq!(
            decode(r#""a\n\/\u0041\ud83d\ude00\u0000 long enough for words""#).as_deref(),
            Some("a\n/A\u{1F600}\0 long enough for words")
        );
        assert_eq!(decode(r#""""#).as_deref(), Some(""));
        for lone in [
            r#""\ud800""#,
            r#""\udc00""#,
            r#""\ud800\ud800""#,
            r#""\ud800x""#,
            r#""\ud800\n1234""#,
        ] {
            assert_eq!(decode(lone), None, "{lone}");
        }
        for length in 0..40 {
            let text = "é\u{1F600}abc"
                .repeat(3)
                .chars()
                .take(length)
                .collect::<String>();
            assert_eq!(decode(&format!("\"{text}\"")), Some(text));
        }
    }

    #[test]
    fn numbers_are_exact() {
        let number = |text| Reader::new(text).number().unwrap();
        assert_eq!(number("9223372036854775807"), Number::Int(i64::MAX));
        assert_eq!(number("-9223372036854775808"), Number::Int(i64::MIN));
        assert_eq!(number("9223372036854775808").as_int(), None);
        assert_eq!(number("1.0").as_int(), Some(1));
        assert_eq!(number("25e-1").as_int(), None);
        assert_eq!(number("9007199254740993").as_float(), None);
        assert_eq!(
            number("9223372036854775808").as_float(),
            Some(9223372036854775808.0)
        );
        assert_eq!(number("9223372036854775809").as_float(), None);
        assert_eq!(number("0.1").as_float(), Some(0.1));
        assert_eq!(number("1e400").as_float(), None);
        assert_eq!(number("1e-400").as_float(), None);
        assert_eq!(number("0e-400").as_float(), Some(0.0));
    }

    #[test]
    fn compact_drops_white_space_outside_of_strings_only() {
        assert_eq!(
            &*compact("{ \"a b\" :\n[ 1 , \"x\\\" y\\\\\" , \"\t\" ] }"),
            "{\"a b\":[1,\"x\\\" y\\\\\",\"\\u0009\"]}"
        );
        assert_eq!(&*compact("[1,2]"), "[1,2]");
        assert_eq!(&*compact(r#"["\\", "a"]"#), r#"["\\","a"]"#);
    }

    #[test]
    fn values_are_found_in_every_item_of_a_list_on_the_way() {
        let raw = r#"{"a":[{"b":1},{"c":[]},2,{"b":[3]}],"b":4,"a":{"b":5}}"#;
        let all = |keys: &[&str]| -> Vec<&str> {
            let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            let found = find_all(raw, &keys).unwrap();
            found.into_iter().map(|place| &raw[place]).collect()
        };
        assert_eq!(all(&["a", "b"]), ["1", "[3]"]);
        assert_eq!(all(&["b"]), ["4"]);
        assert_eq!(all(&["x"]), [""; 0]);
        assert_eq!(all(&[]), [raw]);
    }

    #[test]
    fn values_are_found_by_their_keys() {
        let raw = r#"{"a":{"x":1},"b":[{"c":"\u0041"},2]}"#;
        assert_eq!(find(raw, ["b", "0", "c"]), Some("\"\\u0041\""));
        assert_eq!(find(raw, []), Some(raw));
        for missing in [
            &["c"][..],
            &["a", "x", "y"],
            &["b", "2"],
            &["b", "-1"],
            &["b", "x"],
        ] {
            assert_eq!(find(raw, missing.iter().copied()), None);
        }
        assert_eq!(scalar_text("\"\\u0041\"").as_deref(), Some("A"));
    }
}
