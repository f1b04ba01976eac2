//! The statements of one response about its list: totals, numbers of pages, flags, tokens and
//! links, under any of their usual names, in the body and in the headers, whether or not the
//! document declares them.

mod faults;
mod grammar;
mod headers;
mod spelled;
mod values;
mod vocabulary;
mod within;
mod words;

use etlgen_model::{ResponsePath, Total};
use serde_json::Value;

use self::grammar::word;
pub(crate) use self::values::{
    Counted, count, counted_by, flag, is_end_word, is_no_token, remains,
};
use self::values::{bounds, clean, is_nothing, leads, links_on, part, shown};
pub(crate) use self::within::says_within;
pub(super) use self::words::plain;
use self::words::{
    HOLDERS, Hint, LOOSE, NOT_ALONE, OTHERS, Word, is_envelope, is_row, noun, usual,
};
use super::advance::PageFacts;
use super::paginator::Pager;
use crate::http::{Response, Sent};
use crate::record::beside::{Beside, Interest};

/// The meaning of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Says {
    /// All pages together have this many items.
    Total(u64),
    /// All pages together have at least this many items: the API counts no further.
    AtLeast(u64),
    /// The value under the name of a total is this text, which is no count.
    NoCount(String),
    /// All pages together, or this one, have this many items.
    Count(u64),
    /// This page may have this many items.
    OfPage(u64),
    /// There are this many of something that may be the items.
    Named(u64),
    /// There are this many of something, by an object that is not known to describe the list.
    MayCount(u64),
    /// There are this many pages.
    Pages(u64),
    /// A link to the last page has this number.
    LastLink(u64),
    /// More pages follow, or none do.
    More(bool),
    /// There is a token or a link to the next page.
    Next,
    /// There is no token or link to the next page.
    NoNext,
    /// This value may lead to another page.
    MayLead(String),
    /// The totals beside it are lower bounds.
    Bound,
    /// An error occurred; the text is the API's.
    Error(String),
    /// The response is incomplete; the text is the API's.
    Incomplete(String),
    /// This many rows were skipped: those of the pages before, or others.
    Skipped(u64),
    /// The response has this part of the list, whose length the API does not know.
    Part(String),
    /// Records are here, which is not their place.
    Elsewhere,
    /// This value is not understood, and may mean that the response is incomplete.
    Unclear(String),
    /// This value means an error if there are no records.
    Suspect(String),
    /// The list is not complete yet, because of this value: a flag such as `done` is false. Other
    /// pages have such values too, so only that of the last one counts.
    Unfinished(String),
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
    let name = plain(key.rsplit(':').next().unwrap_or(key));
    let (name, word) = (name.as_str(), word(key));
    let within = HOLDERS.contains(&name);
    // An object with other keys may be an error.
    let alone = match usual(key) {
        Some(
            Word::Total
            | Word::Count
            | Word::Pages
            | Word::LastPage
            | Word::More
            | Word::Last
            | Word::Next
            | Word::Offset
            | Word::Size
            | Word::Length
            | Word::Idle,
        ) => true,
        _ => within && !NOT_ALONE.contains(&name),
    };
    Interest {
        value: word.is_some_and(|word| word != Word::Idle),
        text: word.is_none() && !within,
        within,
        alone,
    }
}

impl Statement {
    /// Returns whether the number may be an index from 0, so that 1 is the second page.
    pub fn may_count_from_0(&self) -> bool {
        let last = self.place.rsplit(['.', ' ']).next().unwrap_or_default();
        let bare = last.strip_prefix("x-").unwrap_or(last);
        usual(bare) == Some(Word::LastPage)
    }
}

impl Statements {
    /// Collects the statements of these values beside the records of a response, and of its headers,
    /// about the list of the resource of that name.
    pub fn of(beside: &[Beside], response: &Response, resource: &str) -> Self {
        let mut statements = Statements::default();
        for value in beside {
            statements.beside(value, value.path.clone(), (resource, &response.sent));
        }
        statements.sized(beside);
        statements.headers(response, resource);
        statements
    }

    fn beside(&mut self, beside: &Beside, place: String, (resource, sent): (&str, &Sent)) {
        let (holder, key) = beside.path.split_at(beside.key_at);
        let word = word(key);
        let value: Value = serde_json::from_str(&beside.json).unwrap_or_default();
        // A filter that the response repeats is no state of it.
        let is_state = matches!(
            word,
            None | Some(Word::Fault(_) | Word::Incomplete | Word::Hint(_))
        );
        if is_state && sent.is_repeated_by(key, &value) {
            return;
        }
        let holder = plain(
            holder
                .trim_end_matches('.')
                .rsplit('.')
                .next()
                .unwrap_or_default(),
        );
        if beside.strange {
            if let Some(word) = word {
                self.strange(word, (key, &holder), (&value, place));
            }
            return;
        }
        let Some(word) = word else {
            let of_list = holder.is_empty() || HOLDERS.contains(&holder.as_str());
            if of_list && !LOOSE.contains(&holder.as_str()) {
                let says = grammar::text(key, &value);
                says.into_iter().for_each(|says| self.say(says, &*place));
            }
            return;
        };
        if LOOSE.contains(&holder.as_str()) {
            if let (Word::Total | Word::Count, Some(Counted::Exactly(count))) =
                (word, counted_by(&value))
            {
                self.say(Says::Named(count), place);
            }
            return;
        }
        // Every page has positions of its first and last record.
        if holder == "cursors" && plain(key) == "after" {
            return;
        }
        // It may repeat a filter.
        let word = match holder.is_empty() && plain(key) == "after" {
            true => Word::Hint(Hint::After),
            false => word,
        };
        // Shards count themselves.
        if holder == "shards" && !matches!(word, Word::Fault(_)) {
            return;
        }
        let about = noun(&plain(key)).is_some_and(|noun| is_about(noun, resource));
        if word != Word::Named || about {
            self.value(word, &value, place);
        }
    }

    /// Adds what a value in an object of an unknown name may state: it proves and contradicts nothing.
    /// `holder`: the name of the object, with only letters and digits.
    fn strange(
        &mut self,
        word: Word,
        (key, holder): (&str, &str),
        (value, place): (&Value, String),
    ) {
        if OTHERS.iter().any(|other| plain(&place).contains(other)) {
            return;
        }
        let leads_on = || leads(value) == Some(true) && !value.is_object();
        let counts = || match word {
            Word::Total | Word::Hint(Hint::Total) => true,
            // A count is one of anything, but in what describes a response.
            Word::Count | Word::Hint(Hint::Matched) => is_envelope(holder),
            _ => false,
        };
        let says = match word {
            _ if counts() => match counted_by(value) {
                Some(Counted::Exactly(count)) => Says::MayCount(count),
                _ => return,
            },
            Word::More | Word::Hint(Hint::More) if remains(value) == Some(true) => {
                Says::Unfinished(shown(value))
            }
            Word::Next | Word::Token if plain(key).starts_with("next") && leads_on() => {
                Says::MayLead(shown(value))
            }
            _ => return,
        };
        self.say(says, place);
    }

    /// Adds what a value states; `place` is its name in messages.
    fn value(&mut self, word: Word, value: &Value, place: String) {
        let unclear = || (!is_nothing(value)).then(|| shown(value));
        let says = match word {
            Word::Total => total(value),
            Word::Count => match counted_by(value) {
                Some(Counted::Exactly(count)) => Some(Says::Count(count)),
                Some(Counted::AtLeast(least)) => Some(Says::AtLeast(least)),
                Some(Counted::Unclear(text)) if has_digit(value) => Some(Says::NoCount(text)),
                _ => None,
            },
            Word::Named => match counted_by(value) {
                Some(Counted::Exactly(count)) => Some(Says::Named(count)),
                _ => None,
            },
            Word::Bound => bounds(value).then_some(Says::Bound),
            Word::Pages => pages(value),
            Word::LastPage => match flag(value).filter(|_| !has_digit(value)) {
                Some(last) => Some(Says::More(!last)),
                None => pages(value).filter(|says| matches!(says, Says::Pages(_))),
            },
            Word::More => match remains(value) {
                Some(more) => Some(Says::More(more)),
                None => unclear().map(Says::Unfinished),
            },
            Word::Left => match remains(value) {
                Some(true) => Some(Says::MayLead(shown(value))),
                _ => None,
            },
            Word::Last => last(value, &place),
            Word::Next => leads(value).map(|leads| if leads { Says::Next } else { Says::NoNext }),
            // Objects may hold tokens of all directions.
            Word::Token if value.is_object() && !place.ends_with("Key") => None,
            Word::Token => leads(value)
                .filter(|leads| *leads)
                .map(|_| Says::MayLead(shown(value))),
            Word::Offset => value
                .as_str()
                .filter(|text| !text.is_empty() && count(text).is_none())
                .map(|text| Says::MayLead(clean(text))),
            Word::Page => part(value)
                .filter(|(at, of)| at < of)
                .map(|_| Says::Unfinished(shown(value))),
            Word::Links => links_on(value).then_some(Says::Next),
            Word::Fault(sign) => sign.says(value),
            Word::Incomplete => match remains(value) {
                Some(true) => Some(Says::Incomplete(shown(value))),
                Some(false) => None,
                None => unclear().map(Says::Incomplete),
            },
            Word::Limit => match remains(value) {
                Some(false) => None,
                _ => unclear().map(Says::Unfinished),
            },
            Word::Done => match flag(value) {
                Some(true) => None,
                Some(false) => Some(Says::Unfinished(shown(value))),
                None => None,
            },
            Word::Hint(hint) => hint.says(value),
            Word::Size | Word::OfPage => match counted_by(value) {
                Some(Counted::Exactly(count)) => Some(Says::OfPage(count)),
                _ => None,
            },
            Word::Length | Word::Idle => None,
        };
        if let Some(says) = says {
            self.say(says, place);
        }
    }

    /// Adds what `size` states beside a length of pages that is less: `{"pagelen": 10, "size": 53}`.
    fn sized(&mut self, beside: &[Beside]) {
        let number = |value: &Beside, of: Word| {
            let (holder, key) = value.path.split_at(value.key_at);
            let number = count(&value.json).filter(|_| usual(key) == Some(of))?;
            Some((holder.to_owned(), number, value.path.clone()))
        };
        let lengths: Vec<_> = beside
            .iter()
            .filter_map(|value| number(value, Word::Length))
            .collect();
        for (holder, size, place) in beside.iter().filter_map(|value| number(value, Word::Size)) {
            let is_length =
                |(other, length, _): &&(String, u64, String)| *other == holder && *length < size;
            if lengths.iter().any(|length| is_length(&length)) {
                self.say(Says::Count(size), place);
            }
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
    pub fn declare(&mut self, paginator: &Pager, page: &PageFacts<'_>) {
        let declared = paginator.total().and_then(|total| {
            let (at, word) = match total {
                Total::Items(at) => (at, Word::Total),
                Total::Pages(at) => (at, Word::Pages),
                Total::Ignored => return None,
            };
            Some((place(at), word, paginator.stated_at(page, at)?))
        });
        if let Some((place, word, value)) = declared {
            self.replace(word, &value, place);
        }
        if let Some((path, more)) = paginator.more().zip(page.probes[0]) {
            let value: Value = serde_json::from_str(more).unwrap_or_default();
            self.replace(Word::More, &value, path.to_owned());
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
        self.bound();
    }

    fn replace(&mut self, word: Word, value: &Value, place: String) {
        self.0.retain(|said| said.place != place);
        let before = self.0.len();
        self.value(word, value, place);
        let added = self.0.iter_mut().skip(before);
        added.for_each(|said| said.declared = true);
    }

    /// Turns the totals beside a flag that calls them lower bounds into lower bounds.
    fn bound(&mut self) {
        let holder = |place: &str| place.rsplit_once('.').map(|(holder, _)| holder.to_owned());
        let bounds = self.0.iter().filter(|said| said.says == Says::Bound);
        let bounds: Vec<_> = bounds.map(|said| holder(&said.place)).collect();
        for said in &mut self.0 {
            if let Says::Total(least) = said.says
                && bounds.contains(&holder(&said.place))
            {
                said.says = Says::AtLeast(least);
            }
        }
    }

    /// Redacts the texts of the API.
    pub fn redact(&mut self, redacted: &dyn Fn(&str) -> String) {
        for said in &mut self.0 {
            match &mut said.says {
                Says::NoCount(text)
                | Says::MayLead(text)
                | Says::Error(text)
                | Says::Incomplete(text)
                | Says::Unclear(text)
                | Says::Part(text)
                | Says::Suspect(text)
                | Says::Unfinished(text) => *text = redacted(text),
                _ => {}
            }
        }
    }

    /// Removes all counts.
    pub fn without_counts(&mut self) {
        self.0.retain(|said| {
            !matches!(
                said.says,
                Says::Total(_)
                    | Says::AtLeast(_)
                    | Says::NoCount(_)
                    | Says::Count(_)
                    | Says::OfPage(_)
                    | Says::Named(_)
                    | Says::MayCount(_)
                    | Says::Pages(_)
                    | Says::LastLink(_)
            )
        });
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

    /// Returns whether something states that nothing follows an empty page.
    pub fn ends_empty(&self) -> bool {
        self.0.iter().any(|said| {
            matches!(
                said.says,
                Says::More(false)
                    | Says::NoNext
                    | Says::Total(0)
                    | Says::Count(0)
                    | Says::Named(0)
                    | Says::Pages(0 | 1)
                    | Says::LastLink(_)
            )
        })
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

fn total(value: &Value) -> Option<Says> {
    counted_by(value).map(|counted| match counted {
        Counted::Exactly(total) => Says::Total(total),
        Counted::AtLeast(least) => Says::AtLeast(least),
        Counted::Unclear(text) => Says::NoCount(text),
    })
}

fn pages(value: &Value) -> Option<Says> {
    match counted_by(value)? {
        Counted::Exactly(pages) => Some(Says::Pages(pages)),
        Counted::Unclear(text) if has_digit(value) => Some(Says::NoCount(text)),
        _ => None,
    }
}

/// Returns what a flag of the last page says. Under the bare name `last` there may be a link, or the
/// number of a page or a record.
fn last(value: &Value, place: &str) -> Option<Says> {
    let key = place.rsplit(['.', ':']).next().unwrap_or_default();
    let is_bare = plain(key) == "last";
    match (value, flag(value)) {
        (Value::Number(_), Some(false)) if is_bare => Some(Says::Unfinished(shown(value))),
        (Value::Number(_), _) if is_bare => None,
        (_, Some(last)) => Some(Says::More(!last)),
        (_, None) if is_bare || is_nothing(value) => None,
        (_, None) => Some(Says::Unfinished(shown(value))),
    }
}

/// Returns whether a scalar has a digit.
fn has_digit(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::String(text) => text.bytes().any(|byte| byte.is_ascii_digit()),
        _ => false,
    }
}

/// Returns whether a noun names the records of a resource: `things`, `thing`, or its last part.
fn is_about(noun: &str, resource: &str) -> bool {
    let one = |noun: &str| noun.trim_end_matches('s').to_owned();
    let resource = plain(resource);
    is_row(noun) || noun.len() > 2 && one(&resource).ends_with(&one(noun))
}

#[cfg(test)]
mod tests;
