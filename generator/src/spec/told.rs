//! Reads the sample of a response that only the description of an operation has.
//!
//! Such samples are JSON, or look like it: values are described instead of given
//! (`"id": (string) the id`), commas are missing, and `...` stands for more items.

use serde_json::{Map, Value};

use super::api::Operation;

/// The depth to which a sample is read.
const DEPTH: usize = 12;
/// A time, for values that are described as one.
const TIME: &str = "2021-01-31T00:00:00Z";

/// Gives the sample in its description to each GET whose response has neither schema nor example.
pub(super) fn fill(operations: &mut [Operation]) {
    for operation in operations.iter_mut().filter(|it| it.method == "get") {
        let Some(response) = &mut operation.response else {
            continue;
        };
        let silent = response.schema.is_none() && response.media_type.is_none();
        if silent && response.examples.is_empty() {
            response.examples.extend(sample(&operation.description));
        }
    }
}

/// Returns the sample in a description: the last fenced block that reads like an object or an array,
/// of those behind a word about responses if there are any.
fn sample(description: &str) -> Option<Value> {
    let parts: Vec<&str> = description.split("```").collect();
    let mut behind = String::new();
    let mut found: Option<Value> = None;
    for (index, part) in parts.iter().enumerate() {
        if index % 2 == 0 {
            behind.push_str(&part.to_lowercase());
            continue;
        }
        let about = behind.rfind("response") >= behind.rfind("request");
        let start = part.find(['{', '[']).filter(|_| about);
        let value = start.and_then(|at| Reader::new(part.get(at..)?).value(0));
        found = value.filter(is_told).or(found);
    }
    found
}

/// Returns whether a sample shows fields.
fn is_told(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => items.iter().any(Value::is_object),
        _ => false,
    }
}

/// Reads a text that looks like JSON.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn new(rest: &'a str) -> Self {
        Reader { rest }
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        self.skip(char::is_whitespace);
        if depth > DEPTH {
            return None;
        }
        match self.rest.chars().next()? {
            '{' => self.object(depth),
            '[' => self.array(depth),
            '"' => self
                .text()
                .map(|text| described(&text).unwrap_or(Value::String(text))),
            _ => Some(self.bare()),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Value> {
        self.take();
        let mut fields = Map::new();
        loop {
            self.skip(|c| c != '"' && c != '}');
            match self.rest.chars().next()? {
                '}' => {
                    self.take();
                    return Some(Value::Object(fields));
                }
                _ => {
                    let name = self.text()?;
                    self.skip(char::is_whitespace);
                    // A text without a value is a remark.
                    if self.rest.starts_with(':') {
                        self.take();
                        let value = self.value(depth + 1)?;
                        fields.insert(name, value);
                    }
                }
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.take();
        let mut items = Vec::new();
        loop {
            self.skip(|c| !matches!(c, '"' | '{' | '[' | ']') && !c.is_ascii_digit());
            match self.rest.chars().next()? {
                ']' => {
                    self.take();
                    return Some(Value::Array(items));
                }
                _ => items.push(self.value(depth + 1)?),
            }
        }
    }

    /// Reads a quoted text.
    fn text(&mut self) -> Option<String> {
        self.take();
        let mut text = String::new();
        let mut chars = self.rest.char_indices();
        while let Some((at, letter)) = chars.next() {
            match letter {
                '"' => {
                    self.rest = self.rest.get(at + 1..)?;
                    return Some(text);
                }
                '\\' => text.extend(chars.next().map(|(_, letter)| letter)),
                '\n' => return None,
                _ => text.push(letter),
            }
        }
        None
    }

    /// Reads a value without quotes: a number, a word of JSON, or a description.
    fn bare(&mut self) -> Value {
        let mut open = 0_usize;
        let end = self.rest.char_indices().find(|(_, letter)| {
            match letter {
                '(' => open += 1,
                ')' => open = open.saturating_sub(1),
                _ => {}
            }
            *letter == '\n' || open == 0 && matches!(letter, ',' | '}' | ']')
        });
        let end = end.map_or(self.rest.len(), |(at, _)| at);
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        let text = text.trim();
        let json = serde_json::from_str(text).ok();
        json.or_else(|| described(text))
            .unwrap_or_else(|| "".into())
    }

    fn skip(&mut self, skipped: impl Fn(char) -> bool) {
        self.rest = self.rest.trim_start_matches(skipped);
    }

    fn take(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
    }
}

/// Returns a value of the type that a text describes: `(integer) how many`, `time-in-iso`.
fn described(text: &str) -> Option<Value> {
    let lower = text.to_lowercase();
    let named = match lower.strip_prefix('(') {
        Some(rest) => rest.split(')').next().unwrap_or_default(),
        None => lower.as_str(),
    };
    let words: Vec<&str> = named.split(|c: char| !c.is_alphanumeric()).collect();
    let about = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    let plain = lower.starts_with('(') || words.len() <= 3;
    if !plain {
        return None;
    }
    if about(&["iso", "datetime"]) || matches!(words.as_slice(), ["date"]) {
        Some(TIME.into())
    } else if about(&["array", "list"]) {
        Some(Value::Array(Vec::new()))
    } else if about(&["integer", "int", "number"]) {
        Some(0.into())
    } else if about(&["boolean", "bool"]) {
        Some(true.into())
    } else if about(&["string"]) {
        Some("".into())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn described_values_and_gaps_are_read() {
        let text = "## Response
```json
{
  \"message\": (required, string) 'ok' if all went well,
  \"cars\" : [
    {
      \"plate\": (string) what it is called by
      \"seen\": (ISO 8601 string) when, and where,
      \"seats\": (integer) how many,
    },
    ...
  ]
}
```";
        let car = json!({"plate": "", "seen": TIME, "seats": 0});
        assert_eq!(sample(text), Some(json!({"message": "", "cars": [car]})));
    }

    #[test]
    fn json_is_read_as_it_is() {
        let text = "```\n{\"cars\": [{\"id\": \"a-1\", \"at\": \"2022-01-09 19:00\", \"seats\": 4}, null], \"n\": \"integer\"}\n```";
        let cars = json!([{"id": "a-1", "at": "2022-01-09 19:00", "seats": 4}]);
        assert_eq!(sample(text), Some(json!({"cars": cars, "n": 0})));
    }

    #[test]
    fn requests_and_broken_samples_are_not_read() {
        for text in [
            "The request: ```{\"id\": 1}```",
            "No block {\"id\": 1}",
            "```\n{\"id\": [",
            "```\nGET /cars\n```",
            "```é{\"a",
        ] {
            assert_eq!(sample(text), None, "{text}");
        }
        let deep = format!("```{}```", "[".repeat(100_000));
        assert_eq!(sample(&deep), None);
    }
}
