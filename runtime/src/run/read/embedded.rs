//! Lists of which a record holds only the beginning: their other pages are requested and inserted
//! into the record's JSON.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use reqwest::header::HeaderMap;
use tokio::task::JoinSet;
use tracing::Instrument;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Method, Request, Response, Sent};
use crate::page::{Account, LastId, PageFacts, Paginator, Position, Proof, Step, Terms};
use crate::record::json::{self, Reader};
use crate::record::{Stands, parse_path, raw_scalar};
use crate::run::read::fetch::Fetcher;
use crate::run::read::tasks::flatten;
use crate::source::{Embedded, Place, SliceRequest};
use crate::text::lossless;

/// The most bytes that the lists of one page may add, since a record is loaded as one.
const MOST_BYTES: u64 = 256 << 20;

/// The beginning of a list, as a record holds it.
struct Beginning<'a> {
    list: &'a Embedded,
    record: &'a str,
    /// The list in the record.
    text: &'a str,
}

/// A range of a text, and its replacement.
type Change = (Range<usize>, String);

impl Fetcher {
    /// Returns the body of a page with the lists of these records completed; the records are
    /// completed concurrently.
    pub(super) async fn complete(
        self: &Arc<Self>,
        body: &[u8],
        open: &[Range<usize>],
        slice: &SliceRequest,
    ) -> Result<Vec<u8>> {
        let mut tasks = JoinSet::new();
        let bytes = Arc::new(AtomicU64::new(0));
        for (order, span) in open.iter().enumerate() {
            let record = body.get(span.clone()).unwrap_or_default();
            let record = lossless(record).into_owned();
            let (fetcher, slice, bytes) = (self.clone(), slice.clone(), bytes.clone());
            let complete = async move {
                let whole = fetcher.complete_record(record, &slice, &bytes).await?;
                Ok((order, whole))
            };
            tasks.spawn(complete.in_current_span());
        }
        let mut records = vec![String::new(); open.len()];
        while let Some(done) = tasks.join_next().await {
            let (order, whole) = flatten(done)?;
            records[order] = whole;
        }
        let mut whole = Vec::with_capacity(body.len() + bytes.load(Relaxed) as usize);
        let mut copied = 0;
        for (span, record) in open.iter().zip(records) {
            whole.extend_from_slice(&body[copied..span.start]);
            whole.extend_from_slice(record.as_bytes());
            copied = span.end;
        }
        whole.extend_from_slice(&body[copied..]);
        Ok(whole)
    }

    async fn complete_record(
        &self,
        mut record: String,
        slice: &SliceRequest,
        bytes: &AtomicU64,
    ) -> Result<String> {
        // Lists are completed one after the other: a list may be in the items of the one before.
        for list in &self.spec().embedded {
            let places = json::find_all(&record, &list.keys).unwrap_or_default();
            let mut changes = Vec::new();
            for place in places {
                let place_of = |error: Error| error.at(format!("the list `{}`", list.name()));
                let beginning = Beginning {
                    list,
                    record: &record,
                    text: &record[place.clone()],
                };
                let found = self.complete_list(beginning, slice, bytes);
                let found = found.await.map_err(place_of)?;
                let moved = |(range, text): Change| {
                    (range.start + place.start..range.end + place.start, text)
                };
                changes.extend(found.into_iter().map(moved));
            }
            record = apply(&record, changes);
        }
        Ok(record)
    }

    /// Returns the changes that complete a list.
    async fn complete_list(
        &self,
        Beginning { list, record, text }: Beginning<'_>,
        slice: &SliceRequest,
        bytes: &AtomicU64,
    ) -> Result<Vec<Change>> {
        let spec = self.spec();
        let paginator = spec.paginator_of(list);
        let Some(beginning) = self.part(list, text)? else {
            return Ok(Vec::new());
        };
        let mut account = Account::new(Terms {
            name: spec.name.clone(),
            keyed: true,
            embedded: true,
            ..Terms::default()
        });
        let mut step = account.begin_embedded(paginator, &beginning.facts(&unasked()))?;
        if let Step::End(_) = step {
            return Ok(Vec::new());
        }
        let first = self.list_request(list, record, text, slice)?;
        let mut items = String::new();
        let mut anew = false;
        while let Step::Next(position) = step {
            if position.comes_again() {
                // A record is loaded as one: a part of it is not read a second time.
                let why = "requested by number".to_owned();
                step = Step::End(match position.restarts() {
                    true => Proof::Unproved(why),
                    false => Proof::Consistent(why),
                });
                break;
            }
            anew |= position == Position::default();
            let response = self.ask_for(paginator, &first, &position).await?;
            if matches!(response.status, 404 | 410) {
                self.left(list, "whose record no longer exists");
                return Ok(Vec::new());
            }
            let response = response.success(|| self.client.redactor())?;
            let asked = |error: Error| error.at(response.request.clone());
            let body = lossless(&response.body);
            if matches!(body, Cow::Owned(_)) {
                self.left(list, "with bytes that are not UTF-8");
            }
            let part = self.part(list, &body).map_err(asked)?.ok_or_else(|| {
                let message = format!("there is no list at `{}`", spec.records_of(list).join("."));
                asked(Error::new(ErrorKind::Api, message))
            })?;
            if !part.items.is_empty() {
                items.push(',');
                items.push_str(part.items);
            }
            let judged = account.judge(paginator, &position, &part.facts(&response));
            step = judged.and_then(|judged| judged.step).map_err(asked)?;
            let size = part.items.len() as u64;
            if bytes.fetch_add(size, Relaxed) + size > MOST_BYTES {
                self.left(list, "that are too long to load with their records");
                return Ok(beginning.with(items, anew, Vec::new()));
            }
        }
        let mut ends = Vec::new();
        match step {
            Step::End(Proof::Unproved(_) | Proof::Open) => self.left(list, "without a proved end"),
            _ => {
                // The record says what the API would say for the whole list.
                let [more, _, next] = beginning.probes.clone();
                ends.extend(more.map(|range| (range, "false".to_owned())));
                ends.extend(next.map(|range| (range, "null".to_owned())));
            }
        }
        Ok(beginning.with(items, anew, ends))
    }

    /// Counts a list of a record that stays incomplete.
    fn left(&self, list: &Embedded, why: &str) {
        let mut shared = self.stats.lock();
        let left = shared.cut.entry(list.name()).or_default();
        *left += 1;
        drop(shared);
        self.stats
            .note(format!("its `{}`: there are lists {why}", list.name()));
    }

    /// Returns the request of the first page of a record's list.
    fn list_request(
        &self,
        list: &Embedded,
        record: &str,
        text: &str,
        slice: &SliceRequest,
    ) -> Result<Request> {
        let spec = self.spec();
        let base = self.client.base();
        let scalar = |text: &str, keys: &[String]| raw_scalar(text.as_bytes(), keys);
        let mut request = match &list.place {
            Place::Path(template) => {
                let names = template.split('{').skip(1);
                let names = names.filter_map(|rest| Some(rest.split_once('}')?.0));
                let value = |name: &str| {
                    let found = scalar(record, &parse_path(name));
                    let value = found.or_else(|| slice.path.get(name).cloned())?;
                    Some((name.to_owned(), value))
                };
                let parameters: Vec<_> = names.filter_map(value).collect();
                Request::build(Method::Get, base, template, &parameters)?
            }
            place => {
                let mut request = Request::build(Method::Get, base, "", &[])?;
                request.url = base.clone();
                if let Place::Url(keys) = place {
                    let url = scalar(text, keys).ok_or_else(|| {
                        let message =
                            format!("it has no `{}`, the link to its next page", keys.join("."));
                        Error::new(ErrorKind::Api, message)
                    })?;
                    request.url = base.join(&url).map_err(|_| {
                        Error::new(ErrorKind::Paging, format!("`{url}` is not a URL"))
                    })?;
                    self.client.check_link(&request.url)?;
                }
                request
            }
        };
        request.headers = spec.headers.clone();
        request.auth = spec.auth.clone();
        request.rules = spec.on_status.clone();
        Ok(request)
    }

    /// Reads a list, or a page of it; returns `None` if there is none.
    fn part<'a>(&self, list: &Embedded, text: &'a str) -> Result<Option<Part<'a>>> {
        let syntax = |_| Error::new(ErrorKind::Api, "the response is not JSON");
        let mut whole = Reader::new(text);
        whole.skip().and_then(|()| whole.end()).map_err(syntax)?;
        let spec = self.spec();
        let paginator = spec.paginator_of(list);
        let find = |keys: &[String]| {
            let found = json::find(text, keys.iter().map(String::as_str))?;
            let start = found.as_ptr() as usize - text.as_ptr() as usize;
            Some(start..start + found.len())
        };
        let Some(array) =
            find(spec.records_of(list)).filter(|at| text[at.clone()].starts_with('['))
        else {
            return Ok(None);
        };
        let inner = array.start + 1..array.end - 1;
        let mut json = Reader::new(&text[array]);
        let (mut rows, mut last) = (0, None);
        let mut more = json.open(b']');
        while more {
            last = Some(json.raw().map_err(syntax)?);
            rows += 1;
            more = json.more(b']').map_err(syntax)?;
        }
        let id = match &**paginator {
            Paginator::LastId(LastId {
                field: Some(field), ..
            }) => parse_path(field),
            _ => vec!["id".to_owned()],
        };
        Ok(Some(Part {
            text,
            items: text[inner.clone()].trim(),
            inner,
            rows,
            last_id: last.and_then(|last| raw_scalar(last.as_bytes(), &id)),
            probes: paginator.probes().map(|path| find(&parse_path(path?))),
        }))
    }
}

/// A list within a record, or one of its other pages.
struct Part<'a> {
    text: &'a str,
    /// The range between the brackets.
    inner: Range<usize>,
    items: &'a str,
    rows: u64,
    last_id: Option<String>,
    probes: [Option<Range<usize>>; 3],
}

impl Part<'_> {
    fn facts<'f>(&'f self, response: &'f Response) -> PageFacts<'f> {
        let probe = |at: usize| Some(&self.text[self.probes[at].clone()?]);
        PageFacts {
            rows: self.rows,
            probes: [probe(0), probe(1), probe(2)],
            last_id: self.last_id.clone(),
            fingerprint: (self.rows > 0).then(|| xxh3_64(self.items.as_bytes())),
            beside: &[],
            stands: Stands::List,
            ids: &[],
            contents: &[],
            settled: &|_| true,
            records: (&[], &[]),
            redacted: &str::to_owned,
            response,
        }
    }

    /// Adds to `changes` further items, each with a comma before it, which follow the existing
    /// items or replace them.
    fn with(&self, items: String, anew: bool, mut changes: Vec<Change>) -> Vec<Change> {
        let (range, items) = match anew || self.items.is_empty() {
            true => (self.inner.clone(), items.trim_start_matches(',').to_owned()),
            false => (self.inner.end..self.inner.end, items),
        };
        changes.push((range, items));
        changes
    }
}

/// Returns a placeholder for the response in which the record came.
fn unasked() -> Response {
    Response {
        status: 200,
        headers: HeaderMap::new(),
        body: Vec::new(),
        open_ended: false,
        repeated: false,
        landed: None,
        request: "the record".to_owned(),
        sent: Sent::default(),
    }
}

fn apply(text: &str, mut changes: Vec<Change>) -> String {
    changes.sort_by_key(|(range, _)| range.start);
    let mut whole = String::with_capacity(text.len());
    let mut copied = 0;
    for (range, change) in changes {
        whole.push_str(&text[copied..range.start]);
        whole.push_str(&change);
        copied = range.end;
    }
    whole.push_str(&text[copied..]);
    whole
}
