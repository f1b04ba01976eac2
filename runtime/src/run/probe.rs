//! Small checks of a source: whether its credentials are accepted, which tables a run creates, what
//! a resource sends.

use std::any::Any;
use std::sync::Arc;

use etlgen_model::counted;

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

/// The most resources that [`check`] requests.
const MOST_CHECKED: usize = 5;

/// Requests the first page of a resource, and returns what that proves about the credentials.
///
/// The resource has no parent and no missing setting, and is not off; resources that are read with
/// GET come first. A refusal other than 401 concerns that resource alone, so another one is
/// requested. Any other error ends the check.
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
        // A list that is forbidden says more about the credentials than one that does not exist.
        _ => {
            let worst = refused.iter().position(|(status, _)| *status == 403);
            return Err(refused.swap_remove(worst.unwrap_or(0)).1);
        }
    };
    Err(Error::new(ErrorKind::Usage, message))
}

/// Requests the first page; returns a description of the response, or a refusal that concerns this
/// resource alone.
async fn ask(
    stateless: &Stateless,
    resource: &Arc<dyn AnyResource>,
) -> Result<std::result::Result<String, (u16, Error)>> {
    let fetcher = stateless.fetcher(resource.clone());
    let slice = SliceRequest::default();
    let first = fetcher.first_request(&slice, &Default::default())?;
    let response = fetcher.ask(&first, &Position::default()).await?;
    let (asked, status) = (response.request.clone(), response.status);
    let (mut account, start) = (
        fetcher.account(&Default::default(), &Default::default()),
        Position::default(),
    );
    let read = fetcher.read(response, &start, &slice, &mut account);
    match read.await {
        Ok(fetched) => {
            let records = fetched.page.spans.len();
            Ok(Ok(format!(
                "{asked} answered {status} with {}",
                counted(records as u64, "record")
            )))
        }
        Err(error) if matches!(status, 400 | 402..=428 | 431..=500) => Ok(Err((status, error))),
        Err(error) => Err(error),
    }
}

/// Returns the tables and columns that a run declares before it has read anything.
pub fn discover(source: &Source) -> Result<Vec<TableSchema>> {
    source.validate()?;
    let mut tables = Vec::new();
    for resource in source.resources() {
        let spec = resource.spec();
        let options = NormalizeOptions::new(&spec.name, &spec.primary_key, spec.disposition());
        let mut normalizer = Normalizer::new(resource.schema(), options, &[])?;
        normalizer.announce(&spec.path_columns(resource.schema()));
        tables.extend(normalizer.tables());
    }
    Ok(tables)
}

/// Hands the raw JSON of each record of a resource to `sink`, as the API sent it (the owner's
/// closures are not applied). Of the options, `limit`, `since` and `until` apply.
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

/// Records which rows of a page belong to the window.
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
