//! Requests the pages of one slice, one after the other.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use reqwest::header::HeaderMap;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use crate::cursor::CursorSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Client, Listener, Request, Response, Sent, StatusRule};
use crate::page::{
    Account, Endings, LastId, Next, PageFacts, Pager, Paginator, Position, Proof, Step, Terms,
    hears,
};
use crate::record::beside::listen;
use crate::record::{Lookup, Selection, Stands, parse_path, raw_scalar};
use crate::run::options::{Observer, Progress, StopSignal};
use crate::run::read::window::Window;
use crate::run::report::stats::Stats;
use crate::source::{AnyResource, PageReader, ReadPage, ResourceSpec, SliceRequest};
use crate::state::Pass;
use crate::text::lossless;
use crate::world::BoxFuture;

/// Requests the pages of the slices of one resource.
pub(crate) struct Fetcher {
    pub resource: Arc<dyn AnyResource>,
    pub client: Arc<Client>,
    pub stats: Arc<Stats>,
    pub observer: Arc<dyn Observer>,
    stop: StopSignal,
    reader: Box<dyn PageReader>,
    /// The indexes of the reader's probes for the more-flag, the total and the next token.
    probes: [Option<usize>; 3],
    /// The field that a last-id paginator sends.
    id_path: Vec<String>,
    /// The key of its records.
    key: Vec<Lookup>,
    /// Whether a list whose end is not proved is read twice.
    thorough: bool,
    /// The length of the longest page so far.
    longest: Arc<AtomicU64>,
    /// Whether a list has shown that no page precedes its first one.
    begins: Arc<AtomicBool>,
    /// How its lists end.
    endings: Arc<Endings>,
}

/// A page, and what follows it.
pub(crate) struct Fetched {
    pub page: ReadPage,
    /// The next step; an error concerns the list, and the rows of the page are valid.
    pub step: Result<Step>,
    pub body: Vec<u8>,
    /// The number of rows that were sent; those that came before are no longer in the page.
    pub sent: u64,
    /// The total of rows that the API states.
    pub total: Option<u64>,
    /// The total that the API states, in the unit that the paginator counts.
    pub stated: Option<u64>,
    /// The identities of its rows, one number for each.
    pub ids: Vec<u64>,
    /// Fingerprints of their contents, if rows that recur are compared.
    pub contents: Vec<u64>,
    /// Whether each of them may have changed since the pass began; empty: none has.
    pub moving: Vec<bool>,
    /// Rows whose keys came before in this list.
    pub again: u64,
    /// Rows without a value of the key.
    pub nameless: u64,
    /// Whether it has bytes that are not UTF-8.
    pub is_broken: bool,
    /// A fingerprint of its records; `None` if it has none.
    fingerprint: Option<u64>,
}

impl Fetched {
    /// Adds the page to the fingerprint of the pages before it.
    pub fn follow(&self, before: u64) -> u64 {
        self.fingerprint.map_or(before, |page| {
            xxh3_64_with_seed(&page.to_le_bytes(), before)
        })
    }
}

/// What a page shows about its list.
struct Advanced {
    step: Result<Step>,
    ids: Vec<u64>,
    contents: Vec<u64>,
    moving: Vec<bool>,
    again: u64,
    nameless: u64,
    fingerprint: Option<u64>,
    /// Rows at its beginning that came with the page before.
    known: usize,
    sent: u64,
    total: Option<u64>,
    stated: Option<u64>,
}

/// The client, the counters, the observer and the stop signal of a fetcher.
#[derive(Clone)]
pub(crate) struct FetcherParts {
    pub client: Arc<Client>,
    pub stats: Arc<Stats>,
    pub observer: Arc<dyn Observer>,
    pub stop: StopSignal,
}

impl Fetcher {
    /// Creates a fetcher. `selection`: the fields that must be read; `None` means all.
    pub fn new(
        resource: Arc<dyn AnyResource>,
        parts: FetcherParts,
        selection: Option<&Selection>,
    ) -> Self {
        let FetcherParts {
            client,
            stats,
            observer,
            stop,
        } = parts;
        let spec = resource.spec();
        let mut paths = Vec::new();
        let probes = spec.paginator.probes().map(|path| {
            paths.push(parse_path(path?));
            Some(paths.len() - 1)
        });
        let id_path = match &*spec.paginator {
            Paginator::LastId(LastId {
                field: Some(field), ..
            }) => parse_path(field),
            _ => spec
                .primary_key
                .last()
                .cloned()
                .unwrap_or_else(|| vec!["id".to_owned()]),
        };
        let key = spec.primary_key.iter();
        let key = key.map(|keys| Lookup::new(resource.schema(), keys.clone()));
        let key = key.collect();
        let reader = resource.clone().reader(&paths, selection);
        Fetcher {
            key,
            resource,
            client,
            stats,
            observer,
            stop,
            reader,
            probes,
            id_path,
            thorough: false,
            longest: Arc::default(),
            begins: Arc::default(),
            endings: Arc::default(),
        }
    }

    /// Sets whether a list whose end is not proved is read twice.
    pub fn thorough(self, thorough: bool) -> Self {
        Fetcher { thorough, ..self }
    }

    pub fn spec(&self) -> &ResourceSpec {
        self.resource.spec()
    }

    /// Returns the account of a list that will be read.
    pub fn account(&self, window: &Window, pass: &Pass) -> Account {
        let spec = self.spec();
        Account::new(Terms {
            name: spec.name.clone(),
            keyed: !spec.primary_key.is_empty(),
            filters: (spec.cursor.as_ref()).is_some_and(|cursor| cursor.param.is_some()),
            numbered: spec.paginator.is_numbered(),
            single: spec.single,
            key: spec.primary_key.clone(),
            thorough: self.thorough,
            narrowed: window.range.from.is_some() || window.range.until.is_some(),
            embedded: false,
            clock: pass.clock,
            started: pass.began(),
            longest: self.longest.clone(),
            begins: self.begins.clone(),
            child: spec.parent.is_some(),
            endings: self.endings.clone(),
        })
    }

    /// Returns the request of a slice's first page, with the cursor's bounds.
    pub fn first_request(&self, slice: &SliceRequest, window: &Window) -> Result<Request> {
        let spec = self.spec();
        let mut request = spec.first_request(slice, &self.client)?;
        if let Some(cursor) = &spec.cursor {
            window.apply(cursor, !spec.primary_key.is_empty(), &mut request);
        }
        Ok(request)
    }

    /// Requests the page at `position`; a response of any status is returned.
    pub async fn ask(&self, first: &Request, position: &Position) -> Result<Response> {
        self.ask_for(&self.spec().paginator, first, position).await
    }

    /// Requests a page of another list of this resource.
    pub async fn ask_for(
        &self,
        paginator: &Pager,
        first: &Request,
        position: &Position,
    ) -> Result<Response> {
        let mut request = paginator.request(first, position, &self.client)?;
        request.asks_whether = position.is_before_first();
        self.client.open(&mut request, first);
        let sent = match self.client.send(&request, self).await {
            // A gateway fails once; a server that knows no such page fails each time.
            Ok(response) if request.asks_whether && response.status == 500 => {
                self.stats.requests.fetch_add(1, Relaxed);
                self.client.send(&request, self).await
            }
            sent => sent,
        };
        let response = match sent {
            // A recording may be older than the question; and without an answer it stays open.
            Err(error) if request.asks_whether && error.kind() == ErrorKind::Api => {
                return Ok(no_page(match self.client.is_recorded() {
                    true => 404,
                    false => 503,
                }));
            }
            // A request that is tried again has been counted before; the last try has not.
            Err(error) if matches!(error.kind(), ErrorKind::Api | ErrorKind::Credentials) => {
                self.stats.requests.fetch_add(1, Relaxed);
                return Err(error);
            }
            sent => sent?,
        };
        self.stats.requests.fetch_add(1, Relaxed);
        self.stats
            .bytes
            .fetch_add(response.body.len() as u64, Relaxed);
        Ok(response)
    }

    /// Reads a response of this slice: its records, completed, and what follows them.
    pub async fn read(
        self: &Arc<Self>,
        response: Response,
        position: &Position,
        slice: &SliceRequest,
        account: &mut Account,
    ) -> Result<Fetched> {
        // Other formats than JSON are repaired when they are converted.
        let is_text = !self.spec().format.is_json();
        let is_broken = is_text && std::str::from_utf8(&response.body).is_err();
        let (response, mut page, body) = self.page(response, position, slice).await?;
        let repaired = page.repaired.take();
        let is_broken = is_broken || repaired.is_some();
        if is_broken {
            self.stats
                .note("some pages are not UTF-8: each invalid byte is kept as U+FFFD and two hexadecimal digits".to_owned());
        }
        let text = repaired.as_deref().map_or(body.as_slice(), str::as_bytes);
        let advanced = self.advance((account, position), &page, text, &response)?;
        page.leave_out(advanced.known);
        Ok(Fetched {
            ids: without(advanced.ids, advanced.known),
            contents: without(advanced.contents, advanced.known),
            moving: without(advanced.moving, advanced.known),
            again: advanced.again,
            nameless: advanced.nameless,
            is_broken,
            fingerprint: advanced.fingerprint,
            sent: advanced.sent,
            page,
            step: advanced.step,
            total: advanced.total,
            stated: advanced.stated,
            body: repaired.map_or(body, String::into_bytes),
        })
    }

    /// Returns a response without its body, the page, and the body that its spans refer to.
    async fn page(
        self: &Arc<Self>,
        response: Response,
        position: &Position,
        slice: &SliceRequest,
    ) -> Result<(Response, ReadPage, Vec<u8>)> {
        let status = response.status;
        let read = async {
            let mut response = self.answer(response, position)?;
            let from = described(&response);
            let body = std::mem::take(&mut response.body);
            let (page, body) = match response.status {
                204 | 400.. => (ReadPage::empty(), body),
                _ if self.spec().absent_is_empty && self.lacks_its_list(&body) => {
                    let beside = listen(&lossless(&body), hears);
                    let page = ReadPage {
                        beside,
                        ..ReadPage::empty()
                    };
                    (page, body)
                }
                _ => {
                    let read = self.whole(body, slice).await;
                    let read = read.and_then(|read| self.check_object(&read.0).map(|()| read));
                    read.map_err(|error| error.at(from))?
                }
            };
            Ok((response, page, body))
        };
        match read.await {
            Err(_) if position.is_before_first() && status != 401 => {
                Ok((no_page(status), ReadPage::empty(), Vec::new()))
            }
            read => read,
        }
    }

    /// Returns a response that is a page, as JSON.
    fn answer(&self, response: Response, position: &Position) -> Result<Response> {
        let mut response = match response.status {
            // Only the runtime wants the overlap, so its refusal is not an error.
            400 | 404 | 416 | 422 if position.overlaps() => response.emptied(),
            status if self.spec().is_empty(status) => response.emptied(),
            status
                if self.spec().paginator.may_be_behind(position, status)
                    && self.spec().on_status.get(&status) != Some(&StatusRule::Fail) =>
            {
                return Ok(response);
            }
            _ => self.success(response, position)?,
        };
        let spec = self.spec();
        // The list of a parent may be answered without a body, if it is empty.
        if spec.parent.is_some() && spec.format.is_json() && response.body.trim_ascii().is_empty() {
            return Ok(response.emptied());
        }
        let media = response.header("content-type").unwrap_or_default();
        let is_html = media
            .trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html");
        let mut tell = |note: String| self.stats.note(note);
        let json = (spec.format).json(&response.body, is_html, self.resource.schema(), &mut tell);
        let redacted = |words: &str| self.client.redactor().redact(words);
        match json.map_err(|error| error.at(described(&response)).map_message(redacted))? {
            Cow::Owned(json) => response.body = json,
            // JSON has an end of its own.
            Cow::Borrowed(_) => response.open_ended = false,
        }
        if self.lacks_its_list(&response.body) && !spec.absent_is_empty {
            return Err(Error::new(ErrorKind::Api, "the response is an object, not a list of records")
                .at(described(&response))
                .hint("an error that the API sends as a success looks like this; a list inside the object needs `.records(…)`; if it stands for an empty list, `list_may_be_absent = true` in etlgen.toml says so, `.list_may_be_absent()` in code"));
        }
        Ok(response)
    }

    /// Returns whether a body is an object, although it should be the list.
    fn lacks_its_list(&self, body: &[u8]) -> bool {
        let spec = self.spec();
        let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
        spec.records.is_empty() && !spec.single && first == Some(&b'{')
    }

    /// Returns a response with a success status, or the error that it describes.
    fn success(&self, response: Response, position: &Position) -> Result<Response> {
        let status = response.status;
        let led = matches!(position.next, Next::Url(_)) && matches!(status, 400 | 404 | 416 | 422);
        let is_bounded = self
            .spec()
            .cursor
            .as_ref()
            .is_some_and(CursorSpec::is_bounded);
        let success = response.success(|| self.client.redactor());
        let success = success.map_err(|error| match is_bounded && status == 404 && position.pages == 0 {
            true => error.hint("if the API answers so for a part of the range without records, `on_status = { 404 = \"empty\" }` in etlgen.toml says so"),
            false => error,
        });
        success.map_err(|error| match led {
            true => error.hint(format!(
                "the API's own link leads to this page, so the list goes on there; `on_status = {{ {status} = \"empty\" }}` says that it is the end"
            )),
            false => error,
        })
    }

    /// Returns what follows a page. `text`: the text that its spans refer to.
    fn advance(
        &self,
        (account, position): (&mut Account, &Position),
        page: &ReadPage,
        text: &[u8],
        response: &Response,
    ) -> Result<Advanced> {
        let probe = |n: usize| page.probes.get(self.probes[n]?)?.as_deref();
        // The fingerprint covers only the records: the envelope may hold the time of the response.
        let records = page.spans.first().zip(page.spans.last());
        let records = records.and_then(|(first, last)| text.get(first.start..last.end));
        let last = page.spans.last().and_then(|span| text.get(span.clone()));
        let (ids, nameless) = self.identities(page, text);
        let contents = self.contents(page, text);
        let began = account.began(self.client.clock_ahead());
        let settled = |row: usize| self.is_settled(page.spans.get(row), text, began);
        let redacted = |words: &str| self.client.redactor().redact(words);
        let facts = PageFacts {
            rows: page.spans.len() as u64,
            probes: [probe(0), probe(1), probe(2)],
            beside: &page.beside,
            stands: page.stands,
            last_id: last.and_then(|record| raw_scalar(record, &self.id_path)),
            fingerprint: records.map(xxh3_64),
            ids: &ids,
            contents: &contents,
            settled: &settled,
            records: (text, &page.spans),
            redacted: &redacted,
            response,
        };
        let compares = self.spec().is_keyed_globally() && self.spec().cursor.is_some();
        let moving = (0..ids.len()).filter(|_| compares).map(|row| !settled(row));
        let moving = moving.collect();
        let paginator = &self.spec().paginator;
        let of_list = |error: Error| (error.at(response.request.clone())).map_message(redacted);
        let judged = account.judge(paginator, position, &facts);
        let judged = judged.map_err(of_list)?;
        let (sent, total) = (facts.rows, paginator.stated_total(&facts));
        let stated = paginator.stated(&facts);
        Ok(Advanced {
            step: judged.step.map_err(of_list),
            known: judged.known,
            again: judged.again,
            nameless,
            fingerprint: facts.fingerprint,
            contents,
            moving,
            ids,
            sent,
            total,
            stated,
        })
    }

    /// Reads the body of a page: returns its records, with the lists in them completed, and the
    /// body that results.
    pub async fn whole(
        self: &Arc<Self>,
        mut body: Vec<u8>,
        slice: &SliceRequest,
    ) -> Result<(ReadPage, Vec<u8>)> {
        let mut page = self.reader.read(&body)?;
        if !page.open.is_empty() {
            let repaired = page.repaired.take();
            let was_repaired = repaired.is_some();
            body = repaired.map_or(body, String::into_bytes);
            let spans = page.open.iter().filter_map(|at| page.spans.get(*at));
            let open: Vec<_> = spans.cloned().collect();
            // Dropping the page avoids holding its records twice.
            drop(page);
            body = self.complete(&body, &open, slice).await?;
            page = self.reader.read(&body)?;
            page.repaired = was_repaired.then(|| lossless(&body).into_owned());
        }
        self.stats.cut(&page.cut);
        self.stats.measure(&page.longest);
        Ok((page, body))
    }

    /// Returns what distinguishes the rows of a page from the others of their list: their keys, or
    /// all of each; and the number of rows that should have a key and have none.
    fn identities(&self, page: &ReadPage, text: &[u8]) -> (Vec<u64>, u64) {
        let whole = |span: &Range<usize>| xxh3_64(text.get(span.clone()).unwrap_or_default());
        if self.key.is_empty() {
            return (page.spans.iter().map(whole).collect(), 0);
        }
        let keys = page.rows.keys(&self.key);
        let nameless = keys.iter().filter(|key| key.is_none()).count() as u64;
        let rows = keys.into_iter().zip(&page.spans);
        let ids = rows.map(|(key, span)| key.unwrap_or_else(|| whole(span)));
        (ids.collect(), nameless)
    }

    /// Checks an object in place of a list: it is one record if it has the key of one. It may as well
    /// hold the records by their ids, or an error.
    fn check_object(&self, page: &ReadPage) -> Result<()> {
        let spec = self.spec();
        if page.stands != Stands::Object || spec.single {
            return Ok(());
        }
        let is_record =
            !self.key.is_empty() && page.rows.keys(&self.key).iter().all(Option::is_some);
        if is_record {
            return Ok(());
        }
        let key: Vec<String> = spec
            .primary_key
            .iter()
            .map(|part| format!("`{}`", part.join(".")))
            .collect();
        let lacks = match key.is_empty() {
            true => String::new(),
            false => format!(" without the key {}", key.join(", ")),
        };
        let message = format!(
            "expected a list of records at `{}`, but found an object{lacks}",
            spec.records.join(".")
        );
        Err(Error::new(ErrorKind::Api, message).hint(
            "the API may have sent an error with a success status, or the list is further down: `records` in etlgen.toml names its path, `.records(…)` in code; one record that is no list is a `single` resource",
        ))
    }

    /// Returns fingerprints of the rows of a page, if rows that recur are compared.
    fn contents(&self, page: &ReadPage, text: &[u8]) -> Vec<u64> {
        if self.key.is_empty() && !self.spec().paginator.is_numbered() {
            return Vec::new();
        }
        let whole = |span: &Range<usize>| xxh3_64(text.get(span.clone()).unwrap_or_default());
        page.spans.iter().map(whole).collect()
    }

    /// Returns whether a record cannot have changed since the pass began, by its cursor. Without a
    /// cursor, records are taken to rest.
    fn is_settled(&self, span: Option<&Range<usize>>, text: &[u8], began: Option<i64>) -> bool {
        let Some(cursor) = &self.spec().cursor else {
            return true;
        };
        let record = span.and_then(|span| text.get(span.clone()));
        let value = record.and_then(|record| raw_scalar(record, &cursor.keys));
        let changed = value.and_then(|value| cursor.parse(&value)?.micros());
        changed.zip(began).is_some_and(|(at, began)| at < began)
    }

    /// Returns whether the response refuses the cursor's filter rather than the request.
    pub fn refuses_filter(&self, response: &Response, window: &Window) -> bool {
        let cursor: Option<&CursorSpec> = self.spec().cursor.as_ref();
        let sent =
            cursor.is_some_and(|cursor| cursor.param.is_some() && window.range.from.is_some());
        sent && matches!(response.status, 400 | 422)
    }
}

impl Listener for Fetcher {
    fn retry(&self, reason: String, cause: String) {
        self.stats.requests.fetch_add(1, Relaxed);
        self.stats.retries.fetch_add(1, Relaxed);
        let resource = self.spec().name.clone();
        self.observer.on(Progress::Retry {
            resource,
            reason,
            cause,
        });
    }

    fn waits(&self, time: Duration) {
        self.stats
            .waited
            .fetch_add(time.as_micros() as u64, Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stop.is_set()
    }

    fn cut(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.stop.wait_for_cut())
    }
}

/// Returns a list without its first items.
fn without<T>(mut list: Vec<T>, first: usize) -> Vec<T> {
    list.drain(..first.min(list.len()));
    list
}

/// Returns the response to a request for a page that does not exist; 503 if that is unknown.
fn no_page(status: u16) -> Response {
    Response {
        status: match status {
            501.. => 503,
            _ => 204,
        },
        headers: HeaderMap::new(),
        body: Vec::new(),
        open_ended: false,
        repeated: false,
        landed: None,
        request: String::new(),
        sent: Sent::default(),
    }
}

/// Describes a response whose body cannot be read: `GET /x (200 text/html, 90 bytes)`.
fn described(response: &Response) -> String {
    let kind = response.header("content-type").unwrap_or("no content type");
    let kind: String = kind.chars().filter(|c| !c.is_control()).take(80).collect();
    format!(
        "{} ({} {kind}, {} bytes)",
        response.request,
        response.status,
        response.body.len()
    )
}

/// Returns the error of a resource whose paging is undecided, unless its one response proves the
/// end.
pub(crate) fn undecided(spec: &ResourceSpec, proof: &Proof) -> Option<Error> {
    let undecided = *spec.paginator == Paginator::Undecided;
    (undecided && !matches!(proof, Proof::Proved(_))).then(|| {
        let why = proof
            .why()
            .unwrap_or("etlgen could not tell how this list is paged");
        Error::new(
            ErrorKind::Paging,
            format!("{why}: one page was read, and more may exist"),
        )
        .hint(format!(
            "set it in the file of `{}` with `.paginate(…)`, or `Paginator::single()`",
            spec.name
        ))
    })
}
