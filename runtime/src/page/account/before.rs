//! The page before the first one: if no total counts the rows, nothing else shows that an API
//! counts its pages from 0 although they are requested from 1.

use std::sync::atomic::Ordering::Relaxed;

use etlgen_model::counted;

use super::{Account, Judgement, on_disk};
use crate::error::Result;
use crate::page::advance::{PageFacts, Step, paging};
use crate::page::paginator::{Pager, Position};
use crate::page::proof::Proof;

impl Account {
    /// Returns the step after the end of a list: the page before its first one, unless a total has
    /// counted the rows, or another list of the resource has shown that there is none.
    pub(super) fn confirm_first(&self, paginator: &Pager, position: &Position, step: Step) -> Step {
        let counted = self.totals.now().is_some() || self.totals.pages().is_some();
        if counted || self.terms.embedded || self.terms.begins.load(Relaxed) {
            return step;
        }
        match step {
            Step::End(proof) => match paginator.ahead_of_first(position, proof.clone()) {
                Some(before) => Step::Next(before),
                None => Step::End(proof),
            },
            step => step,
        }
    }

    /// Judges the page before the first one. Its rows are taken only if the list begins with them.
    pub(super) fn before_first(
        &mut self,
        paginator: &Pager,
        page: &PageFacts<'_>,
        proof: &Proof,
    ) -> Result<Judgement> {
        let mut known = 0;
        for id in page.ids {
            known += usize::from(self.rows.contains(*id).map_err(on_disk)?);
        }
        if page.response.status >= 500 {
            let why = "the API does not say whether a page precedes the first one";
            let open = proof.clone().and(Proof::Unproved(why.to_owned()));
            return Ok(ends(page, open));
        }
        if page.ids.is_empty() || known > 0 {
            // Of an empty list every page is empty, so another one has to show it.
            let shown = known > 0 || self.has_rows();
            self.terms.begins.fetch_or(shown, Relaxed);
            return Ok(ends(page, proof.clone()));
        }
        self.take(page, 0)?;
        let first = paginator.first_page().saturating_sub(1);
        let error = paging(format!(
            "page {first} has {}, and the list was requested from page {} on: the API counts from {first}",
            counted(page.rows, "other row"),
            paginator.first_page(),
        ))
        .hint(format!(
            "set `first = {first}` in `paginate` of `{0}` in etlgen.toml, or `.starting_at({first})` in its file",
            self.terms.name
        ));
        Ok(Judgement {
            step: Err(error),
            known: 0,
            again: 0,
        })
    }
}

/// Ends a list without the rows of the page.
fn ends(page: &PageFacts<'_>, proof: Proof) -> Judgement {
    Judgement {
        step: Ok(Step::End(proof)),
        known: page.ids.len(),
        again: 0,
    }
}
