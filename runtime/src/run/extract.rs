//! Reads one resource to its end: its slices, page by page, each page together with the state that follows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use crate::error::{ErrorKind, Result};
use crate::load::NotSeenSince;
use crate::page::Proof;
use crate::run::ahead::flatten;
use crate::run::children::Found;
use crate::run::fetch::{Fetcher, undecided};
use crate::run::lane::Lane;
use crate::run::sink::Sink;
use crate::run::window::Window;
use crate::run::{Progress, StopSignal};
use crate::schema::Deletes;
use crate::state::{SliceState, StateChange};

/// Slices of one child resource that are read side by side.
const SLICES_AT_ONCE: usize = 8;
/// After that many failed slices a child resource gives up.
const FAILED_SLICES: usize = 10;

/// Reads one resource.
pub(crate) struct Extraction {
    pub fetcher: Arc<Fetcher>,
    pub sink: Mutex<Sink>,
    /// `None`: the resource is read only for its children, and its own state stays as it is.
    pub keeps_state: bool,
    /// The pass of this run (which may have begun in an earlier one).
    pub pass: String,
    /// Its rows go to staging and replace the table's at its end.
    pub staged: bool,
    /// A pass that `--limit` cuts short is published as it is, since nothing was loaded before.
    pub publish_cut: bool,
    /// New passes ask for everything, wherever the cursor stands.
    pub from_start: bool,
    /// What becomes of records that are gone.
    pub deletes: Deletes,
    /// A child: its state when the pass began.
    pub begun: SliceState,
    /// This pass does not show every record that there is.
    pub partial: AtomicBool,
    /// Asked for by `--since` or `--until`; such a run leaves the cursor as it is.
    pub explicit: Option<Window>,
    /// The rows of the state that are its own.
    pub lane: Lane,
    /// How long windows are, in place of what is declared.
    pub window_length: Option<Duration>,
    /// Lists that this run has begun to read.
    pub lists: AtomicU64,
    pub limit: Option<u64>,
    pub taken: AtomicU64,
    pub stop: StopSignal,
}

/// Why reading ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// At the end of the list.
    AtEnd,
    /// Left out, as the rules for its status say.
    Skipped,
    /// At `--limit`, or by a signal.
    Stopped,
}

impl Extraction {
    pub(super) fn name(&self) -> &str {
        &self.fetcher.spec().name
    }

    /// Reads a resource without a parent.
    pub async fn root(self: Arc<Self>, state: SliceState) -> Result<Ended> {
        let ended = self.clone().slice(String::new(), state).await?;
        if ended == Ended::Skipped {
            // Its tables stay as they are, and those of its children.
            let mut sink = self.sink.lock().await;
            sink.flush(false).await?;
            sink.skip().await;
            return Ok(ended);
        }
        self.finish(ended).await
    }

    /// Reads a child resource: the slices that its parent finds, side by side.
    pub async fn child(self: Arc<Self>, mut queue: mpsc::Receiver<Found>) -> Result<Ended> {
        let mut slices = JoinSet::new();
        let (mut ended, mut failures, mut first_error) = (Ended::AtEnd, 0, None);
        loop {
            let next = tokio::select! {
                next = queue.recv(), if slices.len() < SLICES_AT_ONCE => next,
                Some(done) = slices.join_next(), if !slices.is_empty() => {
                    match flatten(done) {
                        Ok(Ended::Stopped) => ended = Ended::Stopped,
                        Ok(_) => {}
                        Err(error) => {
                            failures += 1;
                            let fatal = matches!(error.kind(), ErrorKind::Credentials | ErrorKind::Contract | ErrorKind::Destination | ErrorKind::Usage);
                            first_error.get_or_insert(error);
                            if fatal || failures >= FAILED_SLICES {
                                break;
                            }
                        }
                    }
                    continue;
                }
            };
            match next {
                Some(Found::Slice(..)) if self.stopped() => ended = Ended::Stopped,
                Some(Found::Slice(slice, state)) => {
                    slices.spawn(self.clone().slice(slice, *state));
                }
                Some(Found::Skipped) => {
                    let why = "left out: its parent was".to_owned();
                    self.fetcher.stats.prove(Proof::Unproved(why));
                    let mut sink = self.sink.lock().await;
                    sink.flush(false).await?;
                    sink.skip().await;
                    return Ok(Ended::Skipped);
                }
                Some(Found::End { whole }) => {
                    self.partial.fetch_or(!whole, Relaxed);
                    break;
                }
                None => {
                    // The parent did not get to its end: there may be slices that nobody has found.
                    ended = Ended::Stopped;
                    break;
                }
            }
        }
        while let Some(done) = slices.join_next().await {
            match flatten(done) {
                Ok(Ended::Stopped) => ended = Ended::Stopped,
                Ok(_) => {}
                Err(error) => {
                    failures += 1;
                    first_error.get_or_insert(error);
                }
            }
        }
        match first_error {
            Some(error) => {
                self.sink.lock().await.flush(false).await?;
                Err(if failures > 1 {
                    error.at(format!("{failures} slices failed, the first"))
                } else {
                    error
                })
            }
            None => self.finish(ended).await,
        }
    }

    /// After the last slice: sends what is left; at the end of the list the pass is closed.
    async fn finish(&self, ended: Ended) -> Result<Ended> {
        let mut sink = self.sink.lock().await;
        let at_end = ended != Ended::Stopped || self.publish_cut;
        if at_end && self.keeps_state && self.fetcher.spec().parent.is_some() {
            let state = SliceState {
                done: Some(self.pass.clone()),
                ..SliceState::default()
            };
            sink.remember(self.row("", &state));
        }
        let whole =
            ended != Ended::Stopped && self.explicit.is_none() && !self.partial.load(Relaxed);
        if whole && self.deletes != Deletes::Keep {
            sink.not_seen = Some(NotSeenSince {
                load: self.pass.clone(),
                mark: (self.deletes == Deletes::Soft).then(now),
            });
        }
        if ended == Ended::AtEnd {
            self.change(&mut sink).await?;
        }
        sink.flush(at_end).await?;
        if let Some(feed) = sink.feed.take_if(|_| ended == Ended::AtEnd) {
            let notes = feed.hand_over();
            notes
                .into_iter()
                .for_each(|note| self.fetcher.stats.note(note));
        }
        sink.close((ended == Ended::AtEnd).then_some(whole)).await;
        match undecided(self.fetcher.spec()) {
            Some(error) if at_end => Err(error),
            _ => Ok(ended),
        }
    }

    /// A slice did not show all its records: nor does the pass, in whatever run it ends.
    pub(super) fn fall_short(&self, sink: &mut Sink) {
        let before = self.partial.swap(true, Relaxed);
        if before || !self.keeps_state {
            return;
        }
        let mut state = self.begun.clone();
        if let Some(pass) = &mut state.pass {
            pass.partial = true;
            sink.remember(self.row("", &state));
        }
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.is_set()
            || self
                .limit
                .is_some_and(|limit| self.taken.load(Relaxed) >= limit)
    }

    pub(super) fn row(&self, slice: &str, state: &SliceState) -> StateChange {
        self.lane.put(self.name(), slice, state)
    }

    pub(super) fn warn(&self, message: String) {
        self.fetcher.stats.note(message.clone());
        self.fetcher.observer.on(Progress::Warning {
            resource: self.name().to_owned(),
            message,
        });
    }
}

/// Microseconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}
