//! The totals that the responses of one list have stated.

use std::cmp::Ordering;

use super::statements::{Says, Statements};

/// The totals that the responses of one list have stated.
#[derive(Debug, Default)]
pub(super) struct Totals {
    items: Vec<Stated>,
    /// The places that may count the rows of each page.
    of_pages: Vec<PageCount>,
    pages: Option<(u64, String)>,
    /// The length of the longest page.
    longest: u64,
    /// The number of pages that the paginator names, if any; it changes as a total does.
    last_pages: Option<u64>,
}

/// The totals stated in one place of the responses.
#[derive(Clone, Debug)]
pub(super) struct Stated {
    pub place: String,
    pub declared: bool,
    /// Whether it may count the rows of its page.
    pub is_weak: bool,
    pub first: u64,
    pub last: u64,
    least: u64,
    pub most: u64,
    /// The number of pages whose rows it counted, and of other pages.
    of_page: [u64; 2],
    /// The last statement, if it counts the rows of its page and earlier ones did not.
    odd: Option<u64>,
}

/// A place of the responses that may count the rows of its page.
#[derive(Debug)]
struct PageCount {
    place: String,
    first: u64,
    /// Whether it has had other values.
    varies: bool,
    /// The number of pages whose rows it counted.
    equal: u64,
    /// The number of pages that had fewer rows.
    larger: u64,
    /// Whether a page had more rows.
    is_smaller: bool,
    /// The first page that had fewer rows: what was counted, and its rows.
    short: (u64, u64),
}

impl PageCount {
    fn add(&mut self, count: u64, rows: u64) {
        self.varies |= count != self.first;
        match count.cmp(&rows) {
            Ordering::Equal => self.equal += 1,
            Ordering::Less => self.is_smaller = true,
            Ordering::Greater => {
                if self.larger == 0 {
                    self.short = (count, rows);
                }
                self.larger += 1;
            }
        }
    }

    /// Returns whether it counts the rows of pages, of which some have fewer. A value that is always the
    /// same is the requested size.
    fn is_short(&self) -> bool {
        self.varies && !self.is_smaller && self.larger > 0 && self.equal > self.larger
    }
}

impl Stated {
    pub fn moved(&self) -> bool {
        self.least != self.most
    }

    /// Believes an odd statement.
    fn take_odd(&mut self) {
        if let Some(odd) = self.odd.take() {
            self.last = odd;
            self.least = self.least.min(odd);
            self.most = self.most.max(odd);
            self.of_page[0] += 1;
        }
    }

    /// Returns whether it counts only the rows of each page.
    fn is_of_page(&self) -> bool {
        self.of_page[0] > 1 && self.of_page[1] == 0
    }
}

impl Totals {
    /// Adds the statements of a page with this many rows; `size` is the requested number of rows.
    pub fn hear(&mut self, said: &Statements, rows: u64, size: Option<u64>) {
        self.longest = self.longest.max(rows);
        let strong = said
            .0
            .iter()
            .any(|said| matches!(said.says, Says::Total(_)));
        for statement in &said.0 {
            if let Says::Count(count) | Says::Named(count) | Says::OfPage(count) = statement.says
                && rows > 0
            {
                self.count_page(&statement.place, count, rows);
            }
            match statement.says {
                Says::Total(total) => self.state(statement, total, rows, false),
                // The count is that of the page's rows, or the requested size.
                Says::Count(count) if strong || count <= rows || Some(count) == size => {}
                Says::Count(count) => self.state(statement, count, rows, true),
                Says::Pages(pages) => {
                    self.last_pages = statement.declared.then_some(pages).or(self.last_pages);
                    let most = self.pages.as_ref().map_or(0, |(pages, _)| *pages);
                    if statement.declared || pages >= most {
                        self.pages = Some((pages, statement.place.clone()));
                    }
                }
                _ => {}
            }
        }
    }

    fn count_page(&mut self, place: &str, count: u64, rows: u64) {
        let known = self.of_pages.iter().position(|of| of.place == place);
        let at = known.unwrap_or_else(|| {
            self.of_pages.push(PageCount {
                place: place.to_owned(),
                first: count,
                varies: false,
                equal: 0,
                larger: 0,
                is_smaller: false,
                short: (0, 0),
            });
            self.of_pages.len() - 1
        });
        if let Some(of) = self.of_pages.get_mut(at) {
            of.add(count, rows);
        }
    }

    /// Returns a page that has fewer rows than it says: the place, the number there, and the rows.
    pub fn short_page(&self) -> Option<(&str, u64, u64)> {
        let short = self.of_pages.iter().find(|of| of.is_short())?;
        Some((&short.place, short.short.0, short.short.1))
    }

    fn state(
        &mut self,
        statement: &super::statements::Statement,
        total: u64,
        rows: u64,
        is_weak: bool,
    ) {
        let known = self
            .items
            .iter_mut()
            .find(|stated| stated.place == statement.place);
        let of_page = match (rows, total == rows) {
            (0, _) => [0, 0],
            (_, true) => [1, 0],
            (_, false) => [0, 1],
        };
        match known {
            // Some APIs state 0 after the last row, or do not count again; with rows 0 is wrong.
            Some(_) if total == 0 => {}
            // Some APIs count the rows of the last page alone.
            Some(stated)
                if of_page == [1, 0]
                    && rows < self.longest
                    && stated.of_page[0] == 0
                    && !stated.moved()
                    && total < stated.last =>
            {
                stated.odd = Some(total);
            }
            Some(stated) => {
                stated.take_odd();
                stated.last = total;
                stated.least = stated.least.min(total);
                stated.most = stated.most.max(total);
                stated.of_page[0] += of_page[0];
                stated.of_page[1] += of_page[1];
            }
            None => self.items.push(Stated {
                place: statement.place.clone(),
                declared: statement.declared,
                is_weak,
                first: total,
                last: total,
                least: total,
                most: total,
                of_page,
                odd: None,
            }),
        }
    }

    /// Decides at the end of a list whether an odd last statement was one about its page: if all
    /// rows that were counted before have arrived.
    pub fn settle(&mut self, came: u64) {
        for stated in self.items.iter_mut().filter(|stated| stated.last != came) {
            stated.take_odd();
        }
    }

    fn believed(&self) -> impl Iterator<Item = &Stated> {
        self.items.iter().filter(|stated| !stated.is_of_page())
    }

    /// Returns whether the declared total counts only the rows of each page.
    pub fn is_of_page(&self) -> bool {
        let declared = self.items.iter().filter(|stated| stated.declared);
        declared.fold(false, |_, stated| stated.is_of_page())
    }

    /// Returns the current total that takes precedence.
    pub fn now(&self) -> Option<u64> {
        let strong = self.believed().filter(|stated| !stated.is_weak);
        let declared = self.believed().find(|stated| stated.declared);
        declared
            .map(|stated| stated.last)
            .or(self.last_pages)
            .or_else(|| strong.map(|stated| stated.last).max())
    }

    /// Returns the largest current total that is certainly a total.
    pub fn most(&self) -> Option<u64> {
        let strong = self.believed().filter(|stated| !stated.is_weak);
        strong.map(|stated| stated.last).max()
    }

    /// Returns the smallest current total that is certainly a total.
    pub fn least(&self) -> Option<u64> {
        let strong = self.believed().filter(|stated| !stated.is_weak);
        strong.map(|stated| stated.last).min()
    }

    /// Returns the largest number of rows that a response has counted.
    pub fn counted_rows(&self) -> Option<u64> {
        self.believed().map(|stated| stated.most).max()
    }

    /// Returns the total that once counted more rows than have arrived, though its last statement
    /// does not.
    pub fn fallen(&self, came: u64) -> Option<&Stated> {
        let mut fallen = self.believed();
        fallen.find(|stated| stated.most > came && stated.last <= came)
    }

    /// Returns the largest number of pages that a response has counted.
    pub fn counted_pages(&self) -> Option<u64> {
        self.pages.as_ref().map(|(pages, _)| *pages)
    }

    /// Returns the total that counts more rows than have arrived; certain totals take precedence.
    pub fn missing(&self, came: u64) -> Option<&Stated> {
        let missing = self.believed().filter(|stated| stated.last > came);
        missing.max_by_key(|stated| {
            (
                !stated.is_weak,
                !stated.moved(),
                stated.declared,
                stated.last,
            )
        })
    }

    /// Returns the declared number of pages, or one of 0, that is smaller than the number of pages with
    /// rows.
    pub fn exceeded_pages(&self, read: u64) -> Option<(u64, String)> {
        let (pages, place) = self.pages.clone()?;
        let wrong = pages < read && (self.last_pages.is_some() || pages == 0);
        wrong.then_some((pages, place))
    }

    /// Returns the certain total that has never counted as many rows as have arrived.
    pub fn exceeded(&self, came: u64) -> Option<(u64, String)> {
        let strong = self.believed().filter(|stated| !stated.is_weak);
        let exceeded = strong.filter(|stated| stated.most < came);
        let exceeded = exceeded.map(|stated| (stated.most, stated.place.clone()));
        exceeded.min()
    }

    /// Returns whether a total has fallen below the rows that have arrived, by more rows than a page
    /// has.
    pub fn has_collapsed(&self, came: u64) -> bool {
        let page = self.longest.max(1);
        self.fallen(came)
            .is_some_and(|stated| stated.most - came > page)
    }

    /// Returns the number of pages and the name of its statement.
    pub fn pages(&self) -> Option<(u64, String)> {
        self.pages.clone()
    }
}
