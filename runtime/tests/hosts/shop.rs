//! A shop with three resources, and what a destination holds of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use etlgen_runtime::Result;
use etlgen_runtime::load::{Destination, destination};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{RunOptions, RunReport, sync};
use serde_json::{Value, json};

use crate::support::serve;

#[derive(Record)]
pub struct Customer {
    pub id: Option<i64>,
    pub updated: Option<Timestamp>,
    pub name: Option<String>,
    pub balance: Option<Decimal>,
    pub address: Option<Address>,
    pub tags: Option<Vec<String>>,
}

#[derive(Record)]
pub struct Address {
    pub city: Option<String>,
    pub lines: Option<Vec<Line>>,
}

#[derive(Record)]
pub struct Line {
    pub text: Option<String>,
    pub grid: Option<Vec<Vec<i64>>>,
}

#[derive(Record)]
pub struct Order {
    pub number: Option<String>,
    pub paid: Option<bool>,
    pub lines: Option<Vec<Item>>,
}

#[derive(Record)]
pub struct Item {
    pub sku: Option<String>,
    pub price: Option<f64>,
}

/// A rate has no key: each run replaces all of them.
#[derive(Record)]
pub struct Rate {
    pub day: Option<Date>,
    pub rate: Option<f64>,
}

/// The records of the API, and the requests that it got.
#[derive(Clone)]
pub struct Shop {
    pub base: String,
    log: Arc<Mutex<Vec<String>>>,
    records: Arc<Mutex<Records>>,
}

/// The records of the API.
#[derive(Default)]
pub struct Records {
    pub customers: Vec<Value>,
    /// The orders of each customer.
    pub orders: BTreeMap<i64, Vec<Value>>,
    pub rates: Vec<Value>,
    /// The API answers 409 from this page of customers on.
    pub fails_at: Option<usize>,
}

impl Records {
    /// The records of the first run.
    pub fn first() -> Self {
        let customer = |id: i64| {
            json!({
                "id": id,
                "updated": format!("2024-01-{:02}T00:00:00Z", id),
                "name": format!("ümlaut \"{id}\"\n"),
                "balance": format!("{id}.123456789"),
                "address": {"city": "Rome", "lines": [{"text": "a", "grid": [[1, 2], [3]]}, {"text": "b"}]},
                "tags": ["x", "y"],
                "undeclared": {"deep": [{"n": id}]},
            })
        };
        let order = |id: i64| {
            json!({
                "number": format!("o{id}"), "paid": id % 2 == 0,
                "lines": [{"sku": "s", "price": 0.5}, {"sku": "t", "price": 1.25}],
            })
        };
        let rate = |day: i64| json!({"day": format!("2024-02-0{day}"), "rate": 0.25});
        Records {
            customers: (1..=7).map(customer).collect(),
            orders: (1..=7).map(|id| (id, vec![order(id)])).collect(),
            rates: (1..=4).map(rate).collect(),
            fails_at: None,
        }
    }

    /// Some have changed, some are new, and some rates are gone.
    pub fn change(&mut self) {
        self.customers[2]["updated"] = json!("2024-02-01T00:00:00Z");
        self.customers[2]["name"] = json!("changed");
        self.customers[2]["tags"] = json!([]);
        self.customers
            .push(json!({"id": 8, "updated": "2024-02-02T00:00:00Z", "undeclared": "text"}));
        self.orders.insert(
            8,
            vec![
                json!({"number": "o8"}),
                json!({"number": "o9", "paid": true}),
            ],
        );
        self.rates.remove(0);
        self.rates.push(json!({"day": "2024-03-01", "rate": 0.75}));
    }
}

const PAGE: usize = 3;

impl Shop {
    /// Starts the API.
    pub fn open() -> Self {
        let records = Arc::new(Mutex::new(Records::first()));
        let of = records.clone();
        let (base, log) = serve(move |path, query| {
            let records = of.lock().unwrap();
            let number = |key: &str| query.get(key).and_then(|text| text.parse::<usize>().ok());
            let page = number("page").unwrap_or(1);
            if page == 0 {
                return (400, Vec::new(), r#"{"error": "pages start at 1"}"#.into());
            }
            let (mut rows, fails) = match path.split('/').collect::<Vec<_>>().as_slice() {
                ["", "customers"] => (records.customers.clone(), records.fails_at),
                ["", "customers", id, "orders"] => {
                    (records.orders[&id.parse::<i64>().unwrap()].clone(), None)
                }
                _ => (records.rates.clone(), None),
            };
            if let Some(since) = query.get("since") {
                rows.retain(|row| row["updated"].as_str().unwrap() >= since.as_str());
            }
            rows.sort_by_key(|row| row["updated"].to_string());
            if fails.is_some_and(|from| page >= from) {
                return (409, Vec::new(), r#"{"error": "no more"}"#.into());
            }
            let more = rows.len() > page * PAGE;
            let rows: Vec<Value> = rows
                .into_iter()
                .skip((page - 1) * PAGE)
                .take(PAGE)
                .collect();
            let body = json!({"data": rows, "has_more": more});
            (200, Vec::new(), body.to_string())
        });
        Shop { base, log, records }
    }

    /// Changes the records.
    pub fn change(&self, change: impl FnOnce(&mut Records)) {
        change(&mut self.records.lock().unwrap());
    }

    /// Returns the requests since the last call.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    /// The connector.
    pub fn source(&self) -> Source {
        source(&self.base)
    }
}

/// The connector of the API at this address.
pub fn source(base: &str) -> Source {
    let pages = || Paginator::page_number("page").more("has_more");
    let customers = Customer::list("customers", "/customers")
        .records("data")
        .primary_key(Customer::ID)
        .paginate(pages())
        .incremental(
            Cursor::updated(Customer::UPDATED)
                .param("since")
                .oldest_first(),
        );
    let orders = Order::list("orders", "/customers/{customer}/orders")
        .records("data")
        .primary_key(Order::NUMBER)
        .paginate(pages())
        .child_of("customers", |customer: &Customer, request| {
            request.path("customer", customer.id)
        });
    let rates = Rate::list("rates", "/rates")
        .records("data")
        .paginate(pages());
    Source::new("shop", base)
        .resource(customers)
        .resource(orders)
        .resource(rates)
}

/// Runs a source into a destination.
pub fn run(source: &Source, into: Box<dyn Destination>) -> Result<RunReport> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let options = RunOptions::default();
    runtime
        .unwrap()
        .block_on(sync(source, into, &options, Arc::new(())))
}

/// The records of each resource: each is the sorted texts of its scalars.
pub type Held = BTreeMap<String, Vec<Vec<String>>>;

/// Sorts the records.
pub fn sorted(mut held: Held) -> Held {
    held.values_mut().for_each(|records| records.sort());
    held.retain(|_, records| !records.is_empty());
    held
}

/// Returns the scalars of a record, without what the runtime adds.
pub fn leaves(record: &Value) -> Vec<String> {
    fn add(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Null => {}
            Value::Object(keys) => {
                let own = keys.iter().filter(|(key, _)| !key.starts_with('_'));
                own.for_each(|(_, value)| add(value, out));
            }
            Value::Array(items) => items.iter().for_each(|item| add(item, out)),
            Value::String(text) => out.push(text.replace(".000000Z", "Z")),
            Value::Bool(value) => out.push(i64::from(*value).to_string()),
            number => out.push(number.to_string()),
        }
    }
    let mut out = Vec::new();
    add(record, &mut out);
    out.sort();
    out
}

/// The reference: what `sync` has loaded into SQLite.
pub struct Reference {
    folder: tempfile::TempDir,
}

impl Reference {
    pub fn new() -> Self {
        Reference {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("shop.db")
    }

    pub fn sync(&self, shop: &Shop) -> RunReport {
        let into = destination(&format!("sqlite:{}", self.file().display())).unwrap();
        run(&shop.source(), into).unwrap()
    }

    /// Returns what the file holds.
    pub fn held(&self) -> Held {
        held_by(&self.file())
    }
}

fn held_by(file: &Path) -> Held {
    let db = rusqlite::Connection::open(file).unwrap();
    let mut tables = db
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        .unwrap();
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let mut records: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for name in names.iter().filter(|name| !name.starts_with("_etl")) {
        let mut rows = db.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns: Vec<String> = rows.column_names().map(str::to_owned).collect();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cell = |at: usize| -> Option<String> {
                use rusqlite::types::ValueRef;
                match row.get_ref(at).unwrap() {
                    ValueRef::Null => None,
                    ValueRef::Integer(value) => Some(value.to_string()),
                    ValueRef::Real(value) => Some(format!("{value:?}")),
                    ValueRef::Text(text) => {
                        let text = String::from_utf8(text.to_vec()).unwrap();
                        Some(text.replace(".000000Z", "Z"))
                    }
                    ValueRef::Blob(_) => panic!("{name}"),
                }
            };
            let of = |wanted: &str| columns.iter().position(|it| it == wanted).and_then(cell);
            let root = of("_etl_root_id").or_else(|| of("_etl_id")).unwrap();
            let resource = name.split("__").next().unwrap().to_owned();
            let leaves = records.entry((resource, root)).or_default();
            let data = (0..columns.len()).filter(|at| !columns[*at].starts_with("_etl"));
            leaves.extend(data.filter_map(cell));
        }
    }
    let mut held = Held::new();
    for ((resource, _), mut leaves) in records {
        leaves.sort();
        held.entry(resource).or_default().push(leaves);
    }
    sorted(held)
}

/// A host, with what has arrived at its other end.
pub trait Host {
    /// Runs the connector once, from the state of the last run; `fails` says whether a resource may
    /// fail.
    fn run(&mut self, shop: &Shop, fails: bool);

    /// Dies: everything that was written after the last state stays, and so does that state.
    fn held(&self) -> Held;
}

/// Takes the connector through a host: fresh, with changed rows, nothing new, and with a run that
/// fails on its way. What arrives equals what `sync` loads each time.
pub fn same_as_sync(host: &mut dyn Host) {
    let shop = Shop::open();
    let reference = Reference::new();
    // A run that fails on its second page; the next one goes on.
    shop.change(|records| records.fails_at = Some(3));
    host.run(&shop, true);
    let failed = shop.requests();
    assert!(
        failed.iter().any(|asked| asked.contains("page=3")),
        "{failed:?}"
    );
    shop.change(|records| records.fails_at = None);
    host.run(&shop, false);
    reference.sync(&shop);
    assert_eq!(host.held(), reference.held());
    assert_eq!(host.held().len(), 3);
    shop.change(Records::change);
    shop.requests();
    host.run(&shop, false);
    let asked = shop.requests();
    assert!(
        asked.iter().any(|asked| asked.contains("since=")),
        "{asked:?}"
    );
    reference.sync(&shop);
    assert_eq!(host.held(), reference.held());
    host.run(&shop, false);
    reference.sync(&shop);
    assert_eq!(host.held(), reference.held());
}
