//! Small looks at a source: are the credentials good, what tables would there be, what does a resource send.

use std::any::Any;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::http::Method;
use crate::normalize::{NormalizeOptions, Normalizer};
use crate::page::Position;
use crate::record::{CursorValue, RowRef};
use crate::run::options::RunOptions;
use crate::run::read::fetch::Fetched;
use crate::run::read::stateless::{Stateless, slices};
use crate::run::read::window::Window;
use crate::schema::TableSchema;
use crate::source::{AnyResource, RowSink, SliceRequest, Source};

/// The most resources that [`check`] asks.
const MOST_CHECKED: usize = 5;

/// Asks a resource for its first page, and tells what that proves of the credentials.
///
/// The resource needs no parent and no missing setting, and is not off; one that is read with GET comes first. An answer of
/// 403 or 404 is about that resource alone, so another one is asked. Any other error ends the check.
pub async fn check(source: &Source) -> Result<String> {
    let stateless = Stateless::new(source, source.client()?, &RunOptions::default())?;
    let mut candidates: Vec<&Arc<dyn AnyResource>> = source
        .resources()
        .iter()
        .filter(|resource| {
            let spec = resource.spec();
            spec.parent.is_none() && spec.off.is_none() && spec.missing.is_none()
        })
        .collect();
    candidates.sort_by_key(|resource| {
        let spec = resource.spec();
        (spec.auth.is_some(), spec.method != Method::Get)
    });
    let mut refused: Vec<(u16, Error)> = Vec::new();
    for resource in candidates.into_iter().take(MOST_CHECKED) {
        match ask(&stateless, resource).await? {
            Ok(answer) if source.has_credentials() => {
                return Ok(format!("{answer}: the credentials are good"));
            }
            Ok(answer) => return Ok(format!("{answer}: the API answers without credentials")),
            Err(refusal) => refused.push(refusal),
        }
    }
    let message = match refused.as_slice() {
        [] => format!(
            "the source `{}` has no resource that can be asked alone: each has a parent, is off, or misses a setting",
            source.name()
        ),
        // What one list answers says more of the credentials than a list that is not there.
        _ => {
            let worst = refused.iter().position(|(status, _)| *status == 403);
            return Err(refused.swap_remove(worst.unwrap_or(0)).1);
        }
    };
    Err(Error::new(ErrorKind::Usage, message))
}

/// Asks for the first page: what was answered, or a refusal that is about this resource alone.
async fn ask(
    stateless: &Stateless,
    resource: &Arc<dyn AnyResource>,
) -> Result<std::result::Result<String, (u16, Error)>> {
    let fetcher = stateless.fetcher(resource.clone());
    let slice = SliceRequest::default();
    let first = fetcher.first_request(&slice, &Default::default())?;
    let response = fetcher.ask(&first, &Position::default()).await?;
    let (asked, status) = (response.request.clone(), response.status);
    match fetcher.read(response, &Position::default(), &slice).await {
        Ok(fetched) => {
            let records = fetched.page.spans.len();
            Ok(Ok(format!(
                "{asked} answered {status} with {records} records"
            )))
        }
        Err(error) if matches!(status, 403 | 404) => Ok(Err((status, error))),
        Err(error) => Err(error),
    }
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
