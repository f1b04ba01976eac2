//! The signs of an error or of an incomplete response beside the records: `success`, `status`,
//! `code`, `error`, `message`, `warnings`.

use serde_json::Value;

use super::Says;
use super::values::{clean, flag, is_nothing, shown};

/// The kind of a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// A flag that is false if an error occurred.
    Success,
    /// A word or an HTTP status.
    Status,
    /// A word.
    State,
    /// A code, which is 0, an HTTP status or a word.
    Code,
    /// A code that only errors have.
    ErrorCode,
    Error,
    Message,
    /// A text that, without records, says why there are none.
    Reason,
    Warning,
    /// What failed, or how much of it.
    Failed,
}

/// Parts of words that name an error.
const ERRORS: [&str; 24] = [
    "abort",
    "crash",
    "denied",
    "error",
    "exception",
    "exceeded",
    "expired",
    "fail",
    "fatal",
    "fault",
    "forbidden",
    "invalid",
    "overload",
    "ratelimit",
    "throttl",
    "timedout",
    "timeout",
    "toomany",
    "tryagain",
    "unauthenticated",
    "unauthori",
    "unavailable",
    "unsuccess",
    "badrequest",
];

/// Parts of messages that say that records are left out.
const OMISSIONS: [&str; 7] = [
    "couldnotbe",
    "incomplete",
    "leftout",
    "limitedto",
    "omitted",
    "partial",
    "truncat",
];

/// Parts of words that name a response which is not complete yet, or never.
const UNREADY: [&str; 11] = [
    "cancel",
    "inprogress",
    "incomplete",
    "initiali",
    "partial",
    "pending",
    "processing",
    "queued",
    "running",
    "truncat",
    "waiting",
];

/// Returns the sign that a name stands for; the name has only small letters and digits.
pub(super) fn sign(plain: &str) -> Option<Sign> {
    Some(match plain {
        "ok" | "success" | "succeeded" | "issuccess" | "issuccessful" | "successful" | "isok"
        | "successflag" => Sign::Success,
        "status" | "resultstatus" | "responsestatus" | "requeststatus" => Sign::Status,
        "state" | "result" | "outcome" | "jobstatus" | "jobstate" | "querystatus"
        | "querystate" | "executionstatus" | "executionstate" => Sign::State,
        "code" | "statuscode" | "responsecode" | "resultcode" | "returncode" | "httpcode"
        | "httpstatus" | "httpstatuscode" => Sign::Code,
        "errno" | "errcode" | "retcode" => Sign::ErrorCode,
        "message" | "messages" | "msg" | "statusmessage" | "statustext" | "responsemessage" => {
            Sign::Message
        }
        "warning" | "warnings" | "warningmessage" | "warningmessages" => Sign::Warning,
        "failed" | "failures" | "failure" | "failedcount" | "failurecount" | "failurescount"
        | "numfailed" | "numfailures" | "totalfailed" | "totalfailures" => Sign::Failed,
        "exception" | "exceptions" | "fault" | "faults" | "faultstring" | "faultcode"
        | "hasfailures" | "isfailed" => Sign::Error,
        name if name.contains("error") => return error(name),
        _ => return None,
    })
}

/// Returns the sign of a name that contains `error`.
fn error(name: &str) -> Option<Sign> {
    const BEFORE: [&str; 8] = [
        "no", "include", "ignore", "show", "with", "on", "skip", "without",
    ];
    const BEHIND: [&str; 9] = [
        "url", "uri", "link", "rate", "href", "docs", "budget", "limit", "percent",
    ];
    let other = BEFORE.iter().any(|word| name.starts_with(word))
        || BEHIND.iter().any(|word| name.ends_with(word));
    if other {
        return None;
    }
    Some(match name.ends_with("code") {
        true => Sign::ErrorCode,
        false => Sign::Error,
    })
}

impl Sign {
    /// Returns what the value of such a sign says.
    pub(super) fn says(self, value: &Value) -> Option<Says> {
        match self {
            Sign::Success => success(value),
            Sign::Status => status(value),
            Sign::State => value.as_str().filter(|text| !is_fine(text)).and_then(word),
            Sign::Code => code(value),
            Sign::ErrorCode => error_code(value),
            Sign::Error => wrong(value).map(Says::Error),
            Sign::Message => message(value),
            Sign::Reason => message(value).or_else(|| reason(value)),
            Sign::Warning => warning(value).map(Says::Unclear),
            Sign::Failed => failed(value),
        }
    }
}

fn success(value: &Value) -> Option<Says> {
    match (flag(value), value) {
        (Some(false), _) => Some(Says::Error(shown(value))),
        (Some(true), _) | (None, Value::Null | Value::Number(_)) => None,
        (None, Value::String(text)) if text.trim().is_empty() || is_fine(text) => None,
        (None, Value::String(text)) if names(text, &ERRORS) => Some(Says::Error(shown(value))),
        (None, value) if is_nothing(value) => None,
        (None, value) => Some(Says::Unclear(shown(value))),
    }
}

fn status(value: &Value) -> Option<Says> {
    match value {
        Value::Bool(false) => Some(Says::Suspect("false".to_owned())),
        Value::String(text) if is_fine(text) => None,
        Value::String(text) if number_of(text).is_none() => word(text),
        value => by_number(value),
    }
}

fn code(value: &Value) -> Option<Says> {
    match value {
        Value::String(text) if is_fine(text) => None,
        Value::String(text) if number_of(text).is_none() => word(text),
        value => by_number(value).or_else(|| {
            let number = number(value)?;
            let fine = matches!(number, 0 | 1 | 200..=299);
            (!fine).then(|| Says::Suspect(shown(value)))
        }),
    }
}

fn error_code(value: &Value) -> Option<Says> {
    let fine = match value {
        Value::String(text) => is_fine(text) || number_of(text).is_some_and(is_fine_number),
        value => number(value).is_some_and(is_fine_number) || is_nothing(value),
    };
    (!fine).then(|| Says::Error(shown(value)))
}

fn is_fine_number(number: i64) -> bool {
    matches!(number, 0 | 200..=299)
}

/// Returns what an HTTP status in a body says.
fn by_number(value: &Value) -> Option<Says> {
    match number(value)? {
        400..=599 => Some(Says::Error(shown(value))),
        206 => Some(Says::Incomplete(shown(value))),
        _ => None,
    }
}

fn number(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => number_of(text),
        _ => None,
    }
}

/// Returns the number at the beginning of a text: `404 Not Found`.
fn number_of(text: &str) -> Option<i64> {
    text.split_whitespace().next()?.parse().ok()
}

/// Returns what the word of a status says.
fn word(text: &str) -> Option<Says> {
    let letters = letters(text);
    let is = |words: &[&str]| words.contains(&letters.as_str());
    if is(&["ko", "nok", "notok", "nak"]) || names(text, &ERRORS) && !letters.starts_with("no") {
        return Some(Says::Error(clean(text)));
    }
    let unready = names(text, &UNREADY) || is(&["accepted", "started", "scheduled", "submitted"]);
    unready.then(|| Says::Incomplete(clean(text)))
}

/// Returns what a message says: an error or an omission is named in words, so that it is a doubt.
fn message(value: &Value) -> Option<Says> {
    match value {
        Value::String(text) => {
            let none = ["noerror", "0error", "withouterror", "nofail", "withoutfail"];
            let named = names(text, &ERRORS) || names(text, &OMISSIONS) || speaks_of_limit(text);
            (named && !names(text, &none)).then(|| Says::Unclear(clean(text)))
        }
        // Objects may be records: messages of a chat.
        Value::Array(items) => {
            let texts = items.iter().filter(|item| item.is_string());
            texts.into_iter().find_map(message)
        }
        _ => None,
    }
}

/// Returns what a text says that may be the reason why there are no records.
fn reason(value: &Value) -> Option<Says> {
    let text = value.as_str()?;
    let letters = letters(text);
    let none = ["nothing", "none", "empty", "zero"].iter();
    let none = none.chain(&[
        "noresult", "norecord", "norow", "noitem", "nodata", "nomatch",
    ]);
    let fine = is_fine(text) || none.into_iter().any(|part| letters.contains(part));
    (!fine).then(|| Says::Suspect(clean(text)))
}

/// Returns whether a text says that the API sends only a part: `Only the first 13 results are shown`.
pub(super) fn speaks_of_limit(text: &str) -> bool {
    const CUTS: [&str; 6] = [
        "throttl", "truncat", "exceed", "omitted", "exhaust", "capped",
    ];
    const SHOWN: [&str; 8] = [
        "shown",
        "showing",
        "shows",
        "returned",
        "returning",
        "displayed",
        "displaying",
        "included",
    ];
    const ROWS: [&str; 7] = [
        "results",
        "rows",
        "records",
        "items",
        "entries",
        "matches",
        "documents",
    ];
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).take(80).collect();
    let denied = |at: usize| {
        let before = words.iter().take(at).rev().take(2);
        before
            .into_iter()
            .any(|word| ["no", "not", "never", "without"].contains(word))
    };
    let behind = |at: usize| words.iter().skip(at.saturating_add(1)).take(4);
    let near = |at: usize, then: &[&str]| behind(at).any(|word| then.contains(word));
    let next = |at: usize, then: &[&str]| behind(at).take(1).any(|word| then.contains(word));
    let number = |at: usize| behind(at).take(1).any(|word| word.parse::<u64>().is_ok());
    // A limit of the length of a page is none of the list.
    let of_page = lower.contains("per page") || lower.contains("page size");
    words.iter().enumerate().any(|(at, word)| {
        let cut = match *word {
            "rate" => next(at, &["limit", "limits", "limited", "limiting"]),
            "call" | "request" => next(at, &["frequency"]),
            "too" => next(at, &["many"]),
            "not" => next(at, &["all"]),
            "limited" => next(at, &["to"]) && !of_page,
            "limit" => next(at, &["of", "reached"]) && !of_page,
            "maximum" => next(at, &["of"]) && !of_page,
            "only" => near(at, &["first", "top"]) || near(at, &SHOWN),
            "first" | "top" => number(at) && near(at, &ROWS),
            word if SHOWN.contains(&word) => near(at, &["only", "top"]),
            word => CUTS.iter().any(|cut| word.starts_with(cut)),
        };
        cut && !denied(at)
    })
}

/// Returns the words of a warning; that something is deprecated says nothing about the records.
fn warning(value: &Value) -> Option<String> {
    let about_rows = |text: &str| !names(text, &["deprecat", "sunset"]) && !is_fine(text);
    match value {
        Value::String(text) => (!text.trim().is_empty() && about_rows(text)).then(|| clean(text)),
        Value::Array(items) => items.iter().find_map(warning),
        Value::Object(_) => {
            let text = value.to_string();
            (!is_nothing(value) && about_rows(&text)).then(|| clean(&text))
        }
        Value::Number(_) | Value::Bool(true) if !is_nothing(value) => Some(shown(value)),
        _ => None,
    }
}

fn failed(value: &Value) -> Option<Says> {
    let fine = match value {
        Value::String(text) => is_fine(text),
        value => is_nothing(value),
    };
    (!fine && flag(value) != Some(false)).then(|| Says::Incomplete(shown(value)))
}

/// Returns the message of an error, if the value is one.
fn wrong(value: &Value) -> Option<String> {
    if is_nothing(value) || flag(value) == Some(false) {
        return None;
    }
    let words = match value {
        Value::String(text) if is_fine(text) => return None,
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => {
            let inner = value.pointer("/0").unwrap_or(value);
            let message = ["message", "detail", "title", "code"]
                .iter()
                .find_map(|key| inner.get(key)?.as_str());
            message.map_or_else(|| inner.to_string(), str::to_owned)
        }
        value => value.to_string(),
    };
    let words = clean(&words);
    (!words.trim().is_empty()).then_some(words)
}

/// Returns whether a text says that all is well.
fn is_fine(text: &str) -> bool {
    let letters = letters(text);
    matches!(
        letters.as_str(),
        "" | "ok"
            | "okay"
            | "success"
            | "succeeded"
            | "successful"
            | "successfully"
            | "none"
            | "no"
            | "null"
            | "noerror"
            | "noerrors"
            | "false"
            | "complete"
            | "completed"
            | "done"
            | "fine"
            | "200ok"
            | "00"
            | "000"
            | "0000"
            | "00000"
    )
}

/// Returns whether a text contains one of these parts.
fn names(text: &str, parts: &[&str]) -> bool {
    let letters = letters(text);
    parts.iter().any(|part| letters.contains(part))
}

/// Returns the letters and digits of the beginning of a text, in lower case.
fn letters(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).take(300).collect()
}
