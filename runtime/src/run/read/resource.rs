//! Reads one resource to its end: its slices, page by page, each page together with the state that
//! follows it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use etlgen_model::counted;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::error::{Error, ErrorKind, Result};
use crate::page::Proof;
use crate::record::Timestamp;
use crate::run::plan::SlicePlan;
use crate::run::read::fetch::undecided;
use crate::run::read::intake::Intake;
use crate::run::read::output::{Closed, PassEnd};
use crate::run::read::reader::{ReadOutcome, ResourceReader};
use crate::run::read::tasks::flatten;
use crate::schema::Deletes;
use crate::state::{SliceState, load_time};

/// Slices of one child resource that are read concurrently.
const SLICES_AT_ONCE: usize = 8;
/// The number of failed slices after which a child resource is abandoned.
const FAILED_SLICES: usize = 10;

/// Where the slices of a resource come from.
pub(crate) enum Slices {
    /// The resource is one slice.
    One(Box<SlicePlan>),
    /// The parent finds them.
    Found(mpsc::Receiver<Found>),
}

impl Slices {
    /// Returns whether it is a list that this run reads from its start, without a lower bound.
    pub fn is_in_full(&self) -> bool {
        let Slices::One(slice) = self else {
            return false;
        };
        let pass = slice.state.pass.as_ref();
        pass.is_none_or(|pass| pass.from.is_none() && !pass.is_begun())
    }
}

/// What the reader of a child resource receives about its slices.
pub(crate) enum Found {
    /// A slice that may be read now.
    Slice(FoundSlice),
    /// There are no more slices; without this message the parent has failed or stopped early.
    End {
        /// Whether every existing parent has been found.
        whole: bool,
        /// The proof of the slices that this run does not read, and that all parents were found;
        /// `None`: they are proved.
        owed: Option<Proof>,
        /// Whether an earlier run has read a list of this pass.
        answered: bool,
    },
    /// The parent was left out.
    Skipped,
}

/// A slice that was found.
pub(crate) struct FoundSlice {
    pub id: String,
    pub state: Box<SliceState>,
    /// Whether this pass has seen its parent.
    pub listed: bool,
}

/// The results of the slices of a child resource so far.
#[derive(Default)]
struct Tally {
    stopped: bool,
    /// The messages of the slices that failed, each with the number of slices.
    failures: Vec<(String, usize)>,
    first_error: Option<Error>,
}

impl Tally {
    fn failed(&self) -> usize {
        self.failures.iter().map(|(_, slices)| slices).sum()
    }

    /// Takes the result of a slice; returns false if the resource is abandoned.
    fn take(&mut self, done: Result<ReadOutcome>) -> bool {
        match done {
            Ok(ReadOutcome::Stopped) => self.stopped = true,
            Ok(_) => {}
            Err(error) => {
                let message = error.message();
                match self.failures.iter_mut().find(|(known, _)| known == message) {
                    Some((_, slices)) => *slices += 1,
                    None => self.failures.push((message.to_owned(), 1)),
                }
                let fatal = matches!(
                    error.kind(),
                    ErrorKind::Contract | ErrorKind::Destination | ErrorKind::Usage
                );
                self.first_error.get_or_insert(error);
                return !fatal && self.failed() < FAILED_SLICES;
            }
        }
        true
    }

    /// Returns the error of the resource: that of the first slice, with the number of those that
    /// failed out of `slices`.
    fn error(&mut self, slices: u64) -> Option<Error> {
        let (error, failed) = (self.first_error.take()?, self.failed());
        if failed == 1 {
            return Some(error);
        }
        let causes = match self.failures.len() {
            1 => "each like the first".to_owned(),
            causes => format!("for {causes} reasons, the first"),
        };
        let given_up = match failed >= FAILED_SLICES {
            true => ", and the others were not requested",
            false => "",
        };
        Some(error.at(format!(
            "{failed} of {} failed{given_up}, {causes}",
            counted(slices, "list")
        )))
    }
}

impl ResourceReader {
    /// Reads the resource. Whatever happens, its children do not wait for more afterwards.
    pub async fn read(self: Arc<Self>, slices: Slices) -> Result<ReadOutcome> {
        let read = match slices {
            Slices::One(slice) => self.clone().one(*slice).await,
            Slices::Found(found) => self.clone().children(found).await,
        };
        if read.is_ok() {
            return read;
        }
        let mut intake = self.intake.lock().await;
        if self.collided.load(Relaxed) {
            self.forget_pass(&mut intake);
        }
        // What was read is kept; an error of the destination counts more than that of a reader.
        let kept = intake.output.flush(None).await;
        intake.feed = None;
        intake.output.close(Closed::Early).await;
        kept.and(read)
    }

    /// Reads a resource without a parent.
    async fn one(self: Arc<Self>, planned: SlicePlan) -> Result<ReadOutcome> {
        let outcome = self.clone().slice(String::new(), planned, false).await?;
        if outcome == ReadOutcome::Skipped {
            // Its tables and those of its children stay as they are.
            return self.skip().await;
        }
        match self.unfit().filter(|_| outcome == ReadOutcome::AtEnd) {
            Some(error) => Err(error),
            None => self.finish(outcome).await,
        }
    }

    /// Reads a child resource: the slices that its parent finds, concurrently.
    async fn children(self: Arc<Self>, mut found: mpsc::Receiver<Found>) -> Result<ReadOutcome> {
        let (mut slices, mut tally) = (JoinSet::new(), Tally::default());
        let (mut found_any, mut answered_before) = (false, false);
        loop {
            let next = tokio::select! {
                // The order is fixed, so that a run can be repeated.
                biased;
                next = found.recv(), if slices.len() < SLICES_AT_ONCE => next,
                Some(done) = slices.join_next(), if !slices.is_empty() => {
                    match tally.take(flatten(done)) {
                        true => continue,
                        false => break,
                    }
                }
            };
            found_any |= matches!(next, Some(Found::Slice(..)));
            match next {
                Some(Found::Slice(..)) if self.stopped() => tally.stopped = true,
                Some(Found::Slice(FoundSlice { id, state, listed })) => {
                    let now = self.world().micros();
                    let planned = self.plan.slice(self.fetcher.spec(), *state, now);
                    slices.spawn(self.clone().slice(id, planned, listed));
                }
                Some(Found::Skipped) => {
                    let why = "left out, since its parent was left out".to_owned();
                    self.fetcher.stats.prove(Proof::Unproved(why));
                    return self.skip().await;
                }
                Some(Found::End {
                    whole,
                    owed,
                    answered,
                }) => {
                    answered_before = answered;
                    owed.into_iter()
                        .for_each(|proof| self.fetcher.stats.prove(proof));
                    self.partial.fetch_or(!whole, Relaxed);
                    if whole && !found_any {
                        let why = "its parent has no records".to_owned();
                        self.fetcher.stats.prove(Proof::Proved(why));
                    }
                    break;
                }
                None => {
                    // The parent was not read to its end: there may be slices that were not found.
                    tally.stopped = true;
                    break;
                }
            }
        }
        while let Some(done) = slices.join_next().await {
            tally.take(flatten(done));
        }
        self.doubt_parents();
        match tally.error(self.fetcher.stats.slices.load(Relaxed)) {
            Some(error) => Err(error),
            None if tally.stopped => self.finish(ReadOutcome::Stopped).await,
            None => match (self.hidden(answered_before).or_else(|| self.lost()))
                .or_else(|| self.unfit())
            {
                None => self.finish(ReadOutcome::AtEnd).await,
                Some(error) => {
                    self.give_up().await?;
                    Err(error)
                }
            },
        }
    }

    /// Limits the proof if the lists of all parents are the same list.
    fn doubt_parents(&self) {
        let Some(lists) = self.of_parents().all() else {
            return;
        };
        let why = format!(
            "the lists of all {lists} parents have the same records: the API may ignore which parent it is asked for"
        );
        self.partial.store(true, Relaxed);
        self.fetcher.stats.prove(Proof::Unproved(why));
    }

    /// Ends a pass that has shown nothing, so that the next run requests the lists of the parents
    /// that exist then.
    async fn give_up(&self) -> Result<()> {
        if !self.plan.staged {
            return self.finish(ReadOutcome::AtEnd).await.map(drop);
        }
        // Existing rows must not be replaced by nothing.
        self.forget_pass(&mut *self.intake.lock().await);
        Ok(())
    }

    /// Makes the next run begin another pass of a child resource, in which it reads all slices; if
    /// the key has been seen not to be unique, with all their records and parents.
    fn forget_pass(&self, intake: &mut Intake) {
        if let Some(begun) = self.begun.clone().filter(|_| self.keeps_state) {
            let collided = self.collided.load(Relaxed);
            let missed = collided.then(|| self.plan.id.clone()).or(begun.missed);
            let state = SliceState {
                pass: None,
                missed,
                collided: collided || begun.collided,
                ..begun
            };
            intake.output.remember(self.row("", &state));
        }
    }

    /// Returns the error of a resource whose lists were answered 404 although their parents exist:
    /// all of them, or some of a pass that would replace their rows.
    /// `answered`: an earlier run has read other lists of a pass that goes on.
    fn hidden(&self, answered: bool) -> Option<Error> {
        let stats = &self.fetcher.stats;
        let (slices, hidden) = (stats.slices.load(Relaxed), stats.hidden.load(Relaxed));
        let all = stats.skipped(404) == slices && !answered;
        (hidden > 0 && (all || self.plan.staged)).then(|| {
            let message = match slices {
                1 => "its list was answered 404, but its parent exists".to_owned(),
                slices if all => {
                    format!("all {slices} lists were answered 404, but their parents exist")
                }
                slices => format!(
                    "{hidden} of {slices} lists were answered 404, but their parents exist: the rows of its table are not replaced"
                ),
            };
            Error::new(ErrorKind::Api, message).hint(
                "check the path, and what the credentials may read; if such a list is empty, say so: `on_status = { 404 = \"empty\" }` in etlgen.toml, or `.on_status(404, StatusRule::Empty)`",
            )
        })
    }

    /// Returns the error of a pass that would replace all rows without those of lists that a rule
    /// of the owner leaves out.
    fn lost(&self) -> Option<Error> {
        let lost = self.fetcher.stats.lost.load(Relaxed);
        (lost > 0).then(|| {
            let message = format!(
                "the rows of its table are not replaced: `on_status` leaves out {}, of which an earlier run has read rows",
                counted(lost, "list")
            );
            Error::new(ErrorKind::Api, message).hint(
                "if such a list is now empty, say so: `on_status = { 404 = \"empty\" }` in etlgen.toml; `--full-refresh` replaces the rows without it",
            )
        })
    }

    /// Returns the error of a pass that would replace all rows by those of responses that say that
    /// they are errors, or incomplete.
    fn unfit(&self) -> Option<Error> {
        (self.replaces && self.faulty.load(Relaxed)).then(|| {
            let proof = self.fetcher.stats.lock().proof.clone();
            let why = proof.as_ref().and_then(Proof::why).unwrap_or_default();
            let message = format!("the rows of its table are not replaced: {why}");
            Error::new(ErrorKind::Api, message).hint(
                "run again later; `--full-refresh` replaces the rows by those of such responses",
            )
        })
    }

    /// Returns whether a pass that would replace all rows has shown none, and nothing proves that
    /// there are none.
    fn is_hollow(&self) -> bool {
        let records = self.fetcher.stats.records.load(Relaxed);
        self.replaces && !self.plan.resumes && records == 0 && self.silent.load(Relaxed)
    }

    /// Adds a note that deleted records are kept, if the declaration removes or marks them.
    fn tell_of_kept_records(&self) {
        if self.fetcher.spec().deletes != Deletes::Keep && self.keeps_state {
            let proof = self.fetcher.stats.lock().proof.clone();
            let why = proof.as_ref().and_then(Proof::why);
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            self.fetcher.stats.note(format!(
                "records that the API no longer has are kept, because this pass does not prove which ones these are{why}"
            ));
        }
    }

    /// Adds a note about a pass that an earlier run has begun: it promises the state of its start.
    fn tell_of_start(&self) {
        if let Some(began) = load_time(&self.plan.id) {
            let began = Timestamp::from_micros(began);
            self.fetcher.stats.note(format!(
                "an earlier run has begun to read it: its rows are complete as of {began}, and the next run reads what has changed since"
            ));
        }
    }

    /// Leaves the resource and its children out.
    async fn skip(&self) -> Result<ReadOutcome> {
        let mut intake = self.intake.lock().await;
        intake.output.flush(None).await?;
        intake.feed = None;
        intake.output.close(Closed::Skipped).await;
        Ok(ReadOutcome::Skipped)
    }

    /// Ends the reading after the last slice: sends what is left, and closes the pass at the end of
    /// the list.
    async fn finish(&self, outcome: ReadOutcome) -> Result<ReadOutcome> {
        let mut intake = self.intake.lock().await;
        let stopped = outcome == ReadOutcome::Stopped;
        let at_end = !stopped || self.plan.publishes_cut;
        if at_end && self.keeps_state && self.fetcher.spec().parent.is_some() {
            let state = SliceState {
                done: Some(self.plan.id.clone()),
                ..SliceState::default()
            };
            intake.output.remember(self.row("", &state));
        }
        let silent = self.silent.load(Relaxed) && self.fetcher.stats.records.load(Relaxed) == 0;
        let partial = self.partial.load(Relaxed) || silent;
        let whole = !stopped && self.plan.bounds.is_none() && !partial;
        if partial && self.deletes_older && self.nameless.load(Relaxed) {
            let why = "there are records without a value of the key: after a change their older rows stay";
            self.fetcher.stats.prove(Proof::Unproved(why.to_owned()));
        }
        if outcome == ReadOutcome::AtEnd && partial && !self.plan.partial {
            self.tell_of_kept_records();
        }
        if outcome == ReadOutcome::AtEnd {
            self.take_changes(&mut intake).await?;
        }
        if outcome == ReadOutcome::AtEnd && self.plan.resumes {
            self.tell_of_start();
        }
        let publishes = !self.is_hollow();
        if outcome == ReadOutcome::AtEnd && !publishes {
            let note = "the rows of its table are kept, because nothing proves that the empty list has no records; `--full-refresh` removes them";
            self.fetcher.stats.note(note.to_owned());
        }
        let end = at_end.then_some(PassEnd { whole, publishes });
        intake.output.flush(end).await?;
        if let Some(feed) = intake.feed.take_if(|_| outcome == ReadOutcome::AtEnd) {
            let proof = self.fetcher.stats.lock().proof.clone();
            let notes = feed.hand_over(proof.unwrap_or(Proof::Open)).into_iter();
            notes.for_each(|note| self.fetcher.stats.note(note));
        }
        intake.feed = None;
        let closed = match outcome {
            ReadOutcome::AtEnd => Closed::AtEnd { whole },
            _ => Closed::Early,
        };
        intake.output.close(closed).await;
        let proof = self.fetcher.stats.lock().proof.clone();
        match undecided(self.fetcher.spec(), &proof.unwrap_or(Proof::Open)) {
            Some(error) if at_end => Err(error),
            _ => Ok(outcome),
        }
    }
}
