//! From one page to the next, or to the proof that there is none.

use std::ops::Deref;

use etlgen_model::{Offset, PageNumber, Paginator, ResponsePath, Token, Total as Stated};

use super::paginator::{Next, Pager, Position, TotalOf};
use super::places::Look;
use super::proof::Proof;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Response, next_link};

/// What a page says about what follows it.
pub(crate) struct PageFacts<'a> {
    /// Rows in this page.
    pub rows: u64,
    /// Raw JSON of the places that [`Pager::probes`] names: more, total, next.
    pub probes: [Option<&'a str>; 3],
    /// The id of its last record.
    pub last_id: Option<String>,
    /// A fingerprint of its records; `None` if it has none.
    pub fingerprint: Option<u64>,
    /// What tells its rows apart, where [`Pager::compares_rows`] wants it; else empty.
    pub ids: &'a [u64],
    /// What is not proved is read twice.
    pub thorough: bool,
    /// For headers.
    pub response: &'a Response,
}

/// What comes after a page.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// Another page.
    Next(Position),
    /// Nothing, and how that is known.
    End(Proof),
}

impl Pager {
    /// What comes after the page at `position`, and how many of its rows had come before it.
    pub(crate) fn advance(
        &self,
        position: &Position,
        page: &PageFacts<'_>,
    ) -> Result<(Step, usize)> {
        let known = match self.look(position, page) {
            Look::Take(known) => known,
            Look::Pass(step) => return Ok((step, page.ids.len())),
        };
        let moved = self.moved(position, page);
        let step = match moved {
            // Its rows add up to neither total.
            Some(_) if self.ends(position, page) => Step::End(Proof::Proved(String::new())),
            _ => self.step(position, page, known)?,
        };
        let place = self.probes()[2];
        let full = self
            .page_size()
            .is_some_and(|size| page.rows >= size.rows.get());
        let step = match (step, place) {
            // A wrong path looks like the end of the list.
            (Step::End(Proof::Proved(_)), Some(place))
                if full
                    && position.pages == 0
                    && page.probes[2].is_none()
                    && page.probes[0].is_none() =>
            {
                Step::End(Proof::Unproved(format!(
                    "the first page is full, and there is no `{place}` in it: more may follow"
                )))
            }
            (step, _) if self.by_place(position, &step) => {
                self.placed(position, page, known, moved, step)
            }
            (step, _) => step,
        };
        Ok((step, known))
    }

    /// The total that the first page of a numbered list stated and the one of this page, if they differ: rows have
    /// come or gone, and with them the places of all others.
    fn moved(&self, position: &Position, page: &PageFacts<'_>) -> Option<(u64, u64)> {
        let (before, (now, _)) = (position.total?, self.total_of(page)?);
        (self.is_numbered() && before != now && !position.places.is_joined())
            .then_some((before, now))
    }

    /// Whether this page is the last one, however well that is known.
    fn ends(&self, position: &Position, page: &PageFacts<'_>) -> bool {
        let (rows, pages) = (position.rows + page.rows, position.pages + 1);
        page.rows == 0
            || page.probes[0].and_then(boolean) == Some(false)
            || self.total_of(page).is_some_and(|(count, of)| match of {
                TotalOf::Items => rows >= count,
                TotalOf::Pages => pages >= count,
            })
    }

    /// What follows the beginning of a list that came within a record. Where the place of the next page does not follow
    /// from that, since it has no headers or is not as long as a page, the list is read from its first page.
    pub(crate) fn advance_embedded(&self, beginning: &PageFacts<'_>) -> Result<Step> {
        let start = Position::default();
        let more = beginning.probes[0].and_then(boolean);
        let numbered = matches!(
            self.deref(),
            Paginator::PageNumber(_)
                | Paginator::LinkHeader(_)
                | Paginator::Token(Token {
                    next: ResponsePath::Header(_),
                    ..
                })
        );
        let stub = beginning.rows == 0 && more == Some(true);
        if !numbered && !stub {
            return Ok(self.advance(&start, beginning)?.0);
        }
        Ok(match !stub && self.ends(&start, beginning) {
            true => Step::End(Proof::Proved("it is whole within the record".into())),
            false => Step::Next(start),
        })
    }

    fn step(&self, position: &Position, page: &PageFacts<'_>, known: usize) -> Result<Step> {
        let same = page.fingerprint.is_some() && page.fingerprint == position.fingerprint;
        if page.rows > 0 && known == 0 && same {
            return Err(paging("the server sent the same page twice in a row").hint(
                "the paginator of this resource is probably not the one that the API wants",
            ));
        }
        let new = page.rows - known as u64;
        let rows = position.rows + new;
        let pages = position.pages + 1;
        let stated = self.total_of(page).map(|(count, _)| count);
        let go_on = |next: Next| {
            Step::Next(Position {
                next,
                rows,
                pages,
                fingerprint: page.fingerprint,
                total: position.total.or(stated),
                places: position.places.clone(),
            })
        };
        let [more, _, next] = page.probes;
        let more = more.and_then(boolean);
        let total = self.total_of(page);

        match self.deref() {
            Paginator::Single => Ok(Step::End(Proof::Proved(
                "everything comes in one response".into(),
            ))),
            Paginator::Undecided => Ok(Step::End(Proof::Unproved(
                "how this resource is paged is undecided: one page was read".into(),
            ))),
            _ if more == Some(false) => self.end(
                format!("`{}` is false", self.more().unwrap_or_default()),
                rows,
                total,
            ),
            Paginator::LastId(_) => match &page.last_id {
                Some(id) if position.next == Next::Value(id.clone()) => Err(paging(format!(
                    "the last record is `{id}` again: the page parameter has no effect"
                ))),
                Some(id) => Ok(go_on(Next::Value(id.clone()))),
                None if page.rows > 0 => Err(paging(
                    "the last record of the page has no id to go on from",
                )),
                None if more == Some(true) => Err(paging(
                    "the page is empty, yet the API says that more follows",
                )),
                None => self.end("an empty page".into(), rows, total),
            },
            Paginator::PageNumber(PageNumber { first, .. }) => {
                if let Some((count, TotalOf::Pages)) = total
                    && pages >= count
                {
                    return Ok(Step::End(Proof::Proved(format!("page {pages} of {count}"))));
                }
                let next = go_on(Next::Value((first + pages).to_string()));
                self.counted(page, known, rows, more, total, next)
            }
            Paginator::Offset(Offset { first, .. }) => {
                // Rows that came and went meanwhile are not among those received, but have moved the places of these.
                let behind = self.offset_at(position).unwrap_or(*first) + page.rows;
                let next = go_on(Next::Value(behind.to_string()));
                self.counted(page, known, behind - first, more, total, next)
            }
            Paginator::Token(Token { next: at, .. }) => {
                let token = match at {
                    ResponsePath::Body(_) => next.and_then(scalar),
                    ResponsePath::Header(name) => page
                        .response
                        .header(name)
                        .map(str::to_owned)
                        .filter(|token| !token.is_empty()),
                };
                self.follow(
                    position,
                    token.map(Next::Value),
                    "no next token",
                    page,
                    more,
                    rows,
                    total,
                    go_on,
                )
            }
            Paginator::LinkHeader(_) => {
                let link = linked(page.response);
                self.follow(
                    position,
                    link.map(Next::Url),
                    "no next link",
                    page,
                    more,
                    rows,
                    total,
                    go_on,
                )
            }
            Paginator::NextUrl(_) => {
                let url = next.and_then(scalar);
                self.follow(
                    position,
                    url.map(Next::Url),
                    "no next link",
                    page,
                    more,
                    rows,
                    total,
                    go_on,
                )
            }
        }
    }

    /// Lists that are asked for by number: they end at the total, or at an empty page.
    fn counted(
        &self,
        page: &PageFacts<'_>,
        known: usize,
        rows: u64,
        more: Option<bool>,
        total: Total,
        next: Step,
    ) -> Result<Step> {
        let reached = total.is_some_and(|(count, of)| of == TotalOf::Items && rows >= count);
        // Rows that came in front have filled the page with those that were known.
        if page.rows == known as u64 && known > 1 && !reached {
            return Ok(next);
        }
        if page.rows == known as u64 {
            if more == Some(true) {
                return Err(paging(
                    "the page is empty, yet the API says that more follows",
                ));
            }
            let evidence = match known {
                0 => "an empty page",
                _ => "nothing behind the last row",
            };
            return self.end(evidence.into(), rows, total);
        }
        match total {
            Some((count, TotalOf::Items)) if rows >= count => {
                Ok(Step::End(Proof::Proved(format!("{rows} rows of {count}"))))
            }
            _ => Ok(next),
        }
    }

    /// Lists that lead on by themselves: they end where nothing leads on.
    #[expect(
        clippy::too_many_arguments,
        reason = "the facts of one page, used once per kind"
    )]
    fn follow(
        &self,
        position: &Position,
        next: Option<Next>,
        ending: &str,
        page: &PageFacts<'_>,
        more: Option<bool>,
        rows: u64,
        total: Total,
        go_on: impl Fn(Next) -> Step,
    ) -> Result<Step> {
        match next {
            Some(next) if next == position.next => Err(paging(
                "the API leads to the same page again: following it would never end",
            )),
            Some(next) => Ok(go_on(next)),
            None if more == Some(true) => Err(paging(format!(
                "the API says that more follows, but there is {ending} in {}",
                page.response.request
            ))),
            None => self.end(ending.to_owned(), rows, total),
        }
    }

    /// The end, unless the API's own total says that rows are missing.
    fn end(&self, evidence: String, rows: u64, total: Total) -> Result<Step> {
        match total {
            Some((count, TotalOf::Items)) if rows < count => Err(paging(format!(
                "the list ended ({evidence}) after {rows} rows, but the API counts {count}"
            ))
            .hint(
                "run again; if it stays, the paginator or its page size is not what the API wants",
            )),
            _ => Ok(Step::End(Proof::Proved(evidence))),
        }
    }

    fn total_of(&self, page: &PageFacts<'_>) -> Total {
        let (at, of) = match self.total()? {
            Stated::Items(at) => (at, TotalOf::Items),
            Stated::Pages(at) => (at, TotalOf::Pages),
            Stated::Ignored => return None,
        };
        let text = match at {
            ResponsePath::Header(name) => page.response.header(name)?.to_owned(),
            ResponsePath::Body(_) => scalar(page.probes[1]?)?,
        };
        let count = text
            .trim()
            .parse::<u64>()
            .ok()
            .or_else(|| text.trim().parse::<f64>().ok().map(|n| n as u64))?;
        Some((count, of))
    }

    /// The pages from `next` on that are certain to be there, `most` of them at most; the rest of a numbered list is, as
    /// far as its stated total says, since every page but the last holds as many rows as this one. `rows`: of this page, as it was sent.
    pub(crate) fn foreseen(
        &self,
        next: &Position,
        rows: u64,
        total: Option<u64>,
        most: u64,
    ) -> Vec<Position> {
        let mut pages = vec![next.clone()];
        let (Some(total), Next::Value(at), false) = (total, &next.next, rows == 0) else {
            return pages;
        };
        let (Ok(at), Some(of)) = (at.parse::<u64>(), self.total()) else {
            return pages;
        };
        let new = rows - u64::from(next.places.overlaps());
        let left = match of {
            Stated::Items(_) => total.saturating_sub(next.rows).div_ceil(new),
            Stated::Pages(_) => total.saturating_sub(next.pages),
            Stated::Ignored => return pages,
        };
        let width = match self.deref() {
            Paginator::PageNumber(_) => 1,
            Paginator::Offset(_) => new,
            _ => return pages,
        };
        let more = (1..left.min(most)).map_while(|page| at.checked_add(page.checked_mul(width)?));
        pages.extend(more.map(|at| Position {
            next: Next::Value(at.to_string()),
            ..Position::default()
        }));
        pages
    }

    /// Whether the page says itself that more follows, given that it is not known to be the last.
    pub(super) fn says_more(&self, page: &PageFacts<'_>) -> bool {
        page.probes[0].and_then(boolean) == Some(true) || self.stated(page).is_some()
    }

    /// The total that a page states, of whatever it counts.
    pub(crate) fn stated(&self, page: &PageFacts<'_>) -> Option<u64> {
        self.total_of(page).map(|(count, _)| count)
    }

    /// The total of items that a page states, for progress.
    pub(crate) fn stated_total(&self, page: &PageFacts<'_>) -> Option<u64> {
        self.total_of(page)
            .and_then(|(count, of)| (of == TotalOf::Items).then_some(count))
    }
}

/// The target of the `Link` header that leads on.
fn linked(response: &Response) -> Option<String> {
    let links = response.headers.get_all("link").iter();
    let mut links = links.filter_map(|value| value.to_str().ok());
    links.find_map(next_link).map(str::to_owned)
}

type Total = Option<(u64, TotalOf)>;

fn paging(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Paging, message)
}

/// A scalar that can be sent: null, `""` and `false` mean that there is none.
fn scalar(json: &str) -> Option<String> {
    match serde_json::from_str(json).ok()? {
        serde_json::Value::String(text) if !text.is_empty() => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn boolean(json: &str) -> Option<bool> {
    match serde_json::from_str(json).ok()? {
        serde_json::Value::Bool(b) => Some(b),
        serde_json::Value::Number(n) => Some(n.as_f64() != Some(0.0)),
        serde_json::Value::String(s) if s.eq_ignore_ascii_case("true") => Some(true),
        serde_json::Value::String(s) if s.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::super::places::Places;
    use super::*;

    fn response(link: Option<&str>) -> Response {
        let mut headers = HeaderMap::new();
        if let Some(link) = link {
            headers.insert("link", link.parse().unwrap());
        }
        Response {
            status: 200,
            headers,
            body: Vec::new(),
            request: "GET /x".into(),
        }
    }

    /// Rows, more, total, next and last id of a page, and what follows from it.
    type Page<'a> = (
        u64,
        Option<&'a str>,
        Option<&'a str>,
        Option<&'a str>,
        Option<&'a str>,
    );

    fn advance(paginator: impl Into<Paginator>, at: &Position, page: Page<'_>) -> Result<Step> {
        let pager = Pager::from(paginator);
        let (rows, more, total, next, last_id) = page;
        let response = response(None);
        let last_id = last_id.map(str::to_owned);
        let facts = PageFacts {
            rows,
            probes: [more, total, next],
            last_id,
            fingerprint: None,
            ids: &[],
            thorough: false,
            response: &response,
        };
        Ok(match pager.advance(at, &facts)?.0 {
            Step::Next(position) => Step::Next(Position {
                places: Places::default(),
                ..position
            }),
            end => end,
        })
    }

    fn after(next: Next, rows: u64, pages: u64) -> Position {
        Position {
            next,
            rows,
            pages,
            fingerprint: None,
            ..Position::default()
        }
    }

    fn value(text: &str) -> Next {
        Next::Value(text.into())
    }

    #[test]
    fn a_full_first_page_without_the_next_key_proves_nothing() {
        let paginator = Paginator::token("after", "next").page_size("limit", 5);
        let step = |rows, next| {
            let step = advance(
                paginator.clone(),
                &Position::default(),
                (rows, None, None, next, None),
            );
            step.unwrap()
        };
        assert!(matches!(step(5, None), Step::End(Proof::Unproved(_))));
        assert!(matches!(step(4, None), Step::End(Proof::Proved(_))));
        assert!(matches!(step(5, Some("null")), Step::End(Proof::Proved(_))));
    }

    #[test]
    fn last_id_goes_on_until_has_more_is_false() {
        let paginator = Paginator::last_id("after").more("has_more");
        let start = Position::default();
        let step = advance(
            paginator.clone(),
            &start,
            (2, Some("true"), None, None, Some("b")),
        )
        .unwrap();
        assert_eq!(step, Step::Next(after(value("b"), 2, 1)));
        let again = advance(
            paginator.clone(),
            &after(value("b"), 2, 1),
            (2, Some("true"), None, None, Some("b")),
        );
        assert!(again.unwrap_err().to_string().contains("again"));
        let end = advance(
            paginator.clone(),
            &start,
            (2, Some("false"), None, None, Some("b")),
        )
        .unwrap();
        assert_eq!(end, Step::End(Proof::Proved("`has_more` is false".into())));
        assert!(
            advance(
                paginator.clone(),
                &start,
                (0, Some("true"), None, None, None)
            )
            .is_err()
        );
    }

    #[test]
    fn a_short_page_proves_nothing() {
        let paginator = Paginator::page_number("page").page_size("per_page", 500);
        let step = advance(
            paginator.clone(),
            &Position::default(),
            (100, None, None, None, None),
        )
        .unwrap();
        assert_eq!(step, Step::Next(after(value("2"), 100, 1)));
        let step = advance(
            paginator.clone(),
            &after(value("2"), 100, 1),
            (15, None, None, None, None),
        )
        .unwrap();
        assert_eq!(step, Step::Next(after(value("3"), 115, 2)));
        let step = advance(
            paginator.clone(),
            &after(value("3"), 115, 2),
            (0, None, None, None, None),
        )
        .unwrap();
        assert_eq!(step, Step::End(Proof::Proved("an empty page".into())));
    }

    #[test]
    fn offsets_advance_by_rows_received_and_end_at_the_total() {
        let paginator = Paginator::offset("offset").total_items("total");
        let step = advance(
            paginator.clone(),
            &Position::default(),
            (100, None, Some("115"), None, None),
        )
        .unwrap();
        let second = Position {
            total: Some(115),
            ..after(value("100"), 100, 1)
        };
        assert_eq!(step, Step::Next(second.clone()));
        let step = advance(
            paginator.clone(),
            &second,
            (15, None, Some("115"), None, None),
        )
        .unwrap();
        assert_eq!(step, Step::End(Proof::Proved("115 rows of 115".into())));
        let short = advance(
            paginator.clone(),
            &after(value("100"), 100, 1),
            (0, None, Some("115"), None, None),
        );
        assert!(short.unwrap_err().to_string().contains("counts 115"));
    }

    #[test]
    fn page_totals_count_pages() {
        let paginator = Paginator::page_number("page")
            .starting_at(0)
            .total_pages("pages");
        let step = advance(
            paginator.clone(),
            &Position::default(),
            (10, None, Some("2"), None, None),
        )
        .unwrap();
        let second = Position {
            total: Some(2),
            ..after(value("1"), 10, 1)
        };
        assert_eq!(step, Step::Next(second.clone()));
        let step = advance(
            paginator.clone(),
            &second,
            (10, None, Some("2"), None, None),
        )
        .unwrap();
        assert_eq!(step, Step::End(Proof::Proved("page 2 of 2".into())));
    }

    #[test]
    fn tokens_end_where_none_is_left_and_never_loop() {
        let paginator = Paginator::token("cursor", "meta.next");
        let step = advance(
            paginator.clone(),
            &Position::default(),
            (1, None, None, Some("\"t1\""), None),
        )
        .unwrap();
        assert_eq!(step, Step::Next(after(value("t1"), 1, 1)));
        assert!(
            advance(
                paginator.clone(),
                &after(value("t1"), 1, 1),
                (1, None, None, Some("\"t1\""), None)
            )
            .is_err()
        );
        for none in [None, Some("null"), Some("\"\"")] {
            let step = advance(
                paginator.clone(),
                &Position::default(),
                (1, None, None, none, None),
            )
            .unwrap();
            assert_eq!(
                step,
                Step::End(Proof::Proved("no next token".into())),
                "{none:?}"
            );
        }
        let lying = Paginator::token("cursor", "next").more("more");
        assert!(
            advance(
                lying.clone(),
                &Position::default(),
                (1, Some("true"), None, None, None)
            )
            .is_err()
        );
    }

    #[test]
    fn links_are_followed_and_a_page_sent_twice_is_an_error() {
        let paginator = Pager::from(Paginator::link_header());
        let response = response(Some("</x?page=2>; rel=\"next\""));
        let mut facts = PageFacts {
            rows: 1,
            probes: [None; 3],
            last_id: None,
            fingerprint: Some(7),
            ids: &[],
            thorough: false,
            response: &response,
        };
        let (step, _) = paginator.advance(&Position::default(), &facts).unwrap();
        let Step::Next(position) = step else {
            panic!("{step:?}")
        };
        assert_eq!(position.next, Next::Url("/x?page=2".into()));
        facts.rows = 1;
        assert!(paginator.advance(&position, &facts).is_err());
    }
}
