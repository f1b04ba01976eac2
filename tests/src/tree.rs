//! An API of four levels that changes while it is read: regions, their shops, the shops' orders, the orders' notes.
//! Next to them are people, whose changes a feed of events reports.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::mock::http::{Request, Response, Server};

/// The number of rows of a page.
const PAGE: usize = 3;

/// A record; `updated` in milliseconds since 1970.
#[derive(Clone)]
struct Item {
    parent: u64,
    revision: u64,
    updated: u64,
}

/// The levels, from the top.
pub const LEVELS: [&str; 4] = ["regions", "shops", "orders", "notes"];

#[derive(Default)]
struct Store {
    levels: [BTreeMap<u64, Item>; 4],
    next: u64,
    /// The people as JSON, by id.
    people: BTreeMap<u64, Value>,
    /// The events, the oldest first.
    events: Vec<Value>,
    /// The time of the last change, in milliseconds since 1970; `None`: changes use the system's clock.
    clock: Option<u64>,
}

impl Store {
    fn now(&mut self) -> u64 {
        match &mut self.clock {
            None => SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64,
            Some(clock) => {
                *clock += 1;
                *clock
            }
        }
    }

    fn add(&mut self, level: usize, parent: u64) -> u64 {
        self.next += 1;
        let item = Item {
            parent,
            revision: 0,
            updated: self.now(),
        };
        self.levels[level].insert(self.next, item);
        self.next
    }

    /// Adds a complete branch from that level down.
    fn grow(&mut self, level: usize, parent: u64) {
        let id = self.add(level, parent);
        if level + 1 < self.levels.len() {
            for _ in 0..[3, 4, 4, 0][level] {
                self.grow(level + 1, id);
            }
        }
    }

    /// Adds or changes a person.
    fn put_person(&mut self, id: u64) {
        let there = self.people.get(&id);
        let revision = there.map_or(0, |there| there["revision"].as_u64().unwrap() + 1);
        let created = there.map(|there| there["created"].as_u64().unwrap());
        let created = created.unwrap_or_else(|| self.now());
        let tags: Vec<u64> = (0..revision % 4).collect();
        let person = json!({"id": id, "revision": revision, "created": created, "tags": tags});
        self.people.insert(id, person.clone());
        self.tell("updated", person);
    }

    fn remove_person(&mut self, id: u64) {
        if let Some(person) = self.people.remove(&id) {
            self.tell("deleted", person);
        }
    }

    fn tell(&mut self, kind: &str, person: Value) {
        let id = self.events.len() + 1;
        let event = json!({"id": id, "created": self.now(), "kind": kind, "object": person});
        self.events.push(event);
    }

    fn remove(&mut self, level: usize, id: u64) {
        self.levels[level].remove(&id);
        if level + 1 < self.levels.len() {
            let below = self.levels[level + 1].iter();
            let below: Vec<u64> = below
                .filter(|(_, item)| item.parent == id)
                .map(|(id, _)| *id)
                .collect();
            below.into_iter().for_each(|id| self.remove(level + 1, id));
        }
    }

    fn pick(&self, level: usize, number: u64) -> Option<u64> {
        let items = &self.levels[level];
        items
            .keys()
            .nth(number as usize % items.len().max(1))
            .copied()
    }
}

/// The API.
pub struct Tree {
    store: Arc<Mutex<Store>>,
    log: Arc<Mutex<Vec<String>>>,
    server: Server,
    turn: AtomicU64,
}

impl Tree {
    /// Starts the API with this delay before each response.
    pub fn start(regions: usize, delay: Duration) -> io::Result<Tree> {
        Tree::of(Store::default(), regions, delay)
    }

    /// Starts the API with the same data in each process: the first record has this time, in
    /// milliseconds since 1970, and each change is a millisecond later.
    pub fn start_at(clock: u64, regions: usize) -> io::Result<Tree> {
        let store = Store {
            clock: Some(clock),
            ..Store::default()
        };
        Tree::of(store, regions, Duration::ZERO)
    }

    fn of(mut store: Store, regions: usize, delay: Duration) -> io::Result<Tree> {
        (0..regions).for_each(|_| store.grow(0, 0));
        (1..=20).for_each(|id| store.put_person(id));
        // The initial records were created one after another, some time ago.
        for (id, item) in store.levels.iter_mut().flatten() {
            item.updated += id;
            item.updated -= 3_600_000;
        }
        let store = Arc::new(Mutex::new(store));
        let log = Arc::new(Mutex::new(Vec::new()));
        let (held, kept) = (store.clone(), log.clone());
        let server = Server::start(0, move |request| {
            kept.lock().unwrap().push(request.target.clone());
            std::thread::sleep(delay);
            answer(&held.lock().unwrap(), request)
        })?;
        Ok(Tree {
            store,
            log,
            server,
            turn: AtomicU64::new(1),
        })
    }

    /// Returns the base URL.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Returns the server, which can stall.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Takes the requests since the last call.
    pub fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Returns the number of records of a level.
    pub fn count(&self, level: usize) -> usize {
        self.store.lock().unwrap().levels[level].len()
    }

    /// Returns the number of people.
    pub fn people(&self) -> usize {
        self.store.lock().unwrap().people.len()
    }

    /// Adds some records, changes some and, with `removes`, deletes some with everything below
    /// them.
    pub fn change(&self, removes: bool) {
        let turn = self.turn.fetch_add(1, Ordering::SeqCst);
        let mut store = self.store.lock().unwrap();
        let known: Vec<u64> = store.people.keys().copied().collect();
        let any = |salt: u64| known[(turn.wrapping_mul(salt) >> 7) as usize % known.len()];
        store.put_person(20 + turn);
        for person in [any(0x9E37_79B9), any(0x85EB_CA6B), any(0x9E37_79B9)] {
            store.put_person(person);
        }
        if removes {
            store.remove_person(any(0xC2B2_AE35));
        }
        for level in 0..LEVELS.len() {
            let number = turn.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (level * 7 + 3);
            let now = store.now();
            if let Some(item) = store
                .pick(level, number)
                .and_then(|id| store.levels[level].get_mut(&id))
            {
                item.revision += 1;
                item.updated = now;
            }
            // The upper levels change less often.
            if turn.is_multiple_of([7, 3, 2, 1][level]) {
                let parent = match level {
                    0 => Some(0),
                    _ => store.pick(level - 1, number >> 5),
                };
                if let Some(parent) = parent {
                    store.grow(level, parent);
                }
                if removes && let Some(id) = store.pick(level, number >> 11) {
                    store.remove(level, id);
                }
            }
        }
    }
}

fn answer(store: &Store, request: &Request) -> Response {
    let list = match request.path.as_str() {
        "/people" => Some(store.people.values().cloned().collect()),
        "/events" => Some(store.events.iter().rev().cloned().collect()),
        _ => None,
    };
    if let Some(list) = list {
        return flat(list, request);
    }
    let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let (parent, name) = match parts[..] {
        [name] => (0, name),
        [_, id, name] => (id.parse().unwrap_or(u64::MAX), name),
        _ => return Response::json(404, &json!({})),
    };
    let Some(level) = LEVELS.iter().position(|known| *known == name) else {
        return Response::json(404, &json!({}));
    };
    if level > 0 && !store.levels[level - 1].contains_key(&parent) {
        return Response::json(404, &json!({"error": "gone"}));
    }
    let number = |name: &str| request.number(name).ok().flatten().unwrap_or(0) as u64;
    let (after, since) = (number("after"), number("since"));
    let rest: Vec<Value> = store.levels[level]
        .range(after + 1..)
        .filter(|(_, item)| item.parent == parent && item.updated >= since)
        .map(|(id, item)| {
            let tags: Vec<u64> = (0..item.revision % 4).collect();
            json!({"id": id, "revision": item.revision, "updated": item.updated, "tags": tags})
        })
        .collect();
    let more = rest.len() > PAGE;
    let page = &rest[..rest.len().min(PAGE)];
    Response::json(200, &json!({"data": page, "more": more}))
}

/// Returns a page of a list that is not below another.
fn flat(mut list: Vec<Value>, request: &Request) -> Response {
    let number = |name: &str| request.number(name).ok().flatten().unwrap_or(0) as u64;
    let (after, since) = (number("after"), number("since"));
    list.retain(|row| row["created"].as_u64() >= Some(since));
    let start = list.iter().position(|row| row["id"] == after);
    let rest = &list[start.map_or(0, |at| at + 1)..];
    let page = &rest[..rest.len().min(PAGE)];
    Response::json(200, &json!({"data": page, "more": rest.len() > PAGE}))
}
