//! Small looks at a source: are the credentials good, what tables would there be, what does a resource send.

use std::any::Any;

use crate::error::{Error, ErrorKind, Result};
use crate::normalize::{NormalizeOptions, Normalizer};
use crate::page::Position;
use crate::record::{CursorValue, RowRef};
use crate::run::options::RunOptions;
use crate::run::read::fetch::Fetched;
use crate::run::read::stateless::{Stateless, slices};
use crate::run::read::window::Window;
use crate::schema::TableSchema;
use crate::source::{RowSink, SliceRequest, Source};

/// Sends one request with the credentials, and says what it proved.
pub async fn check(source: &Source) -> Result<String> {
    let stateless = Stateless::new(source, source.client()?, &RunOptions::default())?;
    let root = source
        .resources()
        .iter()
        .find(|resource| resource.spec().parent.is_none())
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Usage,
                format!("the source `{}` has no resource to ask for", source.name()),
            )
        })?;
    let fetcher = stateless.fetcher(root.clone());
    let slice = SliceRequest::default();
    let first = fetcher.first_request(&slice, &Default::default())?;
    let response = fetcher.ask(&first, &Position::default()).await?;
    let (asked, status) = (response.request.clone(), response.status);
    let (mut account, start) = (fetcher.account(&Default::default()), Position::default());
    let fetched = fetcher.read(response, &start, &slice, &mut account);
    let fetched = fetched.await?;
    let records = fetched.page.spans.len();
    Ok(format!(
        "{asked} answered {status} with {records} records: the credentials are good"
    ))
}

/// The tables and columns that a run declares before it has read anything.
pub fn discover(source: &Source) -> Result<Vec<TableSchema>> {
    source.validate()?;
    let mut tables = Vec::new();
    for resource in source.resources() {
        let spec = resource.spec();
        let options = NormalizeOptions::new(&spec.name, &spec.primary_key, spec.disposition());
        tables.extend(Normalizer::new(resource.schema(), options, &[])?.tables());
    }
    Ok(tables)
}

/// Hands the raw JSON of each record of a resource to `sink`, as the API sent it (the owner's closures are not
/// applied); of the options, `limit`, `since` and `until` count.
pub async fn read(
    source: &Source,
    resource: &str,
    options: &RunOptions,
    sink: &mut (dyn FnMut(&[u8]) -> Result<()> + Send),
) -> Result<()> {
    let stateless = Stateless::new(source, source.client()?, options)?;
    let resource = source.find(resource)?;
    let fetcher = stateless.fetcher(resource.clone());
    let mut left = options.limit.unwrap_or(u64::MAX);
    let mut slices = slices(&stateless, resource);
    while let Some(slice) = slices.recv().await {
        let mut pages = stateless.pages(&fetcher, &slice?)?;
        while let Some(fetched) = pages.next().await? {
            let Fetched { page, body, .. } = fetched;
            let mut wanted = Wanted {
                window: &pages.window,
                rows: Vec::with_capacity(page.spans.len()),
            };
            page.rows.drain(&mut wanted)?;
            for (span, _) in page
                .spans
                .iter()
                .zip(&wanted.rows)
                .filter(|(_, wanted)| **wanted)
            {
                if left == 0 {
                    return Ok(());
                }
                left -= 1;
                sink(body.get(span.clone()).unwrap_or_default())?;
            }
        }
    }
    Ok(())
}

/// Notes which rows of a page belong to the window.
struct Wanted<'a> {
    window: &'a Window,
    rows: Vec<bool>,
}

impl RowSink for Wanted<'_> {
    fn admit(&mut self, cursor: Option<CursorValue>) -> bool {
        self.rows.push(self.window.holds(cursor.as_ref()));
        false
    }

    fn take(&mut self, _: RowRef<'_>, _: &dyn Any) -> Result<()> {
        Ok(())
    }
}
