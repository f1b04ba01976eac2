//! What an answer says beside its records: values of its envelope, as far as somebody wants to hear of them.

use std::borrow::Cow;

use super::json::{Reader, Syntax, compact};

/// The envelope is looked into so deep.
const DEEPEST: usize = 3;
/// Longer values say nothing of a list.
const LONGEST: usize = 8 << 10;
/// More values are not kept.
const MOST: usize = 64;

/// What somebody wants to hear of a key in an envelope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Interest {
    /// Its value.
    pub value: bool,
    /// The keys of the object that it holds.
    pub within: bool,
    /// An object of nothing but such keys stands for an empty list.
    pub alone: bool,
}

/// Says of a key what is wanted of it.
pub(crate) type Hearing = fn(&str) -> Interest;

/// A value that stands beside the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Beside {
    /// Its dotted path.
    pub path: String,
    /// Where its own key begins in that: keys may have dots.
    pub key_at: usize,
    /// Its raw JSON.
    pub json: Box<str>,
}

/// Collects what stands beside the records of one answer.
#[derive(Default)]
pub(super) struct Listener {
    hearing: Option<Hearing>,
    path: String,
    key_at: usize,
    depth: usize,
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

    /// What is wanted of a key.
    pub fn interest(&self, key: &str) -> Interest {
        self.hearing.map_or(Interest::default(), |of| of(key))
    }

    /// The values that follow stand below that key; gives what [`Listener::leave`] wants.
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

    /// Walks over the value of a key that nobody else wants.
    pub fn walk(&mut self, json: &mut Reader<'_>, key: &str) -> Result<(), Syntax> {
        let interest = self.interest(key);
        if !interest.value && !interest.within {
            return json.skip();
        }
        let before = self.enter(key);
        let walked = self.value(json, interest);
        self.leave(before);
        walked
    }

    fn value(&mut self, json: &mut Reader<'_>, interest: Interest) -> Result<(), Syntax> {
        let next = json.peek();
        let start = json.at;
        if next == b'{' && interest.within && self.depth < DEEPEST {
            self.object(json)?;
        } else {
            json.skip()?;
        }
        if interest.value {
            self.keep(json.since(start));
        }
        Ok(())
    }

    /// Keeps the value of the key that was entered.
    pub fn keep(&mut self, raw: &str) {
        if raw.len() <= LONGEST && self.heard.len() < MOST {
            self.heard.push(Beside {
                path: self.path.clone(),
                key_at: self.key_at,
                json: compact(raw),
            });
        }
    }

    fn object(&mut self, json: &mut Reader<'_>) -> Result<(), Syntax> {
        if !json.open(b'}') {
            return Ok(());
        }
        loop {
            let key = json.key()?;
            let key = key.decode().unwrap_or(Cow::Borrowed(key.raw));
            self.walk(json, &key)?;
            if !json.more(b'}')? {
                return Ok(());
            }
        }
    }
}

/// What an object says that stands elsewhere than in a body; text that is no object says nothing.
pub(crate) fn listen(text: &str, hearing: Hearing) -> Vec<Beside> {
    let mut listener = Listener::new(Some(hearing));
    let mut json = Reader::new(text);
    match json.peek() {
        b'{' if listener.object(&mut json).is_ok() => listener.heard,
        _ => Vec::new(),
    }
}
