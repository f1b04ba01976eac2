//! An API as a model: lists whose rows are added, deleted, changed and moved, and the responses
//! with these rows.

mod bend;
mod page;
mod render;
pub mod rows;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use bend::Bend;
use page::{Asked, Page};
pub use render::Answer;
use render::{Wire, page_of_tags};
use rows::{Row, Table};

use crate::lies::Lie;
use crate::random::Rng;
use crate::scenario::{At, Change, ListSpec, RunSpec, Scenario};

/// A list of the API.
#[derive(Clone, Copy)]
enum Of {
    Items,
    /// The list below the item with this `uid`.
    Parts(u32),
    Events,
}

/// The API.
pub struct Api {
    scenario: Arc<Scenario>,
    pub items: Table,
    /// The lists of parts, by the `uid` of their item.
    pub parts: BTreeMap<u32, Table>,
    /// The feed of changes of the items.
    pub events: Table,
    /// What each event reports, by its version.
    reports: BTreeMap<u32, String>,
    /// The tick: it grows with each request and each change.
    pub tick: u64,
    rng: Rng,
    uids: u32,
    versions: u32,
    /// The first position of the next list of parts.
    first_part: i64,
    run: usize,
    /// The number of requests of this run.
    pub requests: u64,
    waiting: Vec<(u64, Change)>,
}

impl Api {
    /// Creates the API with its initial data, at that time.
    pub fn new(scenario: Arc<Scenario>, now: i64) -> Self {
        let mut api = Api {
            items: Table::new(&scenario.items, 0),
            parts: BTreeMap::new(),
            events: Table::new(scenario.feed.as_ref().unwrap_or(&scenario.items), 0),
            reports: BTreeMap::new(),
            tick: 0,
            rng: Rng::new(scenario.seed).fork(),
            uids: 0,
            versions: 0,
            first_part: 0,
            run: 0,
            requests: 0,
            waiting: Vec::new(),
            scenario,
        };
        for _ in 0..api.scenario.rows {
            let age = 600 + api.rng.below(30 * 86_400) as i64;
            api.come(None, now - age, None);
        }
        if api.scenario.lie == Some(Lie::KeyTwice) {
            let rows = &mut api.items.rows;
            let (first, last) = (rows.first().map(|row| row.key), rows.last_mut());
            if let (Some(key), Some(last)) = (first, last) {
                last.key = key;
            }
        }
        api.note(None);
        api.events.note(0);
        let parts: Vec<u32> = api.parts.keys().copied().collect();
        parts.into_iter().for_each(|uid| api.note(Some(uid)));
        api
    }

    /// Begins a run.
    pub fn begin(&mut self, number: usize, run: &RunSpec, now: i64) {
        (self.run, self.requests) = (number, 0);
        self.waiting = run.during.clone();
        for change in &run.before {
            self.change(*change, now);
        }
        self.tick += 1;
    }

    /// Responds to a request, at that time of the API.
    pub fn answer(
        &mut self,
        path: &str,
        query: impl Fn(&str) -> Option<String>,
        now: i64,
    ) -> Answer {
        self.requests += 1;
        self.tick += 1;
        let due = |(request, _): &(u64, Change)| *request == self.requests;
        let due: Vec<Change> = self
            .waiting
            .iter()
            .filter(|c| due(c))
            .map(|c| c.1)
            .collect();
        due.into_iter().for_each(|change| self.change(change, now));
        let scenario = self.scenario.clone();
        let mut answer = match path.strip_prefix("/items") {
            Some("") => self.page(&scenario.items, Of::Items, path, query),
            Some(rest) if rest.contains("/tags/") => {
                let version = rest.rsplit('/').next().map(str::parse);
                let from = query("token").map_or(Ok(0), |token| token[1..].parse());
                match (version, from) {
                    (Some(Ok(version)), Ok(from)) => {
                        Answer::plain(200, &page_of_tags(path, version, from))
                    }
                    _ => Answer::plain(400, "{}"),
                }
            }
            Some(rest) => match (self.parent(rest), &scenario.parts) {
                (Some(uid), Some(parts)) if !self.denies(uid) => {
                    self.page(parts, Of::Parts(uid), path, query)
                }
                _ => Answer::plain(404, r#"{"error": "not found"}"#),
            },
            None => match &scenario.feed {
                Some(feed) if path == "/events" => self.page(feed, Of::Events, path, query),
                _ => Answer::plain(404, r#"{"error": "not found"}"#),
            },
        };
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(now.unsigned_abs());
        answer.headers.push(("date", httpdate::fmt_http_date(at)));
        answer
    }

    /// Returns the item that `/KEY/parts` names.
    fn parent(&self, rest: &str) -> Option<u32> {
        let key: i64 = rest
            .strip_prefix('/')?
            .strip_suffix("/parts")?
            .parse()
            .ok()?;
        let item = self.items.rows.iter().find(|row| row.key == key)?;
        Some(item.uid)
    }

    /// Returns the current lie of a list.
    fn lie(&self, below: bool) -> Option<Lie> {
        let scenario = &self.scenario;
        let lies = below == scenario.lies_below && self.run >= scenario.lies_from;
        scenario.lie.filter(|_| lies)
    }

    /// Returns whether the parts of an existing item are reported as missing.
    fn denies(&self, uid: u32) -> bool {
        let rows = &self.items.rows;
        let one = &rows[(self.scenario.twist / 2) % rows.len().max(1)];
        let all = self.scenario.twist.is_multiple_of(2);
        self.lie(false) == Some(Lie::PartsNotFound) && (all || one.uid == uid)
    }

    fn page(
        &mut self,
        spec: &ListSpec,
        of: Of,
        path: &str,
        query: impl Fn(&str) -> Option<String>,
    ) -> Answer {
        let lie = match of {
            Of::Items => self.lie(false),
            Of::Parts(_) => self.lie(true),
            Of::Events => None,
        };
        if lie == Some(Lie::NotYet) && self.requests.is_multiple_of(3) {
            return Answer::plain(202, "");
        }
        let first_page = match lie {
            Some(Lie::FirstPageZero) => 0,
            _ => spec.first_page,
        };
        let mut asked = Asked::of(spec, query, first_page);
        let mut rng = self.rng.clone();
        let mut rows = Cow::Borrowed(self.table(of).map_or(&[][..], |table| &table.rows));
        let mut bend = lie.map(|lie| Bend {
            lie,
            twist: self.scenario.twist,
            spec,
            asked: self.requests,
            rng: &mut rng,
        });
        if let Some(bend) = &mut bend {
            bend.question(&mut asked, &rows);
            bend.rows(rows.to_mut());
        }
        let shown = |row: &Row| {
            let time = if spec.fed { row.created } else { row.updated };
            asked.since.is_none_or(|since| time >= since)
                && asked.until.is_none_or(|until| time <= until)
        };
        if !rows.iter().all(shown) {
            rows.to_mut().retain(shown);
        }
        let mut page = Page::honest(spec, &asked, &rows);
        if let Some(bend) = &bend {
            page = bend.page(&asked, &rows, page);
        }
        drop(rows);
        self.rng = rng;
        let size = asked.size;
        Wire {
            spec,
            lie,
            path,
            size,
            reports: &self.reports,
        }
        .render(&page)
    }

    fn table(&self, of: Of) -> Option<&Table> {
        match of {
            Of::Items => Some(&self.items),
            Of::Parts(uid) => self.parts.get(&uid),
            Of::Events => Some(&self.events),
        }
    }

    fn table_mut(&mut self, parent: Option<u32>) -> Option<&mut Table> {
        match parent {
            None => Some(&mut self.items),
            Some(uid) => self.parts.get_mut(&uid),
        }
    }

    /// Adds a row; an item is added with its parts.
    fn come(&mut self, parent: Option<u32>, updated: i64, between: Option<usize>) {
        self.uids += 1;
        self.versions += 1;
        let row = Row {
            uid: self.uids,
            key: 0,
            place: 0,
            version: self.versions,
            created: updated,
            updated,
        };
        let uid = row.uid;
        if let Some(table) = self.table_mut(parent) {
            table.come(row, between);
        }
        let Some(spec) = self.scenario.parts.clone().filter(|_| parent.is_none()) else {
            return;
        };
        // Keys that are unique within one parent start again in each.
        let shared = spec.within_parent || self.scenario.lie == Some(Lie::KeyAcrossParents);
        let first = match shared {
            true => 0,
            false => self.first_part,
        };
        self.first_part += 1_000_000;
        self.parts.insert(uid, Table::new(&spec, first));
        for _ in 0..self.rng.below(self.scenario.most_parts + 1) {
            self.come(Some(uid), updated, None);
        }
    }

    /// Applies a change, and reports it in the feed.
    fn change(&mut self, change: Change, now: i64) {
        let before = self.scenario.feed.as_ref().map(|_| self.items.rows.clone());
        self.apply(change, now);
        let Some(before) = before else {
            return;
        };
        let is_as_before = |row: &Row| before.iter().any(|old| old == row);
        let is_there = |old: &Row| self.items.rows.iter().any(|row| row.uid == old.uid);
        let puts = self.items.rows.iter().filter(|row| !is_as_before(row));
        let gone = before.iter().filter(|old| !is_there(old));
        let puts: Vec<_> = puts.map(|row| ("put", row.clone())).collect();
        let gone: Vec<_> = gone.map(|row| ("gone", row.clone())).collect();
        for (kind, row) in puts.into_iter().chain(gone) {
            self.report(kind, &row, now);
        }
    }

    /// Adds an event to the feed.
    fn report(&mut self, kind: &str, row: &Row, now: i64) {
        self.uids += 1;
        self.versions += 1;
        let event = Row {
            uid: self.uids,
            key: 0,
            place: 0,
            version: self.versions,
            created: now,
            updated: now,
        };
        let object = render::record(row, true);
        self.reports.insert(
            event.version,
            format!(r#""kind":"{kind}","object":{object}"#),
        );
        self.events.come(event, None);
        self.events.note(self.tick);
    }

    fn apply(&mut self, change: Change, now: i64) {
        self.tick += 1;
        let (Change::Come(at)
        | Change::Go(at)
        | Change::Back(at)
        | Change::Edit(at)
        | Change::Move(at)) = change;
        let Some(parent) = self.list(at) else {
            return;
        };
        let change = match change {
            Change::Go(_) => change,
            // Events do not change.
            _ if self.spec(parent).append => Change::Come(at),
            _ => change,
        };
        match change {
            Change::Come(_) => {
                let last_id = self.spec(parent).paging == crate::scenario::Paging::LastId;
                // One row in three is added in the middle; ids that grow are added at the end.
                let between = (at.row.is_multiple_of(3) && !last_id).then_some(at.row / 3);
                self.come(parent, now, between);
                let uid = self.uids_of_new_item(parent);
                uid.into_iter().for_each(|uid| self.note(Some(uid)));
            }
            Change::Go(_) => {
                if let Some(table) = self.table_mut(parent) {
                    table.go(at.row);
                }
            }
            Change::Back(_) => {
                self.versions += 1;
                let version = self.versions;
                if let Some(table) = self.table_mut(parent) {
                    table.back(at.row, version, now);
                }
            }
            Change::Edit(_) => self.edit(parent, at.row, now),
            // A row that moves counts as changed.
            Change::Move(_) => {
                self.edit(parent, at.row, now);
                if let Some(table) = self.table_mut(parent) {
                    table.relocate(at.row);
                }
            }
        }
        self.note(parent);
    }

    fn edit(&mut self, parent: Option<u32>, pick: usize, now: i64) {
        self.versions += 1;
        let version = self.versions;
        if let Some(table) = self.table_mut(parent) {
            table.edit(pick, version, now);
        }
    }

    /// Returns the list of parts that was added with the newest item.
    fn uids_of_new_item(&self, parent: Option<u32>) -> Option<u32> {
        let newest = self.parts.keys().next_back().copied();
        newest.filter(|_| parent.is_none())
    }

    fn spec(&self, parent: Option<u32>) -> &ListSpec {
        match (parent, &self.scenario.parts) {
            (Some(_), Some(parts)) => parts,
            _ => &self.scenario.items,
        }
    }

    /// Returns the list that a change is about; `None` if it does not exist.
    fn list(&self, at: At) -> Option<Option<u32>> {
        let Some(below) = at.below else {
            return Some(None);
        };
        let count = self.items.rows.len();
        if self.scenario.parts.is_none() || count == 0 {
            return None;
        }
        Some(Some(self.items.rows[below % count].uid))
    }

    fn note(&mut self, parent: Option<u32>) {
        let tick = self.tick;
        if let Some(table) = self.table_mut(parent) {
            table.note(tick);
        }
    }
}
