//! Errors that an API sends with a success status: `{"ok": false, "error": "invalid_auth"}`.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::sent::Sent;

/// Larger bodies are pages.
const LARGEST: usize = 1 << 16;

/// The cause of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The credentials are not, or no longer, valid.
    Credentials,
    /// The credentials are valid, but do not allow this.
    Forbidden,
    RateLimit,
    Other,
}

/// Words of errors, with only letters and digits kept.
const WORDS: [(Cause, &[&str]); 3] = [
    (
        Cause::RateLimit,
        &[
            "ratelimit",
            "toomanyrequests",
            "throttl",
            "quotaexceeded",
            "requestlimit",
            "limitexceeded",
        ],
    ),
    (
        Cause::Credentials,
        &[
            "invalidauth",
            "notauthed",
            "noauth",
            "unauthorized",
            "unauthorised",
            "unauthenticated",
            "notauthenticated",
            "authenticationrequired",
            "authenticationfailed",
            "invalidtoken",
            "invalidaccesstoken",
            "tokenexpired",
            "expiredtoken",
            "tokenrevoked",
            "accountinactive",
            "invalidapikey",
            "apikeyinvalid",
            "invalidkey",
            "badcredentials",
            "invalidcredentials",
        ],
    ),
    (
        Cause::Forbidden,
        &[
            "forbidden",
            "accessdenied",
            "permissiondenied",
            "notauthorized",
            "missingscope",
            "notallowed",
        ],
    ),
];

/// The keys that a response may have if it contains nothing but an error.
const ENVELOPE: [&str; 30] = [
    "ok",
    "success",
    "succeeded",
    "status",
    "error",
    "errors",
    "message",
    "messages",
    "msg",
    "code",
    "error_code",
    "errorcode",
    "error_message",
    "errormessage",
    "error_description",
    "error_type",
    "errortype",
    "statuscode",
    "status_code",
    "type",
    "title",
    "detail",
    "details",
    "description",
    "reason",
    "request_id",
    "requestid",
    "trace_id",
    "traceid",
    "timestamp",
];

/// Returns the cause of the error in a response with a success status; `None` if the body is not an
/// error.
///
/// The body is an error if it says so (`ok` is false, `error` or `errors` are not empty, `status`
/// is `error`) and contains nothing else: the reader judges a response with records.
///
/// A word that repeats one of the request, which sent these, says nothing.
pub(crate) fn error(body: &[u8], sent: &Sent) -> Option<Cause> {
    if body.len() > LARGEST || body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return None;
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let says_so = reader.deserialize_map(Envelope { sent }).ok()? && reader.end().is_ok();
    says_so.then(|| cause(body))
}

/// Returns the cause that the words of an error indicate.
pub(super) fn cause(body: &[u8]) -> Cause {
    let body = body.get(..body.len().min(LARGEST)).unwrap_or_default();
    let text = String::from_utf8_lossy(body).to_lowercase();
    let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let said = |words: &[&str]| words.iter().any(|word| letters.contains(word));
    let by_words = WORDS
        .iter()
        .find(|(_, words)| said(words))
        .map(|(cause, _)| *cause);
    by_words.unwrap_or_else(|| by_code(body))
}

/// Returns the cause that the code of an error indicates, if it is the status that the response
/// should have had.
fn by_code(body: &[u8]) -> Cause {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let codes = [
        "/code",
        "/error/code",
        "/status",
        "/error/status",
        "/status_code",
        "/statusCode",
        "/error_code",
    ];
    let code = |pointer: &&str| match json.pointer(pointer)? {
        Value::String(text) => text.parse().ok(),
        value => value.as_u64(),
    };
    match codes.iter().find_map(code) {
        Some(401) => Cause::Credentials,
        Some(403) => Cause::Forbidden,
        Some(429) => Cause::RateLimit,
        _ => Cause::Other,
    }
}

/// Decides whether an object contains an error and nothing else. It stops at the first other key
/// with a value, which is the first key of most pages.
struct Envelope<'a> {
    sent: &'a Sent,
}

impl<'de> Visitor<'de> for Envelope<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an error")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let (mut says_so, mut flags, mut lists) = (false, false, false);
        while let Some(Key(key)) = map.next_key()? {
            let key = key.to_ascii_lowercase();
            let key = key.as_str();
            if !ENVELOPE.contains(&key) {
                let nothing: Nothing = map.next_value()?;
                flags |= nothing == Nothing::Flag;
                lists |= nothing == Nothing::List;
                continue;
            }
            let value: Value = map.next_value()?;
            if self.sent.is_repeated_by(key, &value) {
                continue;
            }
            says_so |= match key {
                "ok" | "success" | "succeeded" => is_false(&value),
                "error" | "errors" => holds_something(&value),
                "status" => ["error", "fail", "failed", "failure"].iter().any(|word| {
                    value
                        .as_str()
                        .is_some_and(|text| text.eq_ignore_ascii_case(word))
                }),
                _ => false,
            };
        }
        // Beside an empty list, 0 and `false` count the records; elsewhere they are values of one.
        Ok(says_so && (lists || !flags))
    }
}

fn is_false(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.eq_ignore_ascii_case("false"),
        _ => false,
    }
}

fn holds_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Number(number) => number.as_i64() != Some(0),
        Value::Bool(true) => true,
    }
}

struct Key<'de>(Cow<'de, str>);

impl<'de> de::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(text.into()))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(text.to_owned().into()))
            }
        }
        from.deserialize_str(Text)
    }
}

/// An empty value. Anything else is an error.
#[derive(PartialEq)]
enum Nothing {
    /// Null, or an empty object.
    None,
    /// `false`, 0 or `""`.
    Flag,
    /// An empty list.
    List,
}

fn something<E: de::Error>() -> E {
    E::custom("something")
}

impl<'de> de::Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Kind;
        impl<'de> Visitor<'de> for Kind {
            type Value = Nothing;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("nothing")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Nothing, E> {
                Ok(Nothing::None)
            }
            fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Nothing, E> {
                if flag {
                    Err(something())
                } else {
                    Ok(Nothing::Flag)
                }
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Nothing, E> {
                if number > 0 {
                    Err(something())
                } else {
                    Ok(Nothing::Flag)
                }
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Nothing, E> {
                if text.is_empty() {
                    Ok(Nothing::Flag)
                } else {
                    Err(something())
                }
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Nothing, A::Error> {
                match list.next_element::<IgnoredAny>()? {
                    None => Ok(Nothing::List),
                    Some(_) => Err(something()),
                }
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Nothing, A::Error> {
                match map.next_key::<IgnoredAny>()? {
                    None => Ok(Nothing::None),
                    Some(_) => Err(something()),
                }
            }
        }
        from.deserialize_any(Kind)
    }
}

/// Returns whether a body contains records: a non-empty list, or one in an object.
pub(super) fn holds_records(body: &[u8]) -> bool {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let is_list = |value: &Value| value.as_array().is_some_and(|list| !list.is_empty());
    match &json {
        Value::Object(object) => object.values().any(is_list),
        json => is_list(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_holds_only_an_error_is_one() {
        for (body, wanted) in [
            (
                r#"{"ok": false, "error": "invalid_auth"}"#,
                Some(Cause::Credentials),
            ),
            (
                r#"{"ok":false,"error":"missing_scope","needed":null}"#,
                Some(Cause::Forbidden),
            ),
            (
                r#"{"ok": false, "error": "ratelimited"}"#,
                Some(Cause::RateLimit),
            ),
            (
                r#"{"ok": false, "error": "channel_gone"}"#,
                Some(Cause::Other),
            ),
            (
                r#"{"errors": [{"message": "Throttled"}]}"#,
                Some(Cause::RateLimit),
            ),
            (
                r#"{"data": null, "errors": [{"message": "no"}]}"#,
                Some(Cause::Other),
            ),
            (
                r#"{"error": {"code": 401, "message": "who?"}}"#,
                Some(Cause::Credentials),
            ),
            (
                r#"{"status": "error", "message": "Too many requests"}"#,
                Some(Cause::RateLimit),
            ),
            (
                r#"{"success": false, "code": "403", "items": []}"#,
                Some(Cause::Forbidden),
            ),
            // The list is empty, and so is what counts it.
            (
                r#"{"success": false, "data": [], "total": 0, "has_more": false, "next": ""}"#,
                Some(Cause::Other),
            ),
            (
                r#"{"ok": 0, "error": "token_expired", "data": [], "total": 0}"#,
                Some(Cause::Credentials),
            ),
            (r#"{"success": "false", "data": []}"#, Some(Cause::Other)),
            // These are pages and records.
            (
                r#"{"status": "failed", "retries": 0, "message": "x"}"#,
                None,
            ),
            (r#"{"success": false, "data": [], "total": 7}"#, None),
            (r#"{"success": 1, "data": [], "total": 0}"#, None),
            (r#"{"ok": true, "error": null, "items": []}"#, None),
            (r#"{"errors": [], "data": []}"#, None),
            (
                r#"{"errors": [{"message": "one"}], "data": [{"id": 1}]}"#,
                None,
            ),
            (
                r#"{"id": 7, "state": "failed", "error": "disk full"}"#,
                None,
            ),
            (r#"{"message": "hello", "status": "open"}"#, None),
            (r#"{}"#, None),
            (r#"[{"error": "x"}]"#, None),
            ("{\"error\": \"x\"}\n{\"error\": \"y\"}\n", None),
            (r#"{"error": "#, None),
            ("error", None),
            ("", None),
        ] {
            let sent = Sent::default();
            assert_eq!(error(body.as_bytes(), &sent), wanted, "{body}");
        }
    }

    #[test]
    fn records_are_found_in_lists() {
        for (body, wanted) in [
            ("", false),
            ("{}", false),
            ("[]", false),
            (r#"{"items": []}"#, false),
            (r#"{"status": "running"}"#, false),
            (r#"[{"id": 1}]"#, true),
            (r#"{"n": 1, "items": [{"id": 1}]}"#, true),
        ] {
            assert_eq!(holds_records(body.as_bytes()), wanted, "{body}");
        }
    }
}
