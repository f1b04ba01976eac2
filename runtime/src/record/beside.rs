//! The values of a response beside its records, as far as the account of the list needs them.

use std::borrow::Cow;

use super::json::{Reader, Syntax, compact, write_string};

/// The maximum depth at which the envelope is searched.
const DEEPEST: usize = 3;
/// The maximum length of a value; of longer ones the beginning is kept, as a text.
const LONGEST: usize = 8 << 10;
/// The length of that beginning, in characters.
const BEGINNING: usize = 400;
/// The maximum number of values that are kept.
const MOST: usize = 64;

/// The number of keys after which an object that is not known to describe a list is not searched.
const LARGEST: usize = 40;

/// What to read of a key in an envelope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interest {
    /// Whether to keep its value.
    pub value: bool,
    /// Whether to keep its value if it is a text.
    pub text: bool,
    /// Whether to search the object that is its value.
    pub within: bool,
    /// Whether an object with only such keys represents an empty list.
    pub alone: bool,
}

/// Returns what to read of a key.
pub(crate) type Hearing = fn(&str) -> Interest;

/// A value beside the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beside {
    /// The dotted path of the value.
    pub path: String,
    /// The index in `path` at which its own key begins: keys may contain dots.
    pub key_at: usize,
    /// Whether it stands in an object that is not known to describe a list.
    pub strange: bool,
    /// The raw JSON of the value; of a long one, a string with its beginning.
    pub json: Box<str>,
}

/// Collects the values beside the records of one response.
#[derive(Default)]
pub(super) struct Listener {
    hearing: Option<Hearing>,
    path: String,
    key_at: usize,
    depth: usize,
    /// The number of entered objects that are not known to describe a list.
    strange: usize,
    pub heard: Vec<Beside>,
}

impl Listener {
    pub fn new(hearing: Option<Hearing>) -> Self {
        Listener {
            hearing,
            ..Listener::default()
        }
    }

    pub fn listens(&self) -> bool {
        self.hearing.is_some()
    }

    /// Returns what to read of a key.
    pub fn interest(&self, key: &str) -> Interest {
        self.hearing.map_or(Interest::default(), |of| of(key))
    }

    /// Enters a key, below which the following values are; returns the argument of
    /// [`Listener::leave`].
    pub fn enter(&mut self, key: &str) -> (usize, usize) {
        let before = (self.path.len(), self.key_at);
        if self.hearing.is_some() {
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.key_at = self.path.len();
            self.path.push_str(key);
        }
        self.depth += 1;
        before
    }

    pub fn leave(&mut self, (length, key_at): (usize, usize)) {
        self.path.truncate(length);
        self.key_at = key_at;
        self.depth = self.depth.saturating_sub(1);
    }

    /// Reads past the value of a key that is not otherwise used.
    pub fn walk(&mut self, json: &mut Reader<'_>, key: &str) -> Result<(), Syntax> {
        let interest = self.interest(key);
        let is_object = self.listens() && json.peek() == b'{';
        if !interest.value && !interest.text && !is_object {
            return json.skip();
        }
        let is_strange = usize::from(!interest.within);
        let before = self.enter(key);
        let walked = self.value(json, interest, is_strange);
        self.leave(before);
        walked
    }

    /// `strange`: 1 if an object here is not known to describe a list.
    fn value(
        &mut self,
        json: &mut Reader<'_>,
        interest: Interest,
        strange: usize,
    ) -> Result<(), Syntax> {
        let next = json.peek();
        let start = json.at;
        if next == b'{' && self.depth < DEEPEST {
            self.strange += strange;
            self.object(json)?;
            self.strange -= strange;
        } else {
            json.skip()?;
        }
        // Texts, and what stands in unknown objects, leave room for statements.
        let is_text = interest.text && next == b'"' && self.strange == 0;
        let text = is_text && self.heard.len() < MOST / 2;
        if interest.value || text {
            self.keep(json.since(start));
        }
        Ok(())
    }

    /// Keeps the value of the entered key.
    pub fn keep(&mut self, raw: &str) {
        let most = match self.strange {
            0 => MOST,
            _ => MOST / 2,
        };
        if self.heard.len() < most {
            self.heard.push(Beside {
                path: self.path.clone(),
                key_at: self.key_at,
                strange: self.strange > 0,
                json: match raw.len() <= LONGEST {
                    true => compact(raw),
                    false => beginning(raw),
                },
            });
        }
    }

    fn object(&mut self, json: &mut Reader<'_>) -> Result<(), Syntax> {
        if !json.open(b'}') {
            return Ok(());
        }
        let mut left = LARGEST;
        loop {
            let key = json.key()?;
            let key = key.decode().unwrap_or(Cow::Borrowed(key.raw));
            // An object with many keys holds records, or parts of them, by their ids.
            match left {
                0 if self.strange > 0 => json.skip()?,
                _ => self.walk(json, &key)?,
            }
            left = left.saturating_sub(1);
            if !json.more(b'}')? {
                return Ok(());
            }
        }
    }
}

/// Returns a JSON string with the beginning of a long value.
fn beginning(raw: &str) -> Box<str> {
    let words = raw.trim_start_matches('"').split_whitespace();
    let line = words.take(BEGINNING).collect::<Vec<_>>().join(" ");
    let mut json = String::new();
    write_string(&mut json, &line.chars().take(BEGINNING).collect::<String>());
    json.into()
}

/// Collects the values of an object outside a body; text that is not an object has none.
pub(crate) fn listen(text: &str, hearing: Hearing) -> Vec<Beside> {
    let mut listener = Listener::new(Some(hearing));
    let mut json = Reader::new(text);
    match json.peek() {
        b'{' if listener.object(&mut json).is_ok() => listener.heard,
        _ => Vec::new(),
    }
}
