//! What a name says by its words, if it is not one of the usual names of a statement.

use serde_json::Value;

use super::faults::Sign;
use super::spelled;
use super::values::{Counted, clean, count, counted_by, flag, is_nothing, remains, shown};
use super::vocabulary::*;
use super::words::{Hint, Word, bare, noun, plain, usual};
use super::{Says, faults};

/// Returns what a name means, by the whole of it or by its words.
pub(super) fn word(name: &str) -> Option<Word> {
    let bare = bare(name);
    let named = |name: &str| noun(&plain(name)).map(|_| Word::Named);
    usual(name)
        .or_else(|| by_words(bare))
        .or_else(|| named(name).or_else(|| named(bare)))
}

/// Returns what a name means by its words.
fn by_words(name: &str) -> Option<Word> {
    let words = spelled::words(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // The usual names, with another spelling of their words.
    let joined = words.concat();
    if !joined.is_empty()
        && let Some(word) = usual(&joined)
        && joined != plain(name)
    {
        return Some(word);
    }
    Name(&words).word()
}

/// The words of a name.
#[derive(Clone, Copy)]
struct Name<'a>(&'a [&'a str]);

impl Name<'_> {
    fn word(self) -> Option<Word> {
        if self.0 == ["skip", "token"] {
            return Some(Word::Token);
        }
        if self.begins(WANTED) {
            return None;
        }
        let more = || self.more().map(Word::Hint);
        let rest = || {
            self.cut()
                .or_else(|| self.absent())
                .or_else(|| self.state())
        };
        let found = more().or_else(|| self.end().or_else(rest).map(Word::Hint));
        let counts = || self.total().or_else(|| self.left());
        let texts = || self.text().or_else(|| self.token());
        found
            .or_else(counts)
            .or_else(texts)
            .or_else(|| self.other())
    }

    fn has(self, words: &[&str]) -> bool {
        self.0.iter().any(|word| words.contains(word))
    }

    fn begins(self, words: &[&str]) -> bool {
        self.0.first().is_some_and(|word| words.contains(word))
    }

    fn ends(self, words: &[&str]) -> bool {
        self.0.last().is_some_and(|word| words.contains(word))
    }

    /// Returns whether it consists of these words alone.
    fn is_of(self, words: &[&[&str]]) -> bool {
        self.0
            .iter()
            .all(|word| words.iter().any(|words| words.contains(word)))
    }

    /// `moreComing`, `additional_pages`, `hasNextResultSet`.
    fn more(self) -> Option<Hint> {
        let more = self.has(MORE);
        let next = self.has(NEXT) && self.has(&["has", "is", "exists", "available"]);
        if !more && !next || self.has(QUOTA) {
            return None;
        }
        let about_list = self.is_of(&[MORE, NEXT, FILLS, ROWS, PAGES, COMES, LEFT]);
        Some(if about_list {
            Hint::More
        } else {
            Hint::MayBeMore
        })
    }

    /// `end_of_stream`, `fully_loaded`, `eof`.
    fn end(self) -> Option<Hint> {
        let of_list = self.has(ENDS) && self.is_of(&[ENDS, ENDING, FILLS, ROWS, PAGES]);
        (of_list || self.has(EOF)).then_some(Hint::End)
    }

    /// `limited`, `max_hits_reached`, `tooManyResults`.
    fn cut(self) -> Option<Hint> {
        let cut = self.has(CUT) && self.is_of(&[CUT, FILLS, ROWS, PAGES, &["off", "down"]]);
        let reached = self.has(REACHED) && self.has(LIMITS);
        let many = self.has(&["too"]) && self.has(&["many"]);
        (cut || reached || many).then_some(Hint::Cut)
    }

    /// `unreachable`, `omitted_count`, `permission_filtered`.
    fn absent(self) -> Option<Hint> {
        if self.has(FIELDS) || !self.has(ABSENT) && !self.has(HIDDEN) {
            return None;
        }
        Some(if self.has(ABSENT) {
            Hint::Absent
        } else if self.has(&["skipped"]) {
            Hint::Skipped
        } else if self.has(&["redacted", "suppressed"]) || self.has(RIGHTS) {
            Hint::Redacted
        } else if self.has(&["filtered"]) && !self.has(&["out"]) {
            Hint::Filtered
        } else {
            Hint::Hidden
        })
    }

    /// `stale`, `is_ready`, `retry_after`.
    fn state(self) -> Option<Hint> {
        if self.0 == ["retry", "after"] || self.0 == ["retry", "in"] {
            return Some(Hint::Retry);
        }
        if self.0 == ["rate", "limited"] || self.0 == ["is", "rate", "limited"] {
            return Some(Hint::Bad);
        }
        let states = [BAD, GOOD, FILLS, ROWS, SERVED, HOLD];
        match self.is_of(&states) {
            true if self.has(BAD) => Some(Hint::Bad),
            true if self.has(GOOD) => Some(Hint::Good),
            _ => None,
        }
    }

    /// `numberMatched`, `found_posts`, `totalPaginas`.
    fn total(self) -> Option<Word> {
        if self.has(QUOTA) || self.has(WANTED) {
            return None;
        }
        let pages = self.has(PAGES) && (self.has(SUMS) || self.has(NUMBERS));
        if pages && self.is_of(&[SUMS, NUMBERS, PAGES, FILLS]) {
            return Some(Word::Pages);
        }
        if self.has(OF_PAGE) {
            return None;
        }
        let counts = self.is_of(&[SUMS, MATCHED, NUMBERS, ROWS, JOINS]);
        let certain = self.has(SUMS) || self.has(NUMBERS) && self.has(&["matched", "matching"]);
        let counted = self.has(NUMBERS) || self.has(ROWS);
        let of_rows = self.has(ROWS) && self.ends(&["count"]);
        let matched = self.has(MATCHED) && counted || of_rows || self.0 == ["matches"];
        let found = self.begins(&["found", "matched", "matching"]) && self.0.len() == 2;
        let held = self.has(HOLD) && self.has(ROWS) && self.has(NUMBERS);
        let hint = match counts && self.0.len() > 1 && certain {
            true => Hint::Total,
            false if counts && matched || found => Hint::Matched,
            false if held && self.is_of(&[HOLD, ROWS, NUMBERS, FILLS]) => Hint::Held,
            false => return None,
        };
        Some(Word::Hint(hint))
    }

    /// `remaining_pages`, `rows_left`.
    fn left(self) -> Option<Word> {
        let rows = self.has(ROWS) || self.has(PAGES);
        let about_list = self.is_of(&[LEFT, ROWS, PAGES, NUMBERS, FILLS]);
        (self.has(LEFT) && rows && about_list).then_some(Word::Hint(Hint::More))
    }

    /// `detail`, `status_note`, `exceptionMessage`.
    fn text(self) -> Option<Word> {
        let sign = match self {
            name if name.has(&["exception"]) => Sign::Error,
            name if name.0 == ["reason"] => Sign::Warning,
            name if name.ends(REASONS) => Sign::Reason,
            name if name.ends(NOTES) || name.ends(&["message"]) => Sign::Message,
            _ => return None,
        };
        Some(Word::Fault(sign))
    }

    /// `last_key`, `$skipToken`, `next_chunk_index`, `after`.
    fn token(self) -> Option<Word> {
        if self.0 == ["after"] {
            return Some(Word::Hint(Hint::After));
        }
        if self.has(OTHER) || self.has(QUOTA) {
            return None;
        }
        let next = self.begins(NEXT) || self.ends(NEXT) && self.has(PAGES);
        let leads = next && (self.has(PLACES) || self.has(PAGES));
        let token = self.ends(TOKENS) && self.has(ONWARD);
        let cursor = self.ends(CURSORS);
        (leads || token || cursor).then_some(Word::Token)
    }

    /// `sources`, and records under another name.
    fn other(self) -> Option<Word> {
        const RECORDS: [&str; 7] = [
            "data", "items", "results", "records", "entries", "elements", "objects",
        ];
        match self.0 {
            [.., last] if SOURCES.contains(last) => Some(Word::Hint(Hint::Sources)),
            [name] if RECORDS.contains(name) => Some(Word::Hint(Hint::Records)),
            _ => None,
        }
    }
}

impl Hint {
    /// Returns whether a header of such a name is a statement.
    pub(super) fn is_of_headers(self) -> bool {
        matches!(
            self,
            Hint::More | Hint::Cut | Hint::Absent | Hint::Total | Hint::Held | Hint::After
        )
    }

    /// Returns what a value under such a name says.
    pub(super) fn says(self, value: &Value) -> Option<Says> {
        let unfinished = || Some(Says::Unfinished(shown(value)));
        let unclear = || Some(Says::Unclear(shown(value)));
        let on = flag(value) == Some(true);
        match self {
            // That nothing follows is believed only under the usual names.
            Hint::More if remains(value) == Some(true) => Some(Says::More(true)),
            Hint::MayBeMore if is_literal(value, true) => unfinished(),
            Hint::End if is_literal(value, false) => unfinished(),
            Hint::Cut if on => unfinished(),
            Hint::Bad if is_literal(value, true) => unclear(),
            Hint::Good if is_literal(value, false) => unclear(),
            Hint::Retry if remains(value).unwrap_or(value.is_string() && !is_nothing(value)) => {
                unclear()
            }
            Hint::Absent if is_left_out(value) || is_literal(value, true) => {
                Some(Says::Incomplete(shown(value)))
            }
            Hint::Hidden | Hint::Redacted if is_left_out(value) && !value.is_object() => unclear(),
            Hint::Redacted if is_literal(value, true) => unclear(),
            Hint::Skipped => match counted_by(value) {
                Some(Counted::Exactly(rows)) => Some(Says::Skipped(rows)),
                _ => (value.is_array() && is_left_out(value)).then(|| Says::Unclear(shown(value))),
            },
            Hint::Filtered => match counted_by(value) {
                Some(Counted::Exactly(rows)) => Some(Says::Count(rows)),
                _ => (value.is_array() && is_left_out(value)).then(|| Says::Unclear(shown(value))),
            },
            Hint::Sources => failing(value).map(Says::Unclear),
            Hint::Total | Hint::Matched | Hint::Held => match counted_by(value) {
                Some(Counted::Exactly(rows)) => Some(match self {
                    Hint::Total => Says::Total(rows),
                    Hint::Matched => Says::Count(rows),
                    _ => Says::Named(rows),
                }),
                Some(Counted::AtLeast(least)) => Some(Says::AtLeast(least)),
                _ => None,
            },
            Hint::After => match value {
                Value::String(text) if !text.trim().is_empty() && !is_date(text) => {
                    Some(Says::MayLead(clean(text)))
                }
                Value::Number(_) if remains(value) == Some(true) => {
                    Some(Says::MayLead(shown(value)))
                }
                _ => None,
            },
            Hint::Records => records(value),
            _ => None,
        }
    }
}

/// Returns whether a value is this literal, or its text; numbers are none, since they may be a
/// setting.
fn is_literal(value: &Value, wanted: bool) -> bool {
    match value {
        Value::Bool(flag) => *flag == wanted,
        Value::String(text) => {
            text.trim()
                .eq_ignore_ascii_case(if wanted { "true" } else { "false" })
        }
        _ => false,
    }
}

/// Returns whether a value is a number above 0, or a list or an object of something.
fn is_left_out(value: &Value) -> bool {
    match value {
        Value::Number(_) | Value::String(_) => match counted_by(value) {
            Some(Counted::Exactly(rows)) => rows > 0,
            Some(Counted::AtLeast(_)) => true,
            _ => false,
        },
        Value::Array(_) | Value::Object(_) => !is_nothing(value),
        _ => false,
    }
}

/// Returns the first part of an API whose state is a failure.
fn failing(value: &Value) -> Option<String> {
    let parts = value.as_array()?.iter().filter_map(Value::as_object);
    let mut failing = parts.filter(|part| {
        let mut said = part.iter().filter_map(|(key, value)| match usual(key)? {
            Word::Fault(sign @ (Sign::Success | Sign::Error)) => sign.says(value),
            _ => None,
        });
        said.any(|says| matches!(says, Says::Error(_)))
    });
    let part = failing.next()?;
    Some(clean(&Value::Object(part.clone()).to_string()))
}

/// Returns whether a text is a date or a time, which a request may have had as a filter.
fn is_date(text: &str) -> bool {
    let of_date = |c: char| c.is_ascii_digit() || "-:.+TZ/ ".contains(c);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 6 && text.contains('-') && text.chars().all(of_date)
}

/// Returns what a value says under a usual name of records: their number, or that they are here. Of
/// a long list only the beginning is known, as a text.
fn records(value: &Value) -> Option<Says> {
    match value {
        Value::Number(_) => match counted_by(value)? {
            Counted::Exactly(rows) => Some(Says::Named(rows)),
            _ => None,
        },
        Value::Array(items) if items.first().is_some_and(Value::is_object) => Some(Says::Elsewhere),
        Value::String(text) => {
            let inner = text.trim_start().strip_prefix('[')?;
            inner
                .trim_start()
                .starts_with('{')
                .then_some(Says::Elsewhere)
        }
        _ => None,
    }
}

/// Returns what a text under an unknown name says.
pub(super) fn text(name: &str, value: &Value) -> Option<Says> {
    const QUIET: &[&str] = &[
        "license",
        "licence",
        "copyright",
        "attribution",
        "terms",
        "legal",
        "disclaimer",
        "about",
        "description",
        "documentation",
        "docs",
        "doc",
        "help",
        "link",
        "url",
        "uri",
        "href",
        "name",
        "query",
        "filter",
        "search",
        "q",
        "id",
        "kind",
        "type",
    ];
    let text = value.as_str()?;
    let words = spelled::words(name);
    let quiet = words.iter().any(|word| QUIET.contains(&word.as_str()));
    let prose = text.split_whitespace().nth(2).is_some();
    (prose && !quiet && faults::speaks_of_limit(text)).then(|| Says::Unclear(clean(text)))
}

/// Returns the number at the end of a range of rows, `items 0-12/53`, or that it has no number.
pub(super) fn range(text: &str) -> Option<Says> {
    let (range, total) = text.rsplit_once('/')?;
    if let Some(total) = count(total) {
        return Some(Says::Total(total));
    }
    let open = total.trim() == "*" && range.bytes().any(|byte| byte.is_ascii_digit());
    open.then(|| Says::Part(clean(text)))
}
