//! Takes what other processes have read of a slice, as if it had been read here: rows, slices of
//! children, state, and all that counts for the proof of the resource.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use crate::cursor::Range;
use crate::error::Result;
use crate::page::Proof;
use crate::run::plan::SlicePlan;
use crate::run::read::keys::{KeyedList, KeyedRows};
use crate::run::read::reader::{ReadOutcome, ResourceReader, Slice};
use crate::run::read::reads::{Facts, Known, Taken, TakenPart, Wanted};
use crate::state::{Pass, SliceState, StateChange};

impl ResourceReader {
    /// Takes a slice; it is *stopped* as long as nobody has read all of it.
    pub(super) async fn take_slice(
        self: &Arc<Self>,
        taken: &dyn Taken,
        id: String,
        planned: SlicePlan,
        listed: bool,
    ) -> Result<ReadOutcome> {
        let split = self.fetcher.spec().parent.is_none() && taken.is_split(self.name());
        let (slice, waiting) = self.begin(id, planned);
        let slice = Slice { listed, ..slice };
        if split && !waiting.is_empty() {
            return self.take_windows(taken, &slice, waiting).await;
        }
        let state = slice.state().clone();
        let wanted = Wanted {
            resource: self.name(),
            slice: &slice.id,
            state: &state,
            listed,
            window: None,
        };
        match taken.of(wanted).await? {
            Known::Nothing => Ok(ReadOutcome::Stopped),
            Known::Before => Ok(ReadOutcome::AtEnd),
            Known::Read(mut part) => {
                self.absorb(part.facts());
                self.take_part(&mut *part).await?;
                let mut intake = self.intake.lock().await;
                for change in part.state() {
                    intake.output.remember(change.clone());
                }
                intake.output.checkpoint().await?;
                Ok(match part.facts().left_out {
                    true => ReadOutcome::Skipped,
                    false => ReadOutcome::AtEnd,
                })
            }
        }
    }

    /// Takes the windows of a slice, and closes it when all of them have been read.
    async fn take_windows(
        self: &Arc<Self>,
        taken: &dyn Taken,
        slice: &Slice,
        mut waiting: std::collections::VecDeque<crate::state::OpenWindow>,
    ) -> Result<ReadOutcome> {
        let (mut read, mut missing) = (0, 0);
        self.fetcher.stats.slices.fetch_add(1, Relaxed);
        let (before, state) = (slice.pass(), slice.state().clone());
        while let Some(open) = self.next(&before, &mut waiting, missing == 0) {
            let wanted = Wanted {
                resource: self.name(),
                slice: &slice.id,
                state: &state,
                listed: slice.listed,
                window: Some(&open.window),
            };
            let Known::Read(mut part) = taken.of(wanted).await? else {
                missing += 1;
                continue;
            };
            read += 1;
            // They are windows of one slice.
            let mut facts = part.facts().clone();
            facts.counted.slices = 0;
            self.absorb(&facts);
            self.take_part(&mut *part).await?;
            if part.facts().left_out {
                return Ok(ReadOutcome::Skipped);
            }
            self.merge(slice, part.state())?;
            self.intake.lock().await.output.checkpoint().await?;
        }
        if missing > 0 || !waiting.is_empty() {
            return Ok(ReadOutcome::Stopped);
        }
        self.tell_of_windows(read);
        self.finish_windows(slice).await
    }

    /// Takes the rows of a part, and the slices that they make.
    async fn take_part(&self, part: &mut dyn TakenPart) -> Result<()> {
        part.keys(&mut |among, keys| {
            let list = KeyedList {
                scope: &keys.scope,
                name: &keys.list,
                columns: &keys.columns,
            };
            let rows = KeyedRows {
                ids: &keys.ids,
                contents: &keys.contents,
                moving: &keys.moving,
            };
            self.compare(among, &list, rows)
        })?;
        while let Some(batch) = part.batch().await? {
            self.intake.lock().await.output.take(batch).await?;
        }
        while let Some((child, slices)) = part.found()? {
            let mut intake = self.intake.lock().await;
            for slice in slices {
                intake.output.child_named(&child, slice);
            }
            intake.output.checkpoint().await?;
        }
        Ok(())
    }

    fn absorb(&self, facts: &Facts) {
        self.fetcher.stats.absorb(&facts.counted);
        self.partial.fetch_or(facts.partial, Relaxed);
        self.silent.fetch_or(facts.silent, Relaxed);
        self.faulty.fetch_or(facts.faulty, Relaxed);
        for (records, rows) in &facts.lists {
            self.of_parents().add(*records, *rows);
        }
    }

    /// Adds to the pass of a slice what the reading of a window has left of it.
    fn merge(&self, slice: &Slice, changes: &[StateChange]) -> Result<()> {
        let of_slice = |change: &&StateChange| change.key().0 == self.name();
        let Some(StateChange::Put(row)) = changes.iter().rfind(of_slice) else {
            return Ok(());
        };
        let read = SliceState::parse(&row.resource, &slice.id, &row.value)?.pass;
        if let Some(read) = read {
            slice.change(|pass| self.join_passes(pass, read));
        }
        Ok(())
    }

    /// Adds to a pass what another process has read of it.
    fn join_passes(&self, pass: &mut Pass, read: Pass) {
        let Some(cursor) = &self.fetcher.spec().cursor else {
            return;
        };
        let parse = |part| Range::parse(part, cursor);
        let mut closed = pass.closed.iter().map(parse).collect();
        for part in &read.closed {
            parse(part).close(&mut closed);
        }
        pass.closed = closed.iter().map(Range::interval).collect();
        // The earliest of the clocks: what changed after it may have been missed.
        pass.clock = pass.clock.into_iter().chain(read.clock).min();
        match &read.high {
            Some(high) if self.is_higher(high, pass.high.as_deref()) => {
                (pass.high, pass.tops) = (read.high, read.tops);
            }
            Some(high) if pass.high.as_ref() == Some(high) => {
                pass.tops.extend(read.tops);
                pass.tops.truncate(crate::run::read::rows::TOPS);
            }
            _ => {}
        }
        pass.partial |= read.partial;
        pass.zoneless |= read.zoneless;
        pass.joined |= read.joined;
        pass.unsorted |= read.unsorted;
        if let Some(proof) = read.proof {
            Proof::weaken(&mut pass.proof, proof);
        }
    }
}
