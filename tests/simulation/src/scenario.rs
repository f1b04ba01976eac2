//! The content of one seed, as a plain value: the API, its lie, the network, the destination, and
//! the runs in order. A seed that found a fault becomes a test as such a value, so that it stays
//! the same when the generator changes.

use etlgen_runtime::prelude::Deletes;

use crate::lies::Lie;

/// A world, and the events in it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Determines the network's faults and delays, and everything that is picked by number.
    pub seed: u64,
    /// The list `items`.
    pub items: ListSpec,
    /// The list `parts` below each of the items.
    pub parts: Option<ListSpec>,
    /// The list `events`, each of which reports a change of an item.
    pub feed: Option<ListSpec>,
    /// The initial number of items.
    pub rows: usize,
    /// The greatest initial number of parts of each item.
    pub most_parts: usize,
    /// The lie of the API.
    pub lie: Option<Lie>,
    /// The lists of parts lie instead of the list of items.
    pub lies_below: bool,
    /// The run, from 0, in which it begins to lie.
    pub lies_from: usize,
    /// The variant of the lie.
    pub twist: usize,
    /// The connector's clock is this many seconds behind that of the API.
    pub behind: i64,
    /// The number of concurrent requests.
    pub concurrency: usize,
    /// The number of rows per commit.
    pub commit_rows: usize,
    /// The kind of destination.
    pub place: Place,
    /// The runs, in order.
    pub runs: Vec<RunSpec>,
}

/// One run.
#[derive(Clone, Debug, Default)]
pub struct RunSpec {
    /// The changes at the API before the run begins.
    pub before: Vec<Change>,
    /// The changes at the API right before it responds to that request of the run, from 1.
    pub during: Vec<(u64, Change)>,
    /// The percentage of requests that meet a fault of the network.
    pub faults: usize,
    /// The step at which the process dies: a request, the start or the end of a commit.
    pub dies_at: Option<u64>,
    /// The commit that the destination refuses, from 1.
    pub commit_fails: Option<u64>,
    /// The run is told to stop after this many seconds.
    pub stops_after: Option<u64>,
    /// The connector's clock goes back by this many seconds before the run.
    pub clock_back: i64,
}

/// A change of a list. Rows are picked by number, modulo the number of rows.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// A row is added, at the end of the list or in its middle.
    Come(At),
    /// A row is deleted.
    Go(At),
    /// A deleted row comes back, with its key and in a new state.
    Back(At),
    /// The contents of a row change.
    Edit(At),
    /// A row moves to another position.
    Move(At),
}

/// A list, and a row of it.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The item whose parts are meant; `None`: the items themselves.
    pub below: Option<usize>,
    /// The row.
    pub row: usize,
}

impl At {
    /// Returns the position of an item.
    pub fn item(row: usize) -> Self {
        At { below: None, row }
    }

    /// Returns the position of a part of an item.
    pub fn part(below: usize, row: usize) -> Self {
        At {
            below: Some(below),
            row,
        }
    }
}

/// The way in which pages are requested.
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

/// The unit of a total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    None,
    Items,
    Pages,
}

/// The kind of destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Model,
    /// The model, which does not read back the rows of an interrupted pass.
    Forgetful,
    Sqlite,
    Parquet,
}

/// One list of the API, and how the connector declares it.
#[derive(Clone, Debug)]
pub struct ListSpec {
    pub paging: Paging,
    /// The links of [`Paging::NextUrl`] and [`Paging::Link`] request pages by number.
    pub numbered: bool,
    /// The number of rows that the connector requests, as `limit`.
    pub asks: Option<usize>,
    /// The greatest number of rows in a response.
    pub cap: usize,
    pub total: Total,
    /// The total is a header.
    pub total_in_header: bool,
    /// The connector knows of the total.
    pub total_declared: bool,
    /// Pages say whether more follows.
    pub more: bool,
    /// Selects the names of the statements.
    pub names: usize,
    /// A full page is followed by a token even if it is the last one.
    pub lazy_end: bool,
    /// Some pages with tokens are empty or short although more follows.
    pub holes: bool,
    /// The status of a page after the last one: 200, 204 or 404.
    pub past_end: u16,
    /// The body is the list of records itself.
    pub bare: bool,
    pub newest_first: bool,
    /// The list is sorted by `updated` instead of by place, and the connector declares it.
    pub by_cursor: bool,
    /// The number of the first page.
    pub first_page: usize,
    /// The list is requested by POST, with the page parameters in the body.
    pub post: bool,
    pub keyed: bool,
    /// The records of `items` hold only the first tags; the API has the others in pages.
    pub embedded: bool,
    /// Rows are only added, and the connector appends them.
    pub append: bool,
    /// The list is read incrementally, by `updated`.
    pub since: bool,
    /// The API has no filter by `updated`: only the order of the list shows what is new.
    pub no_filter: bool,
    /// The list is read in windows of `updated`.
    pub windows: bool,
    /// The list is read by `created`, and a feed reports what changes in it.
    pub fed: bool,
    /// Keys are unique only within one parent, and the connector declares it.
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
            by_cursor: false,
            first_page: 1,
            post: false,
            keyed: true,
            embedded: false,
            append: false,
            since: false,
            no_filter: false,
            windows: false,
            fed: false,
            within_parent: false,
            deletes: Deletes::Keep,
        }
    }
}

impl Scenario {
    /// Returns whether a run ends before its resources do.
    pub fn is_interrupted(&self) -> bool {
        let ends_early = |run: &RunSpec| {
            run.dies_at.is_some() || run.commit_fails.is_some() || run.stops_after.is_some()
        };
        self.runs.iter().any(ends_early)
    }

    /// Returns whether a run requests only what has changed.
    pub fn is_incremental(&self) -> bool {
        self.items.since || self.parts.as_ref().is_some_and(|parts| parts.since)
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Scenario {
            seed: 1,
            items: ListSpec::default(),
            parts: None,
            feed: None,
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
    /// Returns the number of rows of a full page.
    pub fn size(&self) -> usize {
        self.asks.map_or(self.cap, |asks| asks.min(self.cap)).max(1)
    }

    /// Returns whether pages are requested by their position in the list.
    pub fn by_place(&self) -> bool {
        match self.paging {
            Paging::Offset | Paging::Number => true,
            Paging::NextUrl | Paging::Link => self.numbered,
            _ => false,
        }
    }

    /// Returns whether the response names the next page.
    pub fn leads_on(&self) -> bool {
        matches!(
            self.paging,
            Paging::Token | Paging::HeaderToken | Paging::NextUrl | Paging::Link
        )
    }

    /// Returns the name of the total, as a dotted path of the body, or as a header.
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

    /// Returns the name of the flag that says whether more follows.
    pub fn more_name(&self) -> &'static str {
        ["has_more", "hasMore", "meta.has_more"][self.names % 3]
    }

    /// Returns the dotted path of the next token or link in the body.
    pub fn next_name(&self) -> &'static str {
        ["next", "next_cursor", "links.next", "next_page_token"][self.names % 4]
    }
}
