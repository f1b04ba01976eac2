//! What the rows of a page leave open about their list: items that are no records, records without
//! a key, bytes that are not UTF-8, records without a cursor.

use std::sync::atomic::Ordering::Relaxed;

use etlgen_model::counted;

use super::List;
use crate::cursor::{Order, Range};
use crate::error::{Error, ErrorKind, Result};
use crate::page::Proof;
use crate::run::read::fetch::Fetched;
use crate::run::read::intake::Intake;

impl List<'_> {
    /// Returns the error of a page with items that are no records, if the pass would replace the rows
    /// of an earlier one without them.
    fn left_out(&self, absent: u64) -> Option<Error> {
        let replaces = self.of.plan.staged && self.slice.state().done.is_some();
        (absent > 0 && replaces).then(|| {
            let message = format!(
                "the rows of its table are not replaced: the API sent {}",
                absent_items(absent)
            );
            Error::new(ErrorKind::Api, message)
                .hint("`--full-refresh` replaces the rows without these records")
        })
    }

    /// Limits what is proved by a page with items that are no records, or with records that no later
    /// run can recognise; fails if the page must not be loaded.
    pub(super) fn doubt(&mut self, intake: &mut Intake, page: &Fetched) -> Result<()> {
        let of = self.of;
        if let Some(error) = self.left_out(page.page.absent) {
            return Err(error);
        }
        if page.page.absent > 0 {
            let why = format!(
                "the API sent {}: their records are missing",
                absent_items(page.page.absent)
            );
            of.fall_short(intake, self.slice);
            of.prove(self.slice, Proof::Unproved(why.clone()));
            self.at_most(Proof::Unproved(why));
        }
        if page.is_broken {
            let why = "there are values with bytes that are not UTF-8";
            of.prove(self.slice, Proof::Unproved(why.to_owned()));
            self.at_most(Proof::Unproved(why.to_owned()));
        }
        self.doubt_keys(intake, page);
        Ok(())
    }

    /// Limits what is proved by a page with records that have no value of the key: such a record is
    /// identified by its content. If no record of the page has one, the declaration is wrong, and
    /// the rows of an earlier run must not be deleted for it.
    fn doubt_keys(&mut self, intake: &mut Intake, page: &Fetched) {
        if page.nameless == 0 {
            return;
        }
        let of = self.of;
        let parts = of.fetcher.spec().primary_key.iter();
        let key: Vec<String> = parts.map(|part| format!("`{}`", part.join("."))).collect();
        let key = key.join(", ");
        let records = counted(page.nameless, "record");
        let all = page.nameless == page.ids.len() as u64;
        let why = match (all && page.nameless > 1, of.keeps_older) {
            (true, _) => format!(
                "no record of a page has a value of the key {key}: another field may be the key"
            ),
            (false, true) => {
                format!("{records} without a value of {key}: after a change the older row stays")
            }
            (false, false) => {
                // The list itself is complete, so the older rows are deleted.
                of.nameless.store(true, Relaxed);
                let why =
                    format!("{records} without a value of {key}: equal ones cannot be told apart");
                return of.prove(self.slice, Proof::Consistent(why));
            }
        };
        of.fall_short(intake, self.slice);
        of.prove(self.slice, Proof::Unproved(why.clone()));
        self.at_most(Proof::Unproved(why));
    }

    /// Limits what is proved by passes that request only what is new, because the list has records
    /// without a value of the cursor: a filter, or the end at the first page of older records, may not
    /// show new ones.
    pub(super) fn doubt_filter(&mut self) {
        let Some(cursor) = &self.of.fetcher.spec().cursor else {
            return;
        };
        let filters = cursor.param.is_some() || cursor.order == Some(Order::NewestFirst);
        if !filters || !cursor.is_incremental() {
            return;
        }
        let why = format!(
            "there are records without a value of `{}`, of which a request for what is new may not show all",
            cursor.keys.join(".")
        );
        let proof = Proof::Consistent(why);
        self.of.owe(self.slice, proof.clone());
        let Range { from, until } = &self.window.range;
        if from.is_some() || until.is_some() {
            self.at_most(proof);
        }
    }

    /// Limits the proof of the list to this one at most.
    pub(super) fn at_most(&mut self, proof: Proof) {
        Proof::weaken(&mut self.at_most, proof);
    }
}

/// Names items of a list that are no records.
fn absent_items(items: u64) -> String {
    let lists = "null, or without the records";
    match items {
        1 => format!("1 item that is {lists}"),
        items => format!("{items} items that are {lists}"),
    }
}
