//! What one seed stands for, as a plain value: the API, its lie, the network, the destination, and the runs one after the
//! other. A seed that was found becomes a test as such a value, so that it stays the same when the generator changes.

use etlgen_runtime::prelude::Deletes;

use crate::lies::Lie;

/// A world, and what happens in it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Decides the network's faults, delays, and what is picked by number.
    pub seed: u64,
    /// The list `items`.
    pub items: ListSpec,
    /// The list `parts` below each of the items.
    pub parts: Option<ListSpec>,
    /// Items from the start.
    pub rows: usize,
    /// Parts below each item from the start, at most.
    pub most_parts: usize,
    /// What the API lies about.
    pub lie: Option<Lie>,
    /// The lists of parts lie, not that of the items.
    pub lies_below: bool,
    /// The run, from 0, in which it begins to lie.
    pub lies_from: usize,
    /// Which variant of the lie.
    pub twist: usize,
    /// The connector's clock is that many seconds before that of the API.
    pub behind: i64,
    /// Requests at a time.
    pub concurrency: usize,
    /// Rows that the destination commits at once.
    pub commit_rows: usize,
    /// Where the rows go.
    pub place: Place,
    /// The runs, one after the other.
    pub runs: Vec<RunSpec>,
}

/// One run.
#[derive(Clone, Debug, Default)]
pub struct RunSpec {
    /// What happens at the API before it begins.
    pub before: Vec<Change>,
    /// What happens at the API right before it answers that request of the run, from 1.
    pub during: Vec<(u64, Change)>,
    /// Of a hundred requests, so many meet a fault of the network.
    pub faults: usize,
    /// The step (a request, a commit that begins, a commit that has ended) at which the process dies.
    pub dies_at: Option<u64>,
    /// The commit that the destination refuses, from 1.
    pub commit_fails: Option<u64>,
    /// The run is asked to stop after that many seconds.
    pub stops_after: Option<u64>,
    /// The connector's clock goes back by that many seconds before the run.
    pub clock_back: i64,
}

/// Something that happens to a list. Rows are picked by number, modulo how many there are.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// A row comes, at the end of the list or in its middle.
    Come(At),
    /// A row goes.
    Go(At),
    /// The contents of a row change.
    Edit(At),
    /// A row takes another place.
    Move(At),
}

/// Which list, and which row of it.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// `None`: the items; else the parts of that item.
    pub below: Option<usize>,
    /// The row.
    pub row: usize,
}

impl At {
    /// An item.
    pub fn item(row: usize) -> Self {
        At { below: None, row }
    }

    /// A part of an item.
    pub fn part(below: usize, row: usize) -> Self {
        At {
            below: Some(below),
            row,
        }
    }
}

/// How pages are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    Single,
    Offset,
    Number,
    Token,
    HeaderToken,
    LastId,
    NextUrl,
    Link,
}

/// What a total counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    None,
    Items,
    Pages,
}

/// Where rows go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Model,
    Sqlite,
    Parquet,
}

/// One list of the API, and how the connector declares it.
#[derive(Clone, Debug)]
pub struct ListSpec {
    pub paging: Paging,
    /// The links of [`Paging::NextUrl`] and [`Paging::Link`] ask for pages by number.
    pub numbered: bool,
    /// Rows that the connector asks for, as `limit`.
    pub asks: Option<usize>,
    /// Rows that the API gives at most.
    pub cap: usize,
    pub total: Total,
    /// The total is a header.
    pub total_in_header: bool,
    /// The connector knows of the total.
    pub total_declared: bool,
    /// Pages say whether more follows.
    pub more: bool,
    /// Which of the usual names the statements have.
    pub names: usize,
    /// A full page is followed by a token even if it is the last one.
    pub lazy_end: bool,
    /// Pages of tokens are now and then empty or short, and more follows.
    pub holes: bool,
    /// The status of a page behind the last one: 200, 204 or 404.
    pub past_end: u16,
    /// The records stand in the body itself.
    pub bare: bool,
    pub newest_first: bool,
    pub keyed: bool,
    /// Read incrementally, by `updated`.
    pub since: bool,
    /// Read in windows of `updated`.
    pub windows: bool,
    /// Keys are unique only within one parent, and declared so.
    pub within_parent: bool,
    pub deletes: Deletes,
}

impl Default for ListSpec {
    fn default() -> Self {
        ListSpec {
            paging: Paging::Token,
            numbered: false,
            asks: Some(5),
            cap: 5,
            total: Total::None,
            total_in_header: false,
            total_declared: true,
            more: false,
            names: 0,
            lazy_end: false,
            holes: false,
            past_end: 200,
            bare: false,
            newest_first: false,
            keyed: true,
            since: false,
            windows: false,
            within_parent: false,
            deletes: Deletes::Keep,
        }
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Scenario {
            seed: 1,
            items: ListSpec::default(),
            parts: None,
            rows: 23,
            most_parts: 0,
            lie: None,
            lies_below: false,
            lies_from: 0,
            twist: 0,
            behind: 0,
            concurrency: 2,
            commit_rows: 5,
            place: Place::Model,
            runs: vec![RunSpec::default()],
        }
    }
}

impl ListSpec {
    /// Rows of a full page.
    pub fn size(&self) -> usize {
        self.asks.map_or(self.cap, |asks| asks.min(self.cap)).max(1)
    }

    /// Whether pages are asked for by their place in the list.
    pub fn by_place(&self) -> bool {
        match self.paging {
            Paging::Offset | Paging::Number => true,
            Paging::NextUrl | Paging::Link => self.numbered,
            _ => false,
        }
    }

    /// Whether the answer names the next page.
    pub fn leads_on(&self) -> bool {
        matches!(
            self.paging,
            Paging::Token | Paging::HeaderToken | Paging::NextUrl | Paging::Link
        )
    }

    /// The name of the total, as a dotted path of the body, or as a header.
    pub fn total_name(&self) -> &'static str {
        const ITEMS: [&str; 5] = ["total", "count", "total_count", "meta.total", "totalItems"];
        const PAGES: [&str; 3] = ["pages", "total_pages", "meta.total_pages"];
        const HEADERS: [&str; 2] = ["X-Total-Count", "X-Total"];
        match (self.total, self.total_in_header) {
            (Total::Pages, true) => "X-Total-Pages",
            (Total::Pages, false) => PAGES[self.names % PAGES.len()],
            (_, true) => HEADERS[self.names % HEADERS.len()],
            (_, false) => ITEMS[self.names % ITEMS.len()],
        }
    }

    /// The name of the flag that says whether more follows.
    pub fn more_name(&self) -> &'static str {
        ["has_more", "hasMore", "meta.has_more"][self.names % 3]
    }

    /// Where the next token or link stands in the body.
    pub fn next_name(&self) -> &'static str {
        ["next", "next_cursor", "links.next", "next_page_token"][self.names % 4]
    }
}
