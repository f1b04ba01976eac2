//! The statements of one response, and the checks that it is a page of its list.

use etlgen_model::{Total, counted};

use super::{Account, At, api};
use crate::error::Result;
use crate::page::advance::{PageFacts, paging};
use crate::page::paginator::Pager;
use crate::page::proof::Proof;
use crate::page::statements::{Says, Statement, Statements, quoted};
use crate::record::Stands;

impl Account {
    /// Collects the statements of a page.
    pub(super) fn hear(&mut self, paginator: &Pager, page: &PageFacts<'_>) -> Statements {
        let mut said = Statements::of(page.beside, page.response, &self.terms.name);
        said.declare(paginator, page);
        said.redact(page.redacted);
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
        self.doubt_answer(page, said)?;
        if page.stands == Stands::Nothing && page.response.status == 200 {
            let why = "an object without records represents an empty list".to_owned();
            self.caps(match self.pages == [1, 0] {
                true => Proof::Assumed(why),
                false => Proof::Consistent(why),
            });
        }
        self.doubt_place(page);
        let silent = said.more().is_none() && said.leads().is_none();
        let ends = said.more().is_some_and(|(more, _)| !more) && said.leads().is_none();
        if let Some(flag) = self.promised.clone()
            && page.rows == 0
            && ends
            && !self.is_reached()?
        {
            let why =
                format!("`{flag}` announced another page, and it is empty: rows may be missing");
            self.caps(Proof::Unproved(why));
        }
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

    /// Limits the proof if a redirect has led to a page without rows that no page with rows of the
    /// list has come from: a login, or a notice.
    fn doubt_place(&mut self, page: &PageFacts<'_>) {
        let Some(path) = &page.response.landed else {
            return;
        };
        if page.rows > 0 {
            self.landed = Some(path.clone());
        } else if self.landed.as_ref() != Some(path) {
            let path = (page.redacted)(path);
            let why = format!(
                "a redirect led to `{path}`, which has no records: it may be another resource"
            );
            self.faulty = true;
            self.caps(Proof::Unproved(why));
        }
    }

    /// Fails if a response is an error; limits the proof if it says that records may be missing in
    /// it.
    fn doubt_answer(&mut self, page: &PageFacts<'_>, said: &Statements) -> Result<()> {
        for Statement { says, place, .. } in &said.0 {
            let quoted = quoted(place);
            let why = match says {
                Says::Error(words) if page.rows == 0 => {
                    return Err(api(format!("{quoted} in a 2xx response: {words}")));
                }
                Says::Error(words) => {
                    self.faulty = true;
                    format!("a response has an error beside its rows ({quoted}: {words})")
                }
                Says::Incomplete(words) => {
                    self.faulty = true;
                    format!("{quoted} says that a response is incomplete: {words}")
                }
                Says::Unclear(words) => {
                    format!("{quoted} may say that a response is incomplete: {words}")
                }
                Says::Skipped(rows) => {
                    let before = self.came()?;
                    if *rows == 0 || before.abs_diff(*rows) <= 1 {
                        continue;
                    }
                    format!(
                        "{quoted} may say that {} were left out",
                        counted(*rows, "row")
                    )
                }
                Says::Elsewhere if page.rows == 0 => format!(
                    "there are no records at their place, and {quoted} has some; `records` of `{}` in etlgen.toml names the place",
                    self.terms.name
                ),
                Says::Suspect(words) if page.rows == 0 => {
                    format!("a response has no records, and {quoted} may say why: {words}")
                }
                Says::NoCount(text) => format!(
                    "{quoted} is `{text}`, which is no number of rows; `total = false` in `paginate` ignores it"
                ),
                Says::AtLeast(least) => {
                    let most = self.least.as_ref().map_or(0, |(most, _)| *most);
                    self.least = Some((most.max(*least), place.clone()));
                    continue;
                }
                _ => continue,
            };
            self.caps(Proof::Unproved(why));
        }
        if page.response.open_ended {
            let why = "only the end of the connection shows that a response is complete: it has no length";
            self.caps(Proof::Unproved(why.to_owned()));
        }
        if page.response.status == 202 {
            let why = "202 Accepted: the response may not have all records yet";
            self.faulty = true;
            self.caps(Proof::Unproved(why.to_owned()));
        }
        Ok(())
    }

    /// Limits the proof if something on the last page says, or may say, that its list is not
    /// complete.
    pub(super) fn unfinished(&mut self, at: At<'_>) -> Result<()> {
        let At { page, said, .. } = at;
        let unfinished = |said: &'_ Statement| match &said.says {
            Says::Unfinished(value) => Some(value.clone()),
            _ => None,
        };
        if let Some((value, at)) = said.find(unfinished) {
            let why = format!("{} is {value} on the last page", quoted(&at.place));
            self.caps(Proof::Unproved(why));
        }
        let came = self.came()?;
        let reached = self.totals.least().is_some_and(|total| total == came);
        if page.response.status == 206 && !reached {
            let why = "206 Partial Content on the last page, and no total counts the rows";
            self.faulty = true;
            self.caps(Proof::Unproved(why.to_owned()));
        }
        if let Some((least, place)) = self.least.clone().filter(|(least, _)| came <= *least) {
            let why = format!(
                "{} arrived, and {} counts no further than {least}: more may exist",
                counted(came, "row"),
                quoted(&place)
            );
            self.caps(Proof::Unproved(why));
        }
        if self.gap && !reached {
            let why = "a page had fewer rows than were requested, and rows followed it: the API may have left some out";
            self.caps(Proof::Unproved(why.to_owned()));
        }
        if let Some((place, count, rows)) = self.totals.short_page().filter(|_| !reached) {
            let why = format!(
                "{} says that a page has {}, and {rows} arrived: `total = false` in `paginate` ignores it",
                quoted(place),
                counted(count, "row")
            );
            self.caps(Proof::Unproved(why));
        }
        let may_count = |said: &'_ Statement| match said.says {
            Says::Named(count) | Says::MayCount(count) if count > came => Some(count),
            _ => None,
        };
        if let Some((count, at)) = said
            .find(may_count)
            .filter(|_| !reached && !self.terms.narrowed)
        {
            let why = format!(
                "{} arrived, and {} is {count}: more may exist",
                counted(came, "row"),
                quoted(&at.place)
            );
            self.caps(Proof::Unproved(why));
        }
        if let Some(why) = self.may_lead(at).filter(|_| !reached) {
            self.caps(Proof::Unproved(why));
        }
        Ok(())
    }

    /// Returns why a value of the last page may lead to another one: it is no token that has been
    /// requested, and no flag says that nothing follows.
    fn may_lead(&self, at: At<'_>) -> Option<String> {
        let At {
            page,
            said,
            position,
            ..
        } = at;
        let ends = said.more().is_some_and(|(more, _)| !more);
        if page.rows == 0 || ends {
            return None;
        }
        let (value, at) = said.find(|said| match &said.says {
            Says::MayLead(value) => Some(value).filter(|value| !position.requests(value)),
            _ => None,
        })?;
        Some(format!(
            "{} is {value} on the last page: more may follow",
            quoted(&at.place)
        ))
    }
}
