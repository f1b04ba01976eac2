//! The totals that the answers of one list have stated.

use super::statements::{Says, Statements};

/// The totals that the answers of one list have stated.
#[derive(Debug, Default)]
pub(super) struct Totals {
    items: Vec<Stated>,
    pages: Option<(u64, String)>,
    /// The paginator names a number of pages, which moves as a total does.
    last_pages: Option<u64>,
}

/// What one place has stated.
#[derive(Clone, Debug)]
pub(super) struct Stated {
    pub place: String,
    pub declared: bool,
    /// It may count the rows of its page.
    pub is_weak: bool,
    pub first: u64,
    pub last: u64,
    least: u64,
    most: u64,
    /// The pages on which it was the number of their rows, and the others.
    of_page: [u64; 2],
}

impl Stated {
    pub fn moved(&self) -> bool {
        self.least != self.most
    }

    /// It follows the page: it counts the rows of that.
    fn is_of_page(&self) -> bool {
        self.of_page[0] > 1 && self.of_page[1] == 0
    }
}

impl Totals {
    /// Takes what a page of so many rows says; `size`: the rows that were asked for.
    pub fn hear(&mut self, said: &Statements, rows: u64, size: Option<u64>) {
        let strong = said
            .0
            .iter()
            .any(|said| matches!(said.says, Says::Total(_)));
        for statement in &said.0 {
            match statement.says {
                Says::Total(total) => self.state(statement, total, rows, false),
                // It counts the rows of the page, or is what was asked for.
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
            // Behind the last row there is nothing to count for some.
            Some(_) if rows == 0 && total == 0 => {}
            Some(stated) => {
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
            }),
        }
    }

    fn believed(&self) -> impl Iterator<Item = &Stated> {
        self.items.iter().filter(|stated| !stated.is_of_page())
    }

    /// The total that is declared follows the page.
    pub fn is_of_page(&self) -> bool {
        let declared = self.items.iter().filter(|stated| stated.declared);
        declared.fold(false, |_, stated| stated.is_of_page())
    }

    /// The total that counts most now.
    pub fn now(&self) -> Option<u64> {
        let strong = self.believed().filter(|stated| !stated.is_weak);
        let declared = self.believed().find(|stated| stated.declared);
        declared
            .map(|stated| stated.last)
            .or(self.last_pages)
            .or_else(|| strong.map(|stated| stated.last).max())
    }

    /// The largest that is stated now, and sure to be a total.
    pub fn most(&self) -> Option<u64> {
        let strong = self.believed().filter(|stated| !stated.is_weak);
        strong.map(|stated| stated.last).max()
    }

    /// The smallest that is stated now.
    pub fn least(&self) -> Option<u64> {
        let strong = self.believed().filter(|stated| !stated.is_weak);
        strong.map(|stated| stated.last).min()
    }

    /// The total that counts more rows than have come: a sure one before others.
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

    /// The sure total that has never counted as many rows as have come.
    pub fn exceeded(&self, came: u64) -> Option<(u64, String)> {
        let strong = self.believed().filter(|stated| !stated.is_weak);
        let exceeded = strong.filter(|stated| stated.most < came);
        let exceeded = exceeded.map(|stated| (stated.most, stated.place.clone()));
        exceeded.min()
    }

    /// The number of pages, and where it stands.
    pub fn pages(&self) -> Option<(u64, String)> {
        self.pages.clone()
    }
}
