//! The pages of one list as they are requested, some of them before the page before has been taken.

use std::collections::VecDeque;
use std::sync::Arc;

use tracing::Instrument;

use crate::error::Result;
use crate::http::{Request, Response};
use crate::page::{Next, Position};
use crate::run::read::fetch::Fetcher;
use crate::run::read::tasks::flatten;

/// The pages of one list. Requests for the next ones may be in flight, in the order of the pages.
///
/// They follow from the last page and are guesses: each page still says what comes after it, and if
/// that is not what was guessed, the guesses are dropped.
pub(super) struct Pages {
    fetcher: Arc<Fetcher>,
    first: Request,
    under_way: VecDeque<(Next, UnderWay)>,
}

impl Pages {
    /// Creates the pages of a list. `first`: the request of the list's first page.
    pub fn new(fetcher: Arc<Fetcher>, first: Request) -> Self {
        Pages {
            fetcher,
            first,
            under_way: VecDeque::new(),
        }
    }

    /// Requests these pages, unless they are requested already.
    pub fn ask(&mut self, pages: impl IntoIterator<Item = Position>) {
        for (at, position) in pages.into_iter().enumerate() {
            if self
                .under_way
                .get(at)
                .is_some_and(|(next, _)| *next == position.next)
            {
                continue;
            }
            self.under_way.truncate(at);
            let (fetcher, first) = (self.fetcher.clone(), self.first.clone());
            let next = position.next.clone();
            let ask = async move { fetcher.ask(&first, &position).await };
            let task = tokio::spawn(ask.in_current_span());
            self.under_way.push_back((next, UnderWay(task)));
        }
    }

    /// Returns the response to the request for this page.
    pub async fn take(&mut self, position: &Position) -> Result<Response> {
        match self.under_way.pop_front() {
            Some((next, mut asked)) if next == position.next => flatten((&mut asked.0).await),
            _ => {
                self.under_way.clear();
                self.fetcher.ask(&self.first, position).await
            }
        }
    }
}

/// A request in flight, which is aborted when it is dropped.
struct UnderWay(tokio::task::JoinHandle<Result<Response>>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.abort();
    }
}
