//! Reads pages without a destination and without state: for streams of typed records, `read`, and
//! tests.

use std::any::Any;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::cursor::Range;
use crate::error::{Error, Result};
use crate::http::Client;
use crate::page::{Account, Position, Proof, Step};
use crate::record::{CursorValue, RowRef};
use crate::run::options::{Observer, RunOptions};
use crate::run::plan;
use crate::run::read::fetch::{Fetched, Fetcher, FetcherParts, undecided};
use crate::run::read::pages::Pages;
use crate::run::read::window::Window;
use crate::run::report::stats::Stats;
use crate::source::{AnyResource, LinkFn, RowSink, SliceRequest, Source};

/// The parts that reading without state needs; they are cheap to clone.
#[derive(Clone)]
pub(crate) struct Stateless {
    pub source: Source,
    pub client: Arc<Client>,
    pub observer: Arc<dyn Observer>,
    pub options: RunOptions,
}

/// The pages of one slice, one after the other.
pub(crate) struct SlicePages {
    fetcher: Arc<Fetcher>,
    pub window: Window,
    slice: SliceRequest,
    pages: Pages,
    position: Option<Position>,
    account: Account,
    /// The error of the list, which follows the rows of its last page.
    error: Option<Error>,
}

impl Stateless {
    pub fn new(source: &Source, client: Client, options: &RunOptions) -> Result<Self> {
        source.validate()?;
        let options = options.clone();
        Ok(Stateless {
            source: source.clone(),
            client: Arc::new(client),
            observer: Arc::new(()),
            options,
        })
    }

    pub fn fetcher(&self, resource: Arc<dyn AnyResource>) -> Arc<Fetcher> {
        let parts = FetcherParts {
            client: self.client.clone(),
            stats: Arc::new(Stats::default()),
            observer: self.observer.clone(),
            stop: self.options.stop.clone(),
        };
        Arc::new(Fetcher::new(resource, parts, None))
    }

    /// Returns the pages of one slice.
    pub fn pages(&self, fetcher: &Arc<Fetcher>, slice: &SliceRequest) -> Result<SlicePages> {
        let cursor = fetcher.spec().cursor.as_ref();
        let window = match cursor.zip(plan::bounds(cursor, &self.options)?) {
            Some((cursor, bounds)) => Window::strict(Range::parse(&bounds, cursor)),
            None => Window::default(),
        };
        let first = fetcher.first_request(slice, &window)?;
        Ok(SlicePages {
            fetcher: fetcher.clone(),
            account: fetcher.account(&window, &Default::default()),
            error: None,
            window,
            slice: slice.clone(),
            pages: Pages::new(fetcher.clone(), first),
            position: Some(Position::default()),
        })
    }
}

impl SlicePages {
    /// Returns the next page; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Fetched>> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let Some(position) = self.position.take() else {
            return Ok(None);
        };
        let response = self.pages.take(&position).await?;
        let spec = self.fetcher.spec();
        if position == Position::default() && spec.skips(response.status) {
            return Ok(None);
        }
        let account = &mut self.account;
        let fetched = (self.fetcher).read(response, &position, &self.slice, account);
        let mut fetched = fetched.await?;
        match std::mem::replace(&mut fetched.step, Ok(Step::End(Proof::Open))) {
            // Without state nothing checks whether the rows come again.
            Ok(Step::Next(next)) if next.comes_again() => {}
            Ok(Step::Next(next)) => self.position = Some(next),
            Ok(Step::End(proof)) => self.error = undecided(spec, &proof),
            Err(error) => self.error = Some(error),
        }
        Ok(Some(fetched))
    }
}

/// Returns the slices of a resource: one for a resource without a parent, else one per record of
/// its parent.
pub(crate) fn slices(
    stateless: &Stateless,
    resource: &Arc<dyn AnyResource>,
) -> mpsc::Receiver<Result<SliceRequest>> {
    let (sender, receiver) = mpsc::channel(64);
    let (stateless, resource) = (stateless.clone(), resource.clone());
    tokio::spawn(async move {
        if let Err(error) = find_slices(&stateless, &resource, &sender).await {
            // A dropped receiver needs no more slices.
            let _ = sender.send(Err(error)).await;
        }
    });
    receiver
}

async fn find_slices(
    stateless: &Stateless,
    resource: &Arc<dyn AnyResource>,
    sender: &mpsc::Sender<Result<SliceRequest>>,
) -> Result<()> {
    let Some(link) = &resource.spec().parent else {
        let _ = sender.send(Ok(SliceRequest::default())).await;
        return Ok(());
    };
    let parent = stateless.source.find(&link.resource)?;
    let fetcher = stateless.fetcher(parent.clone());
    let mut parents = slices(stateless, parent);
    while let Some(slice) = parents.recv().await {
        let slice = slice?;
        let mut pages = stateless.pages(&fetcher, &slice)?;
        while let Some(fetched) = pages.next().await? {
            let mut links = Links {
                request: &slice,
                link: &*link.link,
                window: &Window::default(),
                found: Vec::new(),
            };
            fetched.page.rows.drain(&mut links)?;
            for found in links.found {
                if sender.send(Ok(found)).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Collects the slices of one child from the rows of its parent.
struct Links<'a> {
    link: &'a LinkFn,
    request: &'a SliceRequest,
    window: &'a Window,
    found: Vec<SliceRequest>,
}

impl RowSink for Links<'_> {
    fn admit(&mut self, cursor: Option<CursorValue>) -> bool {
        self.window.holds(cursor.as_ref())
    }

    fn take(&mut self, _: RowRef<'_>, _: &dyn Any) -> Result<()> {
        Ok(())
    }

    fn link(&mut self, record: &dyn Any) {
        self.found
            .extend((self.link)(record, self.request).finish());
    }
}
