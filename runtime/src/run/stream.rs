//! Typed records as a stream, for programs that use a connector as a library.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::error::Result;
use crate::http::Client;
use crate::record::{Record, Row};
use crate::run::options::RunOptions;
use crate::run::read::stateless::{Stateless, slices};
use crate::source::{AnyResource, Resource, Source, TypedRows};

/// The records of one resource, page after page, in the order in which the API sends them.
pub struct Records<T> {
    pages: mpsc::Receiver<Result<Vec<Row<T>>>>,
    ready: VecDeque<Row<T>>,
}

impl Source {
    /// Streams the typed records of one resource, without state and without a destination.
    ///
    /// A child resource reads its parents first, as [`crate::run::sync`] does.
    pub fn stream<T: Record>(&self, resource: Resource<T>) -> Records<T> {
        Records::new(self, resource)
    }
}

impl<T: Record> Records<T> {
    fn new(source: &Source, resource: Resource<T>) -> Self {
        // One page waits while the records of another are used.
        let (sender, pages) = mpsc::channel(1);
        let source = source.clone();
        tokio::spawn(async move {
            if let Err(error) = read_all(&source, Arc::new(resource), &sender).await {
                let _ = sender.send(Err(error)).await;
            }
        });
        Records {
            pages,
            ready: VecDeque::new(),
        }
    }

    /// Returns the next record; `None` after the last record or after an error.
    pub async fn next(&mut self) -> Option<Result<T>> {
        self.next_row().await.map(|row| row.map(|row| row.record))
    }

    /// Returns the next record with its drift.
    pub async fn next_row(&mut self) -> Option<Result<Row<T>>> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Some(Ok(row));
            }
            match self.pages.recv().await? {
                Ok(rows) => self.ready = rows.into(),
                Err(error) => {
                    self.pages.close();
                    return Some(Err(error));
                }
            }
        }
    }
}

async fn read_all<T: Record>(
    source: &Source,
    resource: Arc<dyn AnyResource>,
    sender: &mpsc::Sender<Result<Vec<Row<T>>>>,
) -> Result<()> {
    let mut options = source.client_options();
    options.other_auth.extend(resource.spec().auth.clone());
    let stateless = Stateless::new(source, Client::new(options)?, &RunOptions::default())?;
    let fetcher = stateless.fetcher(resource.clone());
    let mut slices = slices(&stateless, &resource);
    while let Some(slice) = slices.recv().await {
        let mut pages = stateless.pages(&fetcher, &slice?)?;
        while let Some(fetched) = pages.next().await? {
            let Ok(rows) = fetched.page.rows.into_any().downcast::<TypedRows<T>>() else {
                continue;
            };
            let rows = rows.applied().collect();
            if sender.send(Ok(rows)).await.is_err() {
                // The receiver was dropped.
                return Ok(());
            }
        }
    }
    Ok(())
}
