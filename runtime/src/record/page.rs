//! Reads a page: the records at a path of the envelope, and what a paginator needs from the rest.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::beside::{Beside, Hearing, Listener};
use super::json::{Reader, Syntax, compact};
use super::layout::{Empty, RecordMut};
use super::read::{Plan, RecordReader};
use super::{Drift, Record, Row, Selection};
use crate::error::{Error, ErrorKind, Result};
use crate::text::lossless;

/// Longer texts are not kept for the reuse of their memory.
const LONGEST_TEXT: usize = 256;

/// The maximum number of texts that are kept.
const MOST_TEXTS: usize = 20_000;

/// The number of keys that an error names.
const NAMED_KEYS: usize = 12;

/// Reads the pages of one resource.
///
/// One pass over the bytes reads the records into `T` and keeps the requested values of the
/// envelope.
pub struct PageReader<T> {
    envelope: Envelope,
    empty: Empty<T>,
}

/// The parts that do not depend on the record's type. These are almost all, so that little code is
/// compiled per type.
struct Envelope {
    plan: Plan,
    records: Vec<String>,
    probes: Vec<Vec<String>>,
    /// What to read of the rest of the envelope.
    hearing: Option<Hearing>,
    /// Whether an object without the path of the records is an empty list.
    absent_is_empty: bool,
    /// The largest number of records on a page so far.
    longest: AtomicUsize,
    /// Texts of records that are no longer needed: the next page reuses their memory.
    texts: Mutex<Vec<String>>,
}

/// A receiver of the records of a page.
trait Fill {
    /// Adds an empty row, to be filled in place: a record may have several kilobytes, and moving it
    /// is expensive.
    fn push(&mut self) -> (RecordMut<'_>, &mut Drift);
}

struct Filled<'e, T> {
    rows: Vec<Row<T>>,
    empty: &'e Empty<T>,
}

impl<T: Record> Fill for Filled<'_, T> {
    fn push(&mut self) -> (RecordMut<'_>, &mut Drift) {
        let at = self.rows.len();
        self.rows.push(Row {
            record: self.empty.record(),
            drift: Drift::default(),
        });
        let Row { record, drift } = &mut self.rows[at];
        (RecordMut::new(record), drift)
    }
}

/// The contents of a body besides its records.
struct Around {
    probes: Vec<Option<String>>,
    beside: Vec<Beside>,
    stands: Stands,
    absent: u64,
    spans: Vec<Range<usize>>,
    repaired: Option<String>,
}

/// What a body has at the path of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stands {
    /// The path does not exist, but the keys beside it are known: the API leaves out an empty list.
    #[default]
    Nothing,
    /// The path has a null.
    Null,
    /// The response is an empty list, although the records are within an object.
    Bare,
    List,
    /// One object, which is one record.
    Object,
}

/// The content of one response.
#[derive(Debug)]
pub struct Page<T> {
    /// The records.
    pub rows: Vec<Row<T>>,
    /// One entry per probe: its raw JSON, if it exists.
    pub probes: Vec<Option<String>>,
    /// The requested values beside the records.
    pub(crate) beside: Vec<Beside>,
    /// What the body has at the path of the records.
    pub(crate) stands: Stands,
    /// Items of lists that are null or do not have the records: rows that did not come.
    pub(crate) absent: u64,
    /// The raw JSON bytes of each record, in order (same length as `rows`): a range of the body, or of `repaired`.
    pub spans: Vec<Range<usize>>,
    /// The text with U+FFFD and two hexadecimal digits in place of each invalid byte, if the body was not UTF-8.
    pub repaired: Option<String>,
}

impl<T> Page<T> {
    /// Returns the raw JSON of the record number `index` of the body that this page was read from;
    /// empty beyond the end.
    pub fn raw<'a>(&'a self, body: &'a [u8], index: usize) -> &'a [u8] {
        let text = self.repaired.as_deref().map_or(body, str::as_bytes);
        self.spans
            .get(index)
            .and_then(|span| text.get(span.clone()))
            .unwrap_or_default()
    }
}

impl<T: Record> PageReader<T> {
    /// Creates a reader. `records` are the keys of the records (`[]` means that the body itself is
    /// the list). A single object there is one record; after a list in the path, the remaining keys
    /// apply to each of its items. `probes` are the paths in the envelope whose raw JSON the
    /// paginator needs (`["meta", "next_cursor"]`).
    pub fn new(records: &[String], probes: &[Vec<String>]) -> Self {
        PageReader {
            envelope: Envelope {
                plan: Plan::new(T::SCHEMA, None),
                records: records.to_vec(),
                probes: probes.to_vec(),
                hearing: None,
                absent_is_empty: false,
                longest: AtomicUsize::new(0),
                texts: Mutex::default(),
            },
            empty: Empty::new(),
        }
    }

    /// Reads only selected fields, as far as they are keys of records; the loader applies the rest of the selection.
    pub(crate) fn select(mut self, selection: Option<&Selection>) -> Self {
        self.envelope.plan = Plan::new(T::SCHEMA, selection);
        self
    }

    /// Reads an object without the path of the records as an empty list.
    pub(crate) fn absent_is_empty(mut self, is_empty: bool) -> Self {
        self.envelope.absent_is_empty = is_empty;
        self
    }

    /// Also keeps the values beside the records and the probes that `hearing` asks for.
    pub(crate) fn hear(mut self, hearing: Hearing) -> Self {
        self.envelope.hearing = Some(hearing);
        self
    }

    /// Reads one page. Syntax errors, and a records path that matches nothing, are errors that name the
    /// byte offset and what was found instead; a value of a wrong type is never an error. A `null` in
    /// the path is an empty list.
    pub fn read(&self, body: &[u8]) -> Result<Page<T>> {
        let mut filled = Filled {
            rows: Vec::with_capacity(self.envelope.longest.load(Relaxed)),
            empty: &self.empty,
        };
        let around = self.envelope.read(body, &mut filled)?;
        Ok(Page {
            rows: filled.rows,
            spans: around.spans,
            probes: around.probes,
            beside: around.beside,
            stands: around.stands,
            absent: around.absent,
            repaired: around.repaired,
        })
    }

    /// Takes back records that are no longer needed, to reuse their memory.
    pub(crate) fn recycle(&self, mut rows: Vec<Row<T>>) {
        let records = rows.iter_mut().map(|row| RecordMut::new(&mut row.record));
        self.envelope.recycle(&mut { records });
    }
}

impl Envelope {
    fn read(&self, body: &[u8], rows: &mut dyn Fill) -> Result<Around> {
        let (text, repaired) = match std::str::from_utf8(body) {
            Ok(text) => (text, None),
            Err(_) => ("", Some(lossless(body).into_owned())),
        };
        let text = repaired.as_deref().unwrap_or(text);
        let mut json = Reader::new(text);
        if text.starts_with('\u{feff}') {
            json.at = '\u{feff}'.len_utf8();
        }
        let mut pass = Pass {
            page: self,
            reader: RecordReader::new(&self.plan, json),
            rows,
            spans: Vec::new(),
            probes: vec![None; self.probes.len()],
            twice: None,
            found: false,
            stands: Stands::Nothing,
            absent: 0,
            listener: Listener::new(self.hearing),
            missing: Missing::default(),
        };
        pass.reader.texts = std::mem::take(&mut *self.texts());
        let probes: Vec<usize> = (0..self.probes.len()).collect();
        pass.value(0, true, &probes)
            .and_then(|()| pass.reader.json.end())
            .map_err(|error| syntax_error(error, text))?;
        if let Some(twice) = pass.twice {
            let path = quote(&self.probes[twice].join("."));
            let message = format!("{path} stands twice in the response, with different values");
            return Err(Error::new(ErrorKind::Api, message)
                .hint("the API must send it once: which value it means is unknown"));
        }
        let is_none = pass.missing.stands_for_none
            || self.absent_is_empty && matches!(pass.missing.instead, Instead::Keys(_));
        if !pass.found && !is_none {
            return Err(self.missing(&pass.missing));
        }
        self.longest.fetch_max(pass.spans.len(), Relaxed);
        Ok(Around {
            spans: pass.spans,
            probes: pass.probes,
            beside: pass.listener.heard,
            stands: pass.stands,
            absent: pass.absent,
            repaired,
        })
    }

    fn recycle(&self, records: &mut dyn Iterator<Item = RecordMut<'_>>) {
        let mut texts = Vec::new();
        for mut record in records {
            record.take_texts(&mut texts);
        }
        texts.retain(|text| (1..=LONGEST_TEXT).contains(&text.capacity()));
        texts.truncate(MOST_TEXTS);
        *self.texts() = texts;
    }

    fn texts(&self) -> MutexGuard<'_, Vec<String>> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn missing(&self, missing: &Missing) -> Error {
        let path = quote(&self.records.join("."));
        let found = match &missing.instead {
            Instead::Nothing => "nothing".to_owned(),
            Instead::Value(kind) => (*kind).to_owned(),
            Instead::Keys(keys) if keys.is_empty() => "an empty object".to_owned(),
            Instead::Keys(keys) => {
                let more = if missing.more { ", .." } else { "" };
                format!("only the keys {}{more}", keys.join(", "))
            }
        };
        let place = match missing.depth {
            0 => "the top of the response".to_owned(),
            depth => quote(&self.records[..depth.min(self.records.len())].join(".")),
        };
        let path = if self.records.is_empty() {
            "the response itself".to_owned()
        } else {
            path
        };
        Error::new(
            ErrorKind::Api,
            format!(
                "expected the records at {path}, but found {found} at {place} (byte {})",
                missing.at
            ),
        )
        .hint("the API may have sent an error with a success status, or the records path is wrong; if such a response stands for an empty list, `list_may_be_absent = true` in etlgen.toml says so, `.list_may_be_absent()` in code")
    }
}

/// The deepest level reached when the records were not found.
#[derive(Default)]
struct Missing {
    depth: usize,
    at: usize,
    instead: Instead,
    more: bool,
    /// Whether all keys of the object are known, so that it may represent an empty list that the
    /// API leaves out.
    stands_for_none: bool,
}

#[derive(Default)]
enum Instead {
    #[default]
    Nothing,
    Value(&'static str),
    Keys(Vec<String>),
}

/// One pass over one body.
struct Pass<'r, 'a> {
    page: &'r Envelope,
    reader: RecordReader<'r, 'a>,
    rows: &'r mut dyn Fill,
    spans: Vec<Range<usize>>,
    probes: Vec<Option<String>>,
    /// The probe that has two values.
    twice: Option<usize>,
    found: bool,
    stands: Stands,
    absent: u64,
    listener: Listener,
    missing: Missing,
}

impl Pass<'_, '_> {
    /// Reads the next value, `depth` keys down. `records` says whether the records are here or
    /// below; `probes` are those that are here or below.
    fn value(&mut self, depth: usize, records: bool, probes: &[usize]) -> Result<(), Syntax> {
        let page = self.page;
        let next = self.reader.json.peek();
        let start = self.reader.json.at;
        let here = |probe: &&usize| page.probes[**probe].len() == depth;
        if records && page.records.len() == depth {
            if matches!(next, b'[' | b'{' | b'n') {
                self.records()?;
                self.found = true;
            } else {
                self.instead(depth, start, Instead::Value(kind(next)));
                self.reader.json.skip()?;
            }
        } else {
            let deeper = probes.iter().any(|probe| !here(&probe));
            match next {
                b'{' if records || deeper => self.object(depth, records, probes)?,
                b'[' if records => self.list(depth)?,
                _ => {
                    if records {
                        // A null in the path means that there is no list.
                        self.found |= next == b'n';
                        if next == b'n' {
                            self.stands = Stands::Null;
                        }
                        self.instead(depth, start, Instead::Value(kind(next)));
                    }
                    self.reader.json.skip()?;
                }
            }
        }
        for probe in probes.iter().filter(here) {
            let raw = compact(self.reader.json.since(start)).into_string();
            match &self.probes[*probe] {
                Some(before) if *before != raw => self.twice = Some(*probe),
                _ => self.probes[*probe] = Some(raw),
            }
        }
        Ok(())
    }

    fn instead(&mut self, depth: usize, at: usize, instead: Instead) {
        if depth >= self.missing.depth {
            self.missing = Missing {
                depth,
                at,
                instead,
                more: false,
                stands_for_none: false,
            };
        }
    }

    fn object(&mut self, depth: usize, records: bool, probes: &[usize]) -> Result<(), Syntax> {
        let page = self.page;
        let start = self.reader.json.at;
        let (mut keys, mut more) = (Vec::new(), false);
        let (mut reached, mut known) = (false, self.listener.listens());
        if self.reader.json.open(b'}') {
            loop {
                let key = self.reader.json.key()?;
                let key = key.decode().unwrap_or(Cow::Borrowed(key.raw));
                let below = records && page.records.get(depth).is_some_and(|name| *name == key);
                let probes: Vec<usize> = probes
                    .iter()
                    .copied()
                    .filter(|probe| {
                        page.probes[*probe]
                            .get(depth)
                            .is_some_and(|name| *name == key)
                    })
                    .collect();
                reached |= below;
                if below || !probes.is_empty() {
                    let before = self.listener.enter(&key);
                    let start = self.reader.json.at;
                    self.value(depth + 1, below, &probes)?;
                    // A value on the way to a probe is also heard itself.
                    let probed = |probe: &usize| page.probes[*probe].len() == depth + 1;
                    let heard = !below && !probes.iter().any(probed);
                    if heard && self.listener.interest(&key).value {
                        let raw = self.reader.json.since(start);
                        self.listener.keep(raw.trim_start());
                    }
                    self.listener.leave(before);
                } else {
                    known = known && self.listener.interest(&key).alone;
                    self.listener.walk(&mut self.reader.json, &key)?;
                }
                if records && !reached {
                    more |= keys.len() >= NAMED_KEYS;
                    if keys.len() < NAMED_KEYS {
                        keys.push(quote(&key));
                    }
                }
                if !self.reader.json.more(b'}')? {
                    break;
                }
            }
        }
        if records && !reached {
            self.instead(depth, start, Instead::Keys(keys));
            self.missing.more = more;
            self.missing.stands_for_none = known;
        }
        Ok(())
    }

    /// Reads a list in the path: the remaining keys apply to each of its items.
    fn list(&mut self, depth: usize) -> Result<(), Syntax> {
        self.stands = Stands::List;
        if !self.reader.json.open(b']') {
            self.found = true;
            if depth == 0 {
                self.stands = Stands::Bare;
            }
            return Ok(());
        }
        // Values of an item are not statements about the list.
        let listener = std::mem::take(&mut self.listener);
        let listed = self.items(depth);
        self.listener = listener;
        listed
    }

    fn items(&mut self, depth: usize) -> Result<(), Syntax> {
        let mut found = self.found;
        loop {
            self.found = false;
            let is_null = self.reader.json.peek() == b'n';
            self.value(depth, true, &[])?;
            self.absent += u64::from(is_null || !self.found);
            found |= self.found;
            if !self.reader.json.more(b']')? {
                self.found = found;
                return Ok(());
            }
        }
    }

    /// Reads the records: a list of them, one object, or null.
    fn records(&mut self) -> Result<(), Syntax> {
        let next = self.reader.json.peek();
        self.stands = match (self.stands, next) {
            (Stands::List, _) | (_, b'[') => Stands::List,
            (_, b'{') => Stands::Object,
            _ => Stands::Null,
        };
        match next {
            b'[' => {
                if !self.reader.json.open(b']') {
                    return Ok(());
                }
                loop {
                    let before = self.spans.len();
                    self.record()?;
                    self.absent += u64::from(self.spans.len() == before);
                    if !self.reader.json.more(b']')? {
                        return Ok(());
                    }
                }
            }
            _ => self.record(),
        }
    }

    /// Reads one record; a null is not a record.
    fn record(&mut self) -> Result<(), Syntax> {
        if self.reader.json.null()? {
            return Ok(());
        }
        let start = self.reader.json.at;
        let (record, drift) = self.rows.push();
        *drift = Drift::new(self.reader.root(record)?);
        self.spans.push(start..self.reader.json.at);
        Ok(())
    }
}

fn kind(next: u8) -> &'static str {
    match next {
        b'{' => "an object",
        b'[' => "a list",
        b'"' => "a string",
        b't' | b'f' => "a boolean",
        b'n' => "null",
        _ => "a number",
    }
}

/// Quotes a key of an API so that it is safe for a terminal.
fn quote(key: &str) -> String {
    let mut short: String = key.chars().take(60).flat_map(char::escape_debug).collect();
    if key.chars().nth(60).is_some() {
        short.push_str("..");
    }
    format!("`{short}`")
}

fn syntax_error(error: Syntax, text: &str) -> Error {
    let found = match text.get(error.at..).and_then(|rest| rest.chars().next()) {
        None => "the end".to_owned(),
        Some(char) => format!("{char:?}"),
    };
    let error = Error::new(
        ErrorKind::Api,
        format!(
            "the response is not JSON: found {found} at byte {}, expected {}",
            error.at, error.expected
        ),
    );
    if text.trim_start().starts_with('<') {
        return error.hint("this is HTML or XML: a login page, or an error page of a proxy");
    }
    error
}
