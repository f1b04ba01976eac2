//! The statements of one response, and the checks that it is a page of its list.

use etlgen_model::Total;

use super::{Account, api};
use crate::error::Result;
use crate::page::advance::{PageFacts, paging};
use crate::page::paginator::Pager;
use crate::page::proof::Proof;
use crate::page::statements::{Says, Statement, Statements, quoted};
use crate::record::Stands;

impl Account {
    /// Collects the statements of a page.
    pub(super) fn hear(&mut self, paginator: &Pager, page: &PageFacts<'_>) -> Statements {
        let mut said = Statements::of(page.beside, &page.response.headers);
        let total = paginator.total_of(page).map(|(count, _)| count);
        said.declare(paginator, total, paginator.says(page));
        if paginator.total() == Some(&Total::Ignored) {
            said.without_counts();
        }
        let size = paginator.page_size().map(|size| size.rows.get());
        self.totals.hear(&said, page.rows, size);
        said
    }

    /// Checks that a response is a page of this list.
    pub(super) fn check(&mut self, page: &PageFacts<'_>, said: &Statements) -> Result<()> {
        if self.listed && !self.terms.single && page.stands == Stands::Object {
            return Err(paging(
                "the records were a list on earlier pages, but are one object here",
            ));
        }
        self.listed |= page.stands == Stands::List;
        if page.response.status == 202 && page.rows == 0 {
            return Err(api(
                "202 Accepted: the response is not ready, and has no records",
            ));
        }
        let wrong = said.find(|said| match &said.says {
            Says::Error(words) => Some(words),
            _ => None,
        });
        match wrong {
            Some((words, at)) if page.rows == 0 => {
                return Err(api(format!(
                    "{} in a 2xx response: {words}",
                    quoted(&at.place)
                )));
            }
            Some((words, at)) => {
                let place = &at.place;
                let why = format!("a response has an error beside its rows (`{place}`: {words})");
                self.caps(Proof::Unproved(why));
            }
            None => {}
        }
        let incomplete = |said: &Statement| (said.says == Says::Incomplete).then_some(());
        if let Some(((), at)) = said.find(incomplete) {
            let why = format!("{} says that a response is incomplete", quoted(&at.place));
            self.caps(Proof::Unproved(why));
        }
        if page.stands == Stands::Nothing && page.response.status == 200 {
            let why = "an object without records represents an empty list".to_owned();
            self.caps(match self.pages == [1, 0] {
                true => Proof::Assumed(why),
                false => Proof::Consistent(why),
            });
        }
        let silent = said.more().is_none() && said.leads().is_none();
        match &self.promised {
            Some(flag) if page.rows == 0 && silent && page.response.status < 400 => {
                Err(paging(format!(
                    "`{flag}` announced another page, but it is empty ({})",
                    match page.response.status {
                        204 => "204 No Content".to_owned(),
                        _ => page.response.request.clone(),
                    }
                )))
            }
            _ => Ok(()),
        }
    }

    /// Limits the proof if the last page says that its list is not complete.
    pub(super) fn unfinished(&mut self, said: &Statements) {
        let unfinished = |said: &Statement| (said.says == Says::Unfinished).then_some(());
        if let Some(((), at)) = said.find(unfinished) {
            let why = format!("{} is false on the last page", quoted(&at.place));
            self.caps(Proof::Unproved(why));
        }
    }
}
