//! The rows of a list that have arrived: which are new, which are repeated, and how long pages are.

use std::num::NonZeroU32;
use std::ops::Deref;
use std::sync::atomic::Ordering::Relaxed;

use etlgen_model::Paginator;

use super::{Account, At, CAPPED, USUAL_SIZES, is_usual, on_disk};
use crate::error::Result;
use crate::page::advance::PageFacts;
use crate::page::distinct::Added;
use crate::page::paginator::Pager;
use crate::page::proof::Proof;

impl Account {
    /// Returns how many of the first `known` rows of a page have indeed arrived: in a list whose
    /// rows change places there may be others among them.
    pub(super) fn known(&mut self, known: usize, page: &PageFacts<'_>) -> Result<usize> {
        for (at, id) in page.ids.iter().take(known).enumerate() {
            if !self.rows.contains(*id).map_err(on_disk)? {
                self.again += 1;
                return Ok(at);
            }
        }
        Ok(known)
    }

    /// Accounts for the rows of a page.
    pub(super) fn take(&mut self, page: &PageFacts<'_>, known: usize) -> Result<()> {
        let came = page.rows.saturating_sub(known as u64);
        let new = if page.ids.is_empty() {
            self.others += came;
            came
        } else {
            let ids = page.ids.get(known..).unwrap_or_default();
            let contents = page.contents.get(known..).unwrap_or_default();
            let added = self.rows.add_page(ids, contents).map_err(on_disk)?;
            // Equal records stand together in a list with an order; and a page that is requested
            // behind the end may be another one again.
            let joined = ids.first().is_some_and(|first| Some(*first) == self.last);
            let apart = added.repeated > usize::from(joined) && self.doubt.is_none();
            self.last = page.ids.last().copied();
            if !self.terms.keyed && self.terms.numbered && apart {
                self.caps(Proof::Unproved(
                    "some of its records equal those of an earlier page: without a key they may be the same, and others in their place missing"
                        .to_owned(),
                ));
            }
            let new = added.new as u64;
            // A list may have changed by the time it is read again.
            let reading = match self.is_again() {
                true => self.second.add_page(ids, contents).map_err(on_disk)?,
                false => added,
            };
            if self.is_again() {
                self.twice += reading.unchanged as u64;
            }
            self.check_order(&reading, known);
            let changed = reading.changed.iter();
            let wrong = changed.filter(|row| (page.settled)(known + **row));
            self.changed += wrong.count() as u64;
            new
        };
        self.new = new;
        if !self.is_again() {
            self.again += came.saturating_sub(new);
        }
        self.empty = match page.rows {
            0 => self.empty + 1,
            _ => 0,
        };
        self.terms.longest.fetch_max(came, Relaxed);
        self.filled += u64::from(page.rows > 0);
        self.stale = match (new, came) {
            // A page that is requested to overlap the previous one has known rows; but others follow.
            (_, 0) => self.stale + u32::from(page.rows > 1),
            (0, _) if !self.is_again() => self.stale + 1,
            _ => 0,
        };
        if !self.terms.keyed && self.again > 0 {
            self.caps(Proof::Consistent(
                "some of its records are equal, and without a key it is unknown whether they are repeated"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Takes the rows of a repeated first page that no page has brought; returns their number. New
    /// rows come with the second reading; others show that the pages do not belong to one list.
    pub(super) fn stray(&mut self, page: &PageFacts<'_>) -> Result<u64> {
        if !self.terms.keyed {
            return Ok(0);
        }
        let before = self.strays.len();
        for id in page.ids {
            if !self.rows.contains(*id).map_err(on_disk)? {
                self.strays.push(*id);
            }
        }
        let added = self.rows.add_page(page.ids, page.contents);
        added.map_err(on_disk)?;
        Ok((self.strays.len() - before) as u64)
    }

    /// Limits the proof if the second reading has not brought the rows that the first page had
    /// between the two.
    pub(super) fn doubt_strays(&mut self) -> Result<()> {
        for id in std::mem::take(&mut self.strays) {
            if self.is_again() && !self.second.contains(id).map_err(on_disk)? {
                let why = "its first page, requested again, had rows that no reading of the list brought: its pages do not fit together, and others may be missing";
                self.caps(Proof::Unproved(why.to_owned()));
            }
        }
        Ok(())
    }

    /// Limits the proof if an unchanged row of the page has arrived before although it follows a row
    /// that is new, or the last row of the previous page, which are the `known` ones.
    fn check_order(&mut self, reading: &Added, known: usize) {
        let misplaced = match known {
            0 => reading.misplaced,
            _ => reading.unchanged,
        };
        // A page that is requested behind the end may be another one again.
        let is_other = self.doubt.is_some() && reading.new == 0;
        if misplaced > 0 && !is_other {
            self.is_unordered = true;
            let why = "unchanged rows were repeated out of order, so the list has no stable order and rows may be missing";
            self.caps(Proof::Unproved(why.to_owned()));
        }
    }

    /// Returns the number of distinct rows that have arrived; without a key, the number of all
    /// rows.
    pub(super) fn came(&mut self) -> Result<u64> {
        let rows = self.rows.count().map_err(on_disk)?;
        let equal = if self.terms.keyed { 0 } else { self.again };
        Ok(self.others + rows + equal)
    }

    /// Returns how many rows repeated a key with other contents.
    pub fn changed(&self) -> u64 {
        self.changed
    }

    /// Returns whether the API has answered two offsets behind the end by the last page.
    pub(super) fn is_clamped(&self, at: At<'_>) -> bool {
        let At { page, position, .. } = at;
        let same = page.fingerprint.is_some() && page.fingerprint == position.fingerprint;
        let by_offset = matches!(at.paginator.deref(), Paginator::Offset(_));
        by_offset && same && page.rows > 0 && at.known as u64 == page.rows && self.stale >= 2
    }

    /// Returns the number of rows to request after a page of a list by page numbers. A server that
    /// cuts pages off may still count them by the requested size: if it has cut the first page, that
    /// number is requested from there on.
    pub(super) fn size_after(&mut self, at: At<'_>) -> Option<NonZeroU32> {
        let At { page, position, .. } = at;
        let by_number = matches!(at.paginator.deref(), Paginator::PageNumber(_));
        let asked = at.paginator.page_size().map(|size| size.rows.get());
        let size = position.size_or(asked.unwrap_or(self.longest));
        if !by_number || page.rows == 0 || page.rows >= size {
            return position.size;
        }
        let first = position.pages == 0 && asked.is_some();
        if first && page.rows >= USUAL_SIZES[0] && self.totals.now().is_none() {
            let rows = u32::try_from(page.rows).ok();
            return rows.and_then(NonZeroU32::new);
        }
        self.few = true;
        position.size
    }

    /// Returns whether a page has the full length of this list's pages, so that more may follow,
    /// whatever it says.
    pub(super) fn is_full(&self, paginator: &Pager, page: &PageFacts<'_>) -> bool {
        let rows = page.rows;
        if self.longest > 0 {
            return rows >= self.longest;
        }
        match paginator.page_size().map(|size| size.rows.get()) {
            // A server may cap the page size, but hardly at an arbitrary number.
            Some(size) => rows > 0 && rows >= size || rows >= CAPPED && is_usual(rows),
            None => is_usual(rows),
        }
    }

    /// Returns whether a page may have the full length of this list's pages. Where no page size is
    /// requested, only a longer page of the resource excludes it.
    pub(super) fn may_be_full(&self, paginator: &Pager, page: &PageFacts<'_>) -> bool {
        let longest = self.terms.longest.load(Relaxed).max(self.longest);
        let unknown = paginator.page_size().is_none() && page.rows >= longest;
        page.rows > 0 && (unknown || self.is_full(paginator, page))
    }
}
