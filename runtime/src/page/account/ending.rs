//! The end of a list that a page proposes: what contradicts it, and how certain it is.

use std::ops::Deref;

use etlgen_model::{Paginator, Token, counted};

use super::{Account, At, is_usual};
use crate::error::Result;
use crate::page::advance::{By, End, Step, paging};
use crate::page::paginator::{Next, Position};
use crate::page::places::Moved;
use crate::page::proof::Proof;
use crate::page::statements::{Says, quoted};
use crate::record::Stands;

/// APIs that limit how far a list can be read do so after a multiple of this many rows.
const DEPTHS: u64 = 1_000;
/// Search engines and APIs stop counting at a multiple of this: 10,000 rows, or 5,000 or 50,000.
const COUNTED: u64 = 5_000;

impl Account {
    /// Judges the end of a list that a page proposes.
    pub(super) fn end(&mut self, at: At<'_>, end: &End) -> Result<Step> {
        let At {
            paginator,
            position,
            page,
            known,
            ..
        } = at;
        self.contradicted(end, at)?;
        let came = self.came()?;
        self.totals.settle(came);
        // Rows that arrived in the first reading may have been deleted.
        let now = position.rows + page.rows.saturating_sub(known as u64);
        let most = if self.is_again() { came.min(now) } else { came };
        let mut moved = match self.short(end, came, at) {
            Some(moved) => Some(moved),
            None => self
                .over(most)?
                .or_else(|| self.over_pages(at))
                .or_else(|| self.counted_before(came, at)),
        };
        self.unfinished(at)?;
        if self.is_again() {
            self.doubt_strays()?;
        }
        if let Some(why) = self.ties.doubt() {
            self.caps(Proof::Unproved(why));
        }
        if let Some(why) = self.depth(end, at.position, came) {
            self.caps(Proof::Unproved(why));
        }
        if end.by == By::Refusal {
            return self.refused(end, at, moved, came);
        }
        if position.counts {
            let why = "its links or tokens count rows or pages: changes during the pass cannot be detected";
            self.caps(Proof::Consistent(why.to_owned()));
        }
        let proved = Step::End(Proof::Proved(end.why.clone()));
        let by_place = paginator.by_place(position, &proved);
        if moved.is_none() {
            moved = self.moved(position, by_place);
        }
        self.hollow(at, by_place);
        if !by_place && self.totals.has_collapsed(came) {
            let why = "its total counted more rows than arrived, and fell by more than a page: rows may be missing";
            self.caps(Proof::Unproved(why.to_owned()));
        }
        if let Some(why) = self.silence(end, at).or_else(|| self.differs(end, at)) {
            self.caps(Proof::Unproved(why));
        }
        if self.is_mute(end, at) {
            let why = "an empty list, and nothing in the response states that it is";
            self.caps(Proof::Assumed(why.to_owned()));
        }
        if let Some(first) = self.confirmed.take().filter(|_| moved.is_none()) {
            return Ok(Step::End(self.capped(Proof::Proved(first.why))));
        }
        if by_place && (position.pages > 0 || self.is_again()) {
            let ending = self.ending(moved);
            let step = paginator.placed(at.taken(), ending, proved)?;
            return Ok(match step {
                Step::End(proof) => Step::End(self.capped(proof)),
                next => next,
            });
        }
        let proof = match moved {
            Some(Moved::Short { error, .. }) => return Err(error),
            Some(Moved::Rows(why) | Moved::Over { reason: why, .. }) => Proof::Consistent(why),
            Some(Moved::Unknown(why)) => Proof::Unproved(why),
            None => Proof::Proved(end.why.clone()),
        };
        Ok(Step::End(self.capped(proof)))
    }

    /// Limits the proof of a list whose last page is no list, but `null` or no content.
    fn hollow(&mut self, at: At<'_>, by_place: bool) {
        let At { position, page, .. } = at;
        let (null, bare) = (page.stands == Stands::Null, page.stands == Stands::Bare);
        if !null && !bare && page.response.status != 204 {
            return;
        }
        let empty = match (null, bare) {
            (true, _) => "`null`",
            (_, true) => "`[]` in place of an object",
            _ => "204 No Content",
        };
        let led = matches!(at.paginator.deref(), Paginator::Token(_))
            || matches!(position.next, Next::Url(_));
        self.caps(match position.pages {
            0 if self.totals.least() == Some(0) => return,
            0 => Proof::Assumed(format!("{empty} represents an empty list")),
            // A value that represents an empty page may mean something else.
            _ if null && !self.was_short => Proof::Unproved(
                "`null` follows a page that may be full: the end, or a page that the API could not build".to_owned(),
            ),
            _ if led && !null => Proof::Unproved(format!(
                "a token or link led to a page that is {empty}: the end, or a page that the API could not build"
            )),
            _ if by_place => return,
            _ => Proof::Consistent(format!("the last page is {empty}")),
        });
    }

    /// Fails if a statement of this page, or of an earlier one, contradicts the end.
    fn contradicted(&mut self, end: &End, at: At<'_>) -> Result<()> {
        let At {
            page, said, known, ..
        } = at;
        let why = &end.why;
        if let Some((true, flag)) = said.more() {
            return Err(paging(format!(
                "the list ended ({why}), but the API says that more follows (`{}`)",
                flag.place
            )));
        }
        let last = said.find(|said| match said.says {
            Says::LastLink(page) => Some(page),
            _ => None,
        });
        let read = self.pages_read(at);
        let by_page = !matches!(
            at.paginator.deref(),
            Paginator::Offset(_) | Paginator::LastId(_)
        );
        if let Some((last, said)) = last.filter(|(last, _)| *last > read && by_page) {
            return Err(paging(format!(
                "the list ended ({why}) after {}, but {} has a last page {last}",
                counted(read, "page"),
                quoted(&said.place)
            ))
            .hint(format!(
                "run again; if this persists, declare how it is paged: `paginate = {{ kind = \"…\" }}` of `{}` in etlgen.toml, or `.paginate(…)` in its file",
                self.terms.name
            )));
        }
        // Empty pages may have next links endlessly.
        if page.rows > known as u64
            && end.by != By::Itself
            && let Some(lead) = said.leads()
        {
            return Err(paging(format!(
                "the list ended ({why}), but `{}` has a next page",
                lead.place
            ))
            .hint(format!(
                "declare the next link or token: `next` of `paginate` of `{}` in etlgen.toml, or `.paginate(…)` in its file",
                self.terms.name
            )));
        }
        if let Some((doubted, rows)) = self.doubted.clone() {
            let more = self.came()?.saturating_sub(rows);
            if more > 0 {
                return Err(paging(format!(
                    "after {} the API said that nothing follows ({doubted}), but {more} more followed", counted(rows, "row")
                ))
                .hint(self.line()));
            }
        }
        Ok(())
    }

    /// Returns the hint that settles a wrong total, or a wrong key, which makes records few.
    fn line(&self) -> String {
        if self.changed > 0 {
            let records = counted(self.changed, "record");
            return format!(
                "{records} with a key that came before and other contents, so the key is probably wrong: name another one with `primary_key` of `{}` in etlgen.toml",
                self.terms.name
            );
        }
        format!(
            "run again; if this persists and the total is wrong, set `total = false` in `paginate` of `{}` in etlgen.toml, or `.without_total()` in its file; otherwise correct the paginator or its page size",
            self.terms.name
        )
    }

    /// Returns the hint for a list that has never sent the token by which it is paged: it may be
    /// paged by offset.
    fn by_offset(&self, end: &End, at: At<'_>) -> Option<String> {
        let Paginator::Token(Token { next, .. }) = at.paginator.deref() else {
            return None;
        };
        let never = end.by == By::NoNext && at.position.pages == 0 && self.changed == 0;
        let size = at.paginator.page_size();
        let size = size.map_or_else(String::new, |size| format!(", size = \"{}\"", size.param));
        never.then(|| {
            format!(
                "the API never sent `{next}`; if it pages this list by offset, declare that for `{}` in etlgen.toml: paginate = {{ kind = \"offset\", param = \"offset\"{size} }}",
                self.terms.name
            )
        })
    }

    /// Returns how rows are missing that the totals count, if they are.
    fn short(&self, end: &End, came: u64, at: At<'_>) -> Option<Moved> {
        let (why, read) = (&end.why, self.pages_read(at));
        if let Some((pages, place)) = self.totals.pages().filter(|(pages, _)| read < *pages) {
            let reason = format!(
                "it ended after {}, but `{place}` counts {pages}",
                counted(read, "page")
            );
            let error = paging(format!(
                "the list ended ({why}) after {}, but the API counts {pages} (`{place}`)",
                counted(read, "page")
            ));
            let error = error.hint(self.line());
            return Some(Moved::Short { reason, error });
        }
        let total = self.totals.missing(came)?;
        let (count, place) = (total.last, quoted(&total.place));
        let returned = total.moved() && total.first == count;
        if total.moved() && !returned && end.by == By::Total {
            // The reading has passed its rows nevertheless.
            let why = format!("{place} changed from {} to {count}", total.first);
            return Some(Moved::Rows(why));
        }
        // A list by number that has lost a row and got another one is read again.
        let moved = total.moved() && !(returned && end.by == By::Total);
        if total.is_weak || self.terms.narrowed && !total.declared || moved {
            let counts = match total.moved() {
                true if returned => format!("counts {count} again, and counted others between"),
                true => format!("changed from {} to {count}", total.first),
                false => format!("counts {count}"),
            };
            let why = format!("{} arrived, and {place} {counts}", counted(came, "row"));
            return Some(Moved::Unknown(why));
        }
        let reason = format!(
            "{} arrived, and {place} counts {count}",
            counted(came, "different row")
        );
        let error = paging(format!(
            "the list ended ({why}) after {}, but the API counts {count} ({place})",
            counted(came, "row")
        ));
        let error = error.hint(self.by_offset(end, at).unwrap_or_else(|| self.line()));
        Some(Moved::Short { reason, error })
    }

    /// Returns the number of pages with rows: an empty page after the last one does not count, and an
    /// empty list may have one page.
    fn pages_read(&self, at: At<'_>) -> u64 {
        match at.page.rows {
            0 => self.filled.max(1),
            _ => at.position.pages + 1,
        }
    }

    /// Returns how an earlier response has counted more than what arrived, if one has.
    fn counted_before(&self, came: u64, at: At<'_>) -> Option<Moved> {
        if let Some(total) = self.totals.fallen(came) {
            let (place, most, now) = (&total.place, total.most, total.last);
            let why = format!("`{place}` changed from {most} to {now}");
            return Some(Moved::Rows(why));
        }
        // Only an earlier run has received these counts.
        let read = self.pages_read(at);
        let rows = at.position.counted_rows.filter(|rows| *rows > came);
        let pages = at.position.counted_pages.filter(|pages| *pages > read);
        let (before, is_counted) = match (rows, pages) {
            (Some(rows), _) => (rows.to_string(), self.totals.counted_rows().is_some()),
            (None, Some(pages)) => (
                counted(pages, "page"),
                self.totals.counted_pages().is_some(),
            ),
            (None, None) => return None,
        };
        let why = format!(
            "{} arrived, and the API counted {before} in an earlier run",
            counted(came, "row")
        );
        Some(match is_counted {
            true => Moved::Rows(format!("{why} and fewer in this one")),
            false => Moved::Unknown(why),
        })
    }

    /// Returns how more rows have arrived than the totals count, if they have.
    fn over(&self, came: u64) -> Result<Option<Moved>> {
        let Some((most, place)) = self.totals.exceeded(came) else {
            return Ok(None);
        };
        let reason = format!(
            "`{place}` counts {}, but {} arrived",
            counted(most, "row"),
            counted(came, "different row")
        );
        let error = paging(reason.clone()).hint(self.line());
        // Only few rows are created and deleted during a pass.
        match came - most > self.longest.max(1) {
            true => Err(error),
            false => Ok(Some(Moved::Over { reason, error })),
        }
    }

    /// Returns how more pages with rows have arrived than the API counts, if they have.
    fn over_pages(&self, at: At<'_>) -> Option<Moved> {
        let read = match at.page.rows {
            0 => self.filled,
            _ => at.position.pages + 1,
        };
        let (pages, place) = self.totals.exceeded_pages(read)?;
        let reason = format!(
            "`{place}` counts {}, but {} arrived",
            counted(pages, "page"),
            counted(read, "page")
        );
        let error = paging(reason.clone()).hint(self.line());
        Some(Moved::Over { reason, error })
    }

    /// Returns a sign that the list has changed while it was read.
    fn moved(&self, position: &Position, by_place: bool) -> Option<Moved> {
        if let Some((before, now)) = position.total.zip(self.totals.now())
            && before != now
            && !self.totals.is_of_page()
        {
            let why = format!("its total changed from {before} to {now}");
            return Some(Moved::Rows(why));
        }
        (by_place && self.terms.keyed && self.again > 0)
            .then(|| Moved::Rows("some of its rows arrived twice".to_owned()))
    }

    /// Returns why the number of rows is more probably the depth to which the API shows a list than
    /// the length of the list.
    fn depth(&self, end: &End, position: &Position, came: u64) -> Option<String> {
        let total = self.totals.least();
        if total == Some(came) && came > 0 && came.is_multiple_of(COUNTED) {
            return Some(format!(
                "the API counts exactly {came} rows, at which APIs stop counting"
            ));
        }
        let round = came > 0 && came.is_multiple_of(DEPTHS) || self.has_usual_pages(came);
        let ends = match end.by {
            By::Empty | By::Refusal => true,
            // An API that shows no more of a list ends it in the usual way.
            By::NoNext | By::Flag => position.pages > 0,
            _ => false,
        };
        (round && ends && total.is_none()).then(|| {
            format!(
                "{} and nothing after them: the end, or the API limits how far the list can be read",
                counted(came, "row")
            )
        })
    }

    /// Returns whether the rows fill a number of pages to which APIs limit lists. At most one list in
    /// `size` fills its last page, so small pages say nothing.
    fn has_usual_pages(&self, came: u64) -> bool {
        let (pages, size) = (self.filled, self.longest);
        let usual = matches!(pages, 10 | 50 | 100) && size >= 20 || (pages, size) == (3, 20);
        usual && is_usual(size) && pages.checked_mul(size) == Some(came)
    }

    /// Judges an error status after the last page: it is the end, or the API shows no more.
    fn refused(&mut self, end: &End, at: At<'_>, moved: Option<Moved>, came: u64) -> Result<Step> {
        let (why, page) = (&end.why, at.page);
        if let Some(flag) = &self.promised {
            return Err(paging(format!(
                "`{flag}` announced another page, but it is {why}"
            )));
        }
        match moved {
            Some(Moved::Short { reason, .. }) => Err(paging(format!(
                "the API returns no more of this list ({why}), and {reason}"
            ))
            .hint(format!(
                "the API limits the rows of a list: narrow `{}` by a parameter, or read it in windows of its cursor (`incremental` in etlgen.toml)",
                self.terms.name
            ))),
            Some(Moved::Unknown(why)) => Ok(Step::End(Proof::Unproved(why))),
            Some(Moved::Over { reason, .. }) if !self.terms.thorough => {
                Ok(Step::End(Proof::Unproved(reason)))
            }
            // Such a token is a word for the end, so the API does not know its page.
            _ if at.position.leads_by_end_word() => {
                let status = page.response.status;
                Ok(Step::End(self.capped(Proof::Consistent(format!(
                    "{why}, to which a token led that is a word for the end; `on_status = {{ {status} = \"empty\" }}` says that it is the end"
                )))))
            }
            // An API that limits how far a list can be read shows full pages up to the limit.
            _ if self.was_full && !self.was_short && !self.is_reached()? => {
                let doubt = format!(
                    "{why}, which was full, after {}: the end, or the API's limit",
                    counted(came, "row")
                );
                Ok(Step::End(match page.response.status {
                    404 => self.capped(Proof::Consistent(format!(
                        "{doubt}; `on_status = {{ 404 = \"empty\" }}` says that it is the end"
                    ))),
                    _ => Proof::Unproved(doubt),
                }))
            }
            // The end is as certain as that by an empty page: a second reading can confirm it.
            moved if self.terms.thorough => {
                let moved = moved.or_else(|| self.moved(at.position, true));
                let proved = Step::End(Proof::Proved(why.clone()));
                let step = at.paginator.placed(at.taken(), self.ending(moved), proved)?;
                Ok(match step {
                    Step::End(proof) => Step::End(self.capped(proof)),
                    next => next,
                })
            }
            _ => Ok(Step::End(self.capped(Proof::Consistent(why.clone())))),
        }
    }
}
