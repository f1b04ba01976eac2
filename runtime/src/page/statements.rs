//! The statements of one response about its list: totals, numbers of pages, flags, tokens and
//! links, under any of their usual names, in the body and in the headers, whether or not the
//! document declares them.

mod words;

use etlgen_model::{ResponsePath, Total};
use reqwest::header::HeaderMap;

use self::words::{HOLDERS, Word, plain, word};
use super::paginator::Pager;
use crate::http::next_link;
use crate::record::beside::{Beside, Interest, listen};

/// The meaning of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Says {
    /// All pages together have this many items.
    Total(u64),
    /// All pages together, or this one, have this many items.
    Count(u64),
    /// There are this many pages.
    Pages(u64),
    /// More pages follow, or none do.
    More(bool),
    /// There is a token or a link to the next page.
    Next,
    /// There is no token or link to the next page.
    NoNext,
    /// An error occurred; the text is the API's.
    Error(String),
    /// The response is incomplete.
    Incomplete,
    /// The list is not complete yet: a flag such as `done` is false. Other records have such flags
    /// too, so only that of the last page counts.
    Unfinished,
}

/// One statement of a response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    pub says: Says,
    /// The path or header that makes it: `meta.total`, `X-Total-Count`.
    pub place: String,
    /// Whether the paginator names it.
    pub declared: bool,
}

/// All statements of one response.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Statements(pub Vec<Statement>);

/// Returns what to read of a key beside the records.
pub(crate) fn hears(key: &str) -> Interest {
    let name = plain(key);
    let word = word(&name);
    Interest {
        value: word.is_some_and(|word| word != Word::Idle),
        within: HOLDERS.contains(&name.as_str()),
        alone: word
            .is_some_and(|word| !matches!(word, Word::Error | Word::Incomplete | Word::Done))
            || HOLDERS.contains(&name.as_str()),
    }
}

impl Statement {
    /// Returns whether the number may be an index from 0, so that 1 is the second page.
    pub fn may_count_from_0(&self) -> bool {
        let last = self
            .place
            .rsplit(['.', '-', ' '])
            .next()
            .unwrap_or_default();
        word(&plain(last)) == Some(Word::LastPage)
    }
}

impl Statements {
    /// Collects the statements of these values beside the records, and of these headers.
    pub fn of(beside: &[Beside], headers: &HeaderMap) -> Self {
        let mut statements = Statements::default();
        for value in beside {
            statements.beside(value, value.path.clone());
        }
        for (name, value) in headers {
            let Ok(value) = value.to_str() else { continue };
            statements.header(name.as_str(), value);
        }
        statements
    }

    fn header(&mut self, name: &str, value: &str) {
        match name {
            "link" => {
                if next_link(value).is_some() {
                    self.say(Says::Next, "the header Link");
                }
                return;
            }
            "content-range" if !value.trim_start().starts_with("bytes") => {
                let total = value.rsplit_once('/').and_then(|(_, total)| count(total));
                if let Some(total) = total {
                    self.say(Says::Total(total), "the header Content-Range");
                }
                return;
            }
            "x-pagination" | "pagination" => {
                for value in listen(value, hears) {
                    let place = format!("{} in the header {name}", value.path);
                    self.beside(&value, place);
                }
                return;
            }
            _ => {}
        }
        let heads = ["x-wp-", "x-pagination-", "pagination-", "x-list-", "x-"];
        let bare = heads.iter().find_map(|head| name.strip_prefix(head));
        let known = bare.or_else(|| name.starts_with("total-").then_some(name));
        let Some(bare) = known.filter(|bare| !matches!(*bare, "error" | "after" | "last")) else {
            return;
        };
        // A header is text: a value that is not a JSON literal becomes a string.
        let json = match value.trim() {
            "" => "null".to_owned(),
            text if text.parse::<f64>().is_ok() || matches!(text, "true" | "false") => {
                text.to_owned()
            }
            text => serde_json::Value::from(text).to_string(),
        };
        self.value(bare, &json, format!("the header {name}"));
    }

    fn beside(&mut self, value: &Beside, place: String) {
        let (holder, key) = value.path.split_at(value.key_at);
        // Every page has positions of its first and last record, and may repeat a filter: neither
        // is a token.
        let holder = plain(holder);
        let token = !holder.is_empty() && !holder.ends_with("cursors");
        if token || plain(key) != "after" {
            self.value(key, &value.json, place);
        }
    }

    /// Adds what the value of a key states; `place` is its name in messages.
    fn value(&mut self, key: &str, json: &str, place: String) {
        let Some(word) = word(&plain(key)) else {
            return;
        };
        let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
        let says = match word {
            Word::Total => number(&value).map(Says::Total),
            Word::Count => number(&value).map(Says::Count),
            Word::Pages => number(&value).map(Says::Pages),
            Word::LastPage => match flag(&value) {
                Some(last) => Some(Says::More(!last)),
                None => number(&value).map(Says::Pages),
            },
            Word::More => match &value {
                serde_json::Value::Number(number) => number.as_f64().map(|n| Says::More(n != 0.0)),
                value => flag(value).map(Says::More),
            },
            Word::Last => flag(&value).map(|last| Says::More(!last)),
            Word::Next => leads(&value).map(|leads| if leads { Says::Next } else { Says::NoNext }),
            Word::Error => wrong(&value).map(Says::Error),
            Word::Incomplete => (flag(&value) == Some(true)).then_some(Says::Incomplete),
            Word::Done => (flag(&value) == Some(false)).then_some(Says::Unfinished),
            Word::Idle => None,
        };
        if let Some(says) = says {
            self.say(says, place);
        }
    }

    fn say(&mut self, says: Says, place: impl Into<String>) {
        self.0.push(Statement {
            says,
            place: place.into(),
            declared: false,
        });
    }

    /// Replaces the statements that the paginator declares, so that each counts once, as declared.
    pub fn declare(&mut self, paginator: &Pager, total: Option<u64>, more: Option<bool>) {
        let mut add = |says: Says, place: String| {
            self.0.retain(|said| said.place != place);
            self.0.push(Statement {
                says,
                place,
                declared: true,
            });
        };
        match paginator.total().zip(total) {
            Some((Total::Items(at), count)) => add(Says::Total(count), place(at)),
            Some((Total::Pages(at), count)) => add(Says::Pages(count), place(at)),
            Some((Total::Ignored, _)) | None => {}
        }
        if let Some((path, more)) = paginator.more().zip(more) {
            add(Says::More(more), path.to_owned());
        }
        // The total of the filtered records takes precedence over the total of all.
        if self
            .0
            .iter()
            .any(|said| said.place.ends_with("recordsFiltered"))
        {
            self.0
                .retain(|said| !said.place.ends_with("recordsTotal") || said.declared);
        }
    }

    /// Removes all counts.
    pub fn without_counts(&mut self) {
        self.0
            .retain(|said| !matches!(said.says, Says::Total(_) | Says::Count(_) | Says::Pages(_)));
    }

    /// Returns the first statement that `of` accepts.
    pub fn find<'a, T>(
        &'a self,
        of: impl Fn(&'a Statement) -> Option<T>,
    ) -> Option<(T, &'a Statement)> {
        self.0
            .iter()
            .find_map(|said| of(said).map(|found| (found, said)))
    }

    pub fn has(&self, says: &Says) -> bool {
        self.0.iter().any(|said| said.says == *says)
    }

    /// Returns whether more follows: declared flags take precedence over others, and `true` over
    /// `false`.
    pub fn more(&self) -> Option<(bool, &Statement)> {
        let flags = self.0.iter().filter_map(|said| match said.says {
            Says::More(more) => Some((more, said)),
            _ => None,
        });
        flags.max_by_key(|(more, said)| (said.declared, *more))
    }

    /// Returns a token or a link to the next page.
    pub fn leads(&self) -> Option<&Statement> {
        self.0.iter().find(|said| said.says == Says::Next)
    }
}

/// Returns a place of a response in a message: `` `meta.total` ``, `` the header `x-total` ``.
pub(super) fn quoted(place: &str) -> String {
    match place.split_once("the header ") {
        Some(("", name)) => format!("the header `{name}`"),
        Some((path, name)) => match path.strip_suffix(" in ") {
            Some(path) => format!("`{path}` in the header `{name}`"),
            None => format!("`{place}`"),
        },
        None => format!("`{place}`"),
    }
}

/// Returns the name of a path of a response in messages.
fn place(at: &ResponsePath) -> String {
    match at {
        ResponsePath::Header(name) => format!("the header {}", name.to_ascii_lowercase()),
        ResponsePath::Body(path) => path.clone(),
    }
}

/// Parses a count, which is a non-negative integer.
pub(super) fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    text.parse::<u64>().ok().or_else(|| {
        let number = text.parse::<f64>().ok()?;
        (number >= 0.0 && number.fract() == 0.0 && number < 1e18).then_some(number as u64)
    })
}

fn number(value: &serde_json::Value) -> Option<u64> {
    match value {
        serde_json::Value::Number(number) => count(&number.to_string()),
        serde_json::Value::String(text) => count(text),
        _ => None,
    }
}

fn flag(value: &serde_json::Value) -> Option<bool> {
    match value {
        serde_json::Value::Bool(flag) => Some(*flag),
        serde_json::Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        serde_json::Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Returns whether the value of a token or a link leads to a next page; `None` if that is unknown.
fn leads(value: &serde_json::Value) -> Option<bool> {
    use serde_json::Value;
    Some(match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => {
            let mut values = object.values();
            values.any(|value| match value {
                Value::String(text) => !text.is_empty(),
                Value::Number(_) => true,
                _ => false,
            })
        }
    })
}

/// Returns the message of an error, if the value is one.
fn wrong(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    let words = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => return None,
        Value::Object(object) if object.is_empty() => return None,
        Value::Array(_) | Value::Object(_) => {
            let inner = value.pointer("/0").unwrap_or(value);
            let message = ["message", "detail", "title", "code"]
                .iter()
                .find_map(|key| inner.get(key)?.as_str());
            message.map_or_else(|| inner.to_string(), str::to_owned)
        }
        Value::Bool(true) => "true".to_owned(),
        _ => return None,
    };
    let words: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    (!words.trim().is_empty()).then_some(words)
}

#[cfg(test)]
mod tests;
