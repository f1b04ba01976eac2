//! Changes the behaviour of an honest API according to a lie.

use super::page::{Asked, Lead, Page, Shape, Start};
use super::rows::Row;
use crate::lies::Lie;
use crate::random::Rng;
use crate::scenario::{ListSpec, Paging, Total};

/// A lie about one list.
pub struct Bend<'a> {
    pub lie: Lie,
    pub twist: usize,
    pub spec: &'a ListSpec,
    /// The number of requests so far, which makes tokens unique.
    pub asked: u64,
    pub rng: &'a mut Rng,
}

impl Bend<'_> {
    /// Changes the rows that this request sees.
    pub fn rows(&mut self, rows: &mut [Row]) {
        let swaps = match self.lie {
            Lie::Unordered if rows.len() > 1 => 1 + rows.len() / 4,
            Lie::PageShuffled => 3 * rows.len(),
            _ => 0,
        };
        for _ in 0..swaps {
            let (a, b) = (self.rng.below(rows.len()), self.rng.below(rows.len()));
            rows.swap(a, b);
        }
    }

    /// Changes the interpretation of a request.
    pub fn question(&self, asked: &mut Asked, rows: &[Row]) {
        let (size, count) = (asked.size, rows.len());
        match (self.lie, &asked.start) {
            (Lie::PageIgnored | Lie::PageShuffled, _) => asked.start = Start::Index(0),
            (Lie::PagesWrap, Start::Index(index)) if *index >= count && count > 0 => {
                asked.start = Start::Index(index % (count.div_ceil(size) * size));
            }
            (Lie::PagesClamp, Start::Index(index)) if *index >= count && count > 0 => {
                asked.start = Start::Index((count - 1) / size * size);
            }
            (Lie::OffsetRounds, Start::Index(index)) => {
                asked.start = Start::Index(index / size * size);
            }
            (Lie::LastIdWraps, Start::Behind { place, .. }) => {
                let last = rows.last().is_none_or(|row| row.place == *place);
                if last {
                    asked.start = Start::Index(0);
                }
            }
            (Lie::Inclusive, Start::Behind { place, hop }) => {
                let newest_first = self.spec.newest_first;
                let place = if newest_first { place + 1 } else { place - 1 };
                asked.start = Start::Behind { place, hop: *hop };
            }
            (Lie::TokenZero, Start::Token(token)) if token == "0" => {
                asked.start = Start::Index(0);
            }
            (Lie::RowsAgain, Start::Token(token)) => {
                let place = token.split('-').nth(1).map(str::parse);
                asked.start = match place {
                    None => Start::Index(0),
                    Some(Ok(place)) => Start::Behind { place, hop: false },
                    Some(Err::<_, std::num::ParseIntError>(_)) => Start::Nonsense,
                };
            }
            _ => {}
        }
        if self.lie == Lie::FilterIgnored {
            (asked.since, asked.until) = (None, None);
        }
    }

    /// Returns the row, at the end of a page, from which on no rows are sent.
    fn cut(&self, size: usize, count: usize) -> usize {
        let pages = count.div_ceil(size.max(1));
        match pages {
            0 | 1 => usize::MAX,
            pages => size * (1 + self.twist % (pages - 1)),
        }
    }

    /// Changes the page.
    pub fn page(&self, asked: &Asked, rows: &[Row], mut page: Page) -> Page {
        let (size, count) = (asked.size, rows.len());
        let end = page.index + page.rows.len();
        match self.lie {
            lie if lie.is_ending() => return self.ending(asked, rows, page),
            lie if lie.is_of_single() => self.single(count, &mut page),
            Lie::TotalTooLow => {
                let low = count.saturating_sub(size / 2 + 1 + self.twist % size.max(1));
                // If it equals the length of each page, it counts the page, which is another lie.
                let is_of_page = low == size && count.is_multiple_of(size);
                page.total = page.total.map(|_| low as i64 - i64::from(is_of_page));
            }
            Lie::TotalTooHigh => page.total = page.total.map(|total| total + 3),
            Lie::TotalOfPage => page.total = page.total.map(|_| page.rows.len() as i64),
            Lie::TotalNegative => page.total = page.total.map(|_| -1),
            Lie::TotalFalling => {
                page.total = page.total.map(|total| total - page.index as i64);
            }
            Lie::TotalRising => page.total = page.total.map(|_| end as i64),
            Lie::PagesTooLow => page.total = page.total.map(|total| (total - 1).max(1)),
            Lie::TokenObject | Lie::TokenList | Lie::TokenTrue
                if page.next.is_some() && end == self.cut(size, count) =>
            {
                let raw = match self.lie {
                    Lie::TokenObject => r#"{"after": 7}"#,
                    Lie::TokenList => r#"["7"]"#,
                    _ => "true",
                };
                page.next = Some(Lead::Raw(raw.to_owned()));
            }
            Lie::TokenZero if page.next.is_none() => {
                page.next = Some(Lead::Raw("0".to_owned()));
            }
            Lie::TokenSame | Lie::TokenFresh | Lie::RowsAgain => {
                return self.token(asked, page);
            }
            Lie::Circle => self.circle(asked, rows, &mut page),
            _ => {}
        }
        page
    }

    /// Cuts a list without paging to its beginning.
    fn single(&self, count: usize, page: &mut Page) {
        page.rows.truncate(self.spec.cap);
        let more = page.rows.len() < count;
        page.total = (self.spec.total == Total::Items).then_some(count as i64);
        page.more = self.spec.more.then_some(more);
        if more && matches!(self.lie, Lie::TokenUndeclared | Lie::LinkUndeclared) {
            page.next = Some(Lead::To(Start::Index(self.spec.cap)));
        }
    }

    /// Replaces a page that was said to follow.
    fn ending(&self, asked: &Asked, rows: &[Row], mut page: Page) -> Page {
        let cut = self.cut(asked.size, rows.len());
        let end = page.index + page.rows.len();
        // A page that the cut divides would look like the last one: only a flag or a total betrays it.
        let divided = end > cut && !self.lie.is_told_by_its_shape();
        if page.index < cut && (end <= cut || divided) {
            if divided {
                page.rows.truncate(cut - page.index);
                page.more = page.more.map(|_| true);
                if self.spec.leads_on() {
                    let next = super::page::next(self.spec, &asked.start, &page.rows, cut);
                    page.next = Some(Lead::To(next));
                }
            }
            return page;
        }
        let stays = self.twist.is_multiple_of(3);
        let total = page.total.filter(|_| stays);
        let bare = |status, shape| Page {
            index: page.index,
            total: match status {
                200 => total,
                _ => None,
            },
            ..Page::bare(status, shape)
        };
        match self.lie {
            Lie::EndsIn204 => bare(204, Shape::Nothing),
            Lie::EndsIn202 => bare(202, [Shape::Nothing, Shape::List][self.twist % 2]),
            Lie::EndsInEmptyList => bare(200, Shape::List),
            Lie::EndsInNull => bare(200, Shape::Null),
            Lie::EndsInEmptyObject => bare(200, Shape::EmptyObject),
            Lie::EndsInErrors => bare(200, Shape::Errors),
            Lie::EndsInObject => bare(200, Shape::Object),
            Lie::EndsInRefusal => bare(200, Shape::Refusal),
            _ => bare([400, 404, 416, 422][self.twist % 4], Shape::Refusal),
        }
    }

    /// Adds tokens after the end.
    fn token(&self, asked: &Asked, page: Page) -> Page {
        let leads = |page: Page, token: String| Page {
            next: Some(Lead::To(Start::Token(token))),
            ..page
        };
        let at_end = page.status == 200 && page.next.is_none();
        let behind = matches!(asked.start, Start::Token(_));
        match self.lie {
            Lie::TokenSame if behind => leads(Page::bare(200, Shape::List), "end".to_owned()),
            Lie::TokenSame if at_end => leads(page, "end".to_owned()),
            Lie::TokenFresh if behind => {
                leads(Page::bare(200, Shape::List), format!("f{}", self.asked))
            }
            Lie::TokenFresh if at_end => leads(page, format!("f{}", self.asked)),
            Lie::RowsAgain if at_end => leads(page, format!("r{}", self.asked)),
            Lie::RowsAgain => match page.rows.last().map(|row| row.place) {
                Some(place) => leads(page, format!("r{}-{place}", self.asked)),
                None => page,
            },
            _ => page,
        }
    }

    /// Adds a token or link that leads back.
    fn circle(&self, asked: &Asked, rows: &[Row], page: &mut Page) {
        let size = asked.size;
        let last = rows.len().div_ceil(size).saturating_sub(1);
        let back = (1 + self.twist % 5).min(last);
        let at = page.index / size;
        if back == 0 || at != back || page.rows.is_empty() {
            return;
        }
        // The circle starts with page 1 and ends with page `back`.
        let start = match self.spec.paging == Paging::Number || self.spec.numbered {
            true => Start::Index(size),
            false => Start::Behind {
                place: rows[size - 1].place,
                hop: false,
            },
        };
        page.next = Some(Lead::To(start));
    }
}
