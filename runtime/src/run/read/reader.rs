//! The reader of one resource, which its slices and their lists share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex as StdMutex, MutexGuard};

use tokio::sync::Mutex;

use crate::error::Result;
use crate::page::Proof;
use crate::record::CursorValue;
use crate::run::options::{Progress, StopSignal};
use crate::run::plan::{PassPlan, ResourcePlan, Slices};
use crate::run::read::alike::Alike;
use crate::run::read::fetch::{Fetcher, FetcherParts};
use crate::run::read::intake::Intake;
use crate::run::read::keys::ListKeys;
use crate::run::read::output::Output;
use crate::schema::{Deletes, Disposition};
use crate::source::{AnyResource, SliceRequest};
use crate::state::{Pass, SliceState, StateChange};
use crate::world::World;

/// Reads one resource.
pub(crate) struct ResourceReader {
    pub fetcher: Arc<Fetcher>,
    /// Takes its pages.
    pub intake: Mutex<Intake>,
    /// Whether its rows are loaded and its state is kept; otherwise it is read only for its
    /// children.
    pub(super) keeps_state: bool,
    /// The pass of this run, which may have begun in an earlier one.
    pub plan: PassPlan,
    /// Whether requests have the bounds of its cursor.
    pub(super) sends_bounds: bool,
    /// Whether a record that comes again replaces its row.
    pub(super) upserts: bool,
    /// Whether older rows stay that no record replaces.
    pub(super) keeps_older: bool,
    /// Whether a complete pass deletes or marks the rows that it has not shown.
    pub(super) deletes_older: bool,
    /// Whether this pass would replace the rows of one that ended before.
    pub(super) replaces: bool,
    /// For a child: its state during the pass.
    pub(super) begun: Option<SliceState>,
    /// Whether this pass does not show every existing record.
    pub partial: AtomicBool,
    /// Whether a list was empty, and nothing proves that.
    pub(super) silent: AtomicBool,
    /// Whether records without a value of the key have come.
    pub(super) nameless: AtomicBool,
    /// Whether a response says that it is an error, or incomplete.
    pub(super) faulty: AtomicBool,
    /// For a child whose key identifies its records across parents: the keys that have come.
    pub(super) keys: Option<StdMutex<ListKeys>>,
    /// The keys that have come in the windows of its slices.
    pub(super) window_keys: StdMutex<ListKeys>,
    /// For a child: the lists of its parents.
    lists_of_parents: StdMutex<Alike>,
    /// Whether the key has been seen not to identify a record.
    pub(super) collided: AtomicBool,
    /// Lists that this run has begun to read.
    pub lists: AtomicU64,
    /// Records that this run has taken.
    pub taken: AtomicU64,
    stop: StopSignal,
}

/// Why reading ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadOutcome {
    /// The list ended.
    AtEnd,
    /// The list was left out by the rule for its status.
    Skipped,
    /// The run reached `--limit` or received a signal.
    Stopped,
}

/// A slice that is being read; its windows share it.
pub(super) struct Slice {
    pub id: String,
    pub request: SliceRequest,
    /// Columns that each row gets.
    pub columns: BTreeMap<String, Option<String>>,
    /// Whether this pass has seen its parent.
    pub listed: bool,
    /// Whether its pass is read from a later value of the cursor than that from which it began.
    pub continues: bool,
    /// Whether its list was not shown although it may have rows, so that the next run requests it
    /// again.
    pub hidden: AtomicBool,
    pub(super) state: StdMutex<SliceState>,
}

impl Slice {
    pub(super) fn state(&self) -> MutexGuard<'_, SliceState> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Returns its pass, or a default one if none is open.
    pub fn pass(&self) -> Pass {
        self.state().pass.clone().unwrap_or_default()
    }

    /// Changes its pass, if one is open.
    pub fn change(&self, change: impl FnOnce(&mut Pass)) {
        if let Some(pass) = &mut self.state().pass {
            change(pass);
        }
    }
}

impl ResourceReader {
    /// Creates a reader of the slices of a plan. `children`: the resources whose slices its records
    /// make.
    pub fn new(
        resource: Arc<dyn AnyResource>,
        plan: &ResourcePlan,
        parts: FetcherParts,
        children: &[Arc<dyn AnyResource>],
        output: Box<dyn Output>,
    ) -> Result<Self> {
        let stop = parts.stop.clone();
        let intake = Intake::new(
            &*resource,
            plan.loads,
            children,
            parts.stats.clone(),
            output,
        );
        let selection = plan.write.selection(&plan.name)?;
        let selection = selection.filter(|_| !plan.write.reads_all_fields);
        let fetcher = Fetcher::new(resource, parts, selection.as_ref());
        let (spec, write) = (fetcher.spec(), &plan.write);
        let sends_bounds = spec
            .cursor
            .as_ref()
            .is_some_and(|cursor| cursor.param.is_some());
        let keyed = !spec.primary_key.is_empty() && write.disposition != Disposition::Append;
        let merges = write.disposition == Disposition::Merge;
        let keys = spec.is_keyed_globally().then(StdMutex::default);
        let ended = match &plan.slices {
            Slices::One(slice) => slice.state.done.is_some(),
            Slices::Children(slices) => slices.begun.done.is_some(),
        };
        Ok(ResourceReader {
            sends_bounds,
            upserts: keyed,
            keeps_older: plan.loads && merges && write.deletes == Deletes::Keep,
            deletes_older: plan.loads && merges && write.deletes != Deletes::Keep,
            fetcher: Arc::new(fetcher.thorough(plan.pass.thorough)),
            intake: Mutex::new(intake),
            keeps_state: plan.loads,
            begun: plan.children().map(|slices| slices.begun.clone()),
            partial: plan.pass.partial.into(),
            silent: AtomicBool::new(false),
            nameless: AtomicBool::new(false),
            faulty: AtomicBool::new(false),
            replaces: plan.pass.staged && ended,
            plan: plan.pass.clone(),
            keys,
            window_keys: StdMutex::default(),
            lists_of_parents: StdMutex::default(),
            collided: AtomicBool::new(false),
            lists: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            stop,
        })
    }

    /// Returns the lists of its parents that have been read.
    pub(super) fn of_parents(&self) -> MutexGuard<'_, Alike> {
        (self.lists_of_parents.lock()).unwrap_or_else(|e| e.into_inner())
    }

    pub(super) fn world(&self) -> &World {
        self.fetcher.client.world()
    }

    pub(super) fn name(&self) -> &str {
        &self.fetcher.spec().name
    }

    /// Records that a slice did not show all its records: then the pass does not either, in
    /// whatever run it ends.
    pub(super) fn fall_short(&self, intake: &mut Intake, slice: &Slice) {
        let before = self.partial.swap(true, Relaxed);
        if before || !self.keeps_state {
            return;
        }
        match self.begun.clone() {
            // The state of a resource without a parent is that of its one slice.
            None => slice.change(|pass| pass.partial = true),
            Some(mut state) => {
                if let Some(pass) = &mut state.pass {
                    pass.partial = true;
                    intake.output.remember(self.row("", &state));
                }
            }
        }
    }

    /// Adds the proof of a list to the report, and to the pass of its slice.
    pub(super) fn prove(&self, slice: &Slice, proof: Proof) {
        self.owe(slice, proof.clone());
        self.fetcher.stats.prove(proof);
    }

    /// Adds a proof to the pass of a slice, which may end in another run.
    pub(super) fn owe(&self, slice: &Slice, proof: Proof) {
        if !proof.is_proved() {
            slice.change(|pass| Proof::weaken(&mut pass.proof, proof));
        }
    }

    /// Counts a list that is left out for this status. If this pass has seen the parent, 404 does
    /// not show that the parent is deleted: the credentials may not permit the list. If it has not,
    /// the parent may be deleted or not. A rule of the
    /// owner leaves the list out, but does not show that it has no records.
    pub(super) fn leave_out(&self, slice: &Slice, status: u16) {
        let (stats, spec) = (&self.fetcher.stats, self.fetcher.spec());
        stats.skip(status);
        if status == 404 && spec.parent.is_some() && !slice.listed {
            let why = "a list was answered 404, and this pass has not read its parent: whether it still exists is unknown, and `--full-refresh` reads all parents";
            if !spec.on_status.contains_key(&status) {
                self.prove(slice, Proof::Unproved(why.to_owned()));
            }
            return;
        }
        let why = match spec.on_status.contains_key(&status) {
            true => {
                stats.rule_out(status);
                let state = slice.state();
                if self.plan.staged && state.done.is_some() && !state.left_out {
                    slice.hidden.store(true, Relaxed);
                    stats.lost.fetch_add(1, Relaxed);
                }
                format!("left out, as `on_status` says: it was answered {status}")
            }
            false => {
                slice.hidden.store(true, Relaxed);
                stats.hidden.fetch_add(1, Relaxed);
                "a list was answered 404, but its parent exists".to_owned()
            }
        };
        self.prove(slice, Proof::Unproved(why));
    }

    pub(super) fn stopped(&self) -> bool {
        let limit = self.plan.limit;
        self.stop.is_set() || limit.is_some_and(|limit| self.taken.load(Relaxed) >= limit)
    }

    pub(super) fn row(&self, slice: &str, state: &SliceState) -> StateChange {
        self.plan.scope.put(self.name(), slice, state)
    }

    pub(super) fn warn(&self, message: String) {
        self.fetcher.stats.note(message.clone());
        self.fetcher.observer.on(Progress::Warning {
            resource: self.name().to_owned(),
            message,
        });
    }

    /// Adds the state of the slice to the rows taken so far.
    pub(super) fn remember(&self, intake: &mut Intake, slice: &Slice) {
        if let Some(row) = self.remembered(slice) {
            intake.output.remember(row);
        }
    }

    /// Returns the state of the slice as it is stored, if it is.
    pub(super) fn remembered(&self, slice: &Slice) -> Option<StateChange> {
        let mut state = slice.state();
        if let Some(pass) = &mut state.pass {
            pass.clock = self.clock(pass);
        }
        // A pass that is published although it was cut cannot be resumed.
        let open_cut = self.plan.publishes_cut && state.pass.is_some();
        (self.keeps_state && !open_cut).then(|| self.row(&slice.id, &state))
    }

    /// Returns when the pass began by the API's clock, since the cursor is compared with the API's
    /// times.
    pub(super) fn clock(&self, pass: &Pass) -> Option<i64> {
        let ahead = || self.fetcher.client.clock_ahead();
        let now = || pass.began()?.checked_add(ahead()?);
        pass.clock.or_else(now)
    }

    pub(super) fn is_higher(&self, text: &str, than: Option<&str>) -> bool {
        let Some(cursor) = &self.fetcher.spec().cursor else {
            return false;
        };
        let value = |text: &str| -> Option<CursorValue> { cursor.parse(text) };
        than.and_then(value) < value(text)
    }
}
