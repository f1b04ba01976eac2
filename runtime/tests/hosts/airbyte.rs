//! The Airbyte source, and a destination that keeps what it is told.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::program::{Program, Ran};
use super::shop::{Held, Host, Records, Shop, leaves, same_as_sync, sorted};

/// A destination: it overwrites streams that are read in full, and merges the others by key.
struct Destination {
    source: Program,
    catalog: Value,
    streams: BTreeMap<String, BTreeMap<String, Value>>,
    states: BTreeMap<String, Value>,
}

impl Destination {
    fn new(shop: &Shop) -> Self {
        let source = Program::called(&["shop-connector", "airbyte"]);
        let config = source.config(shop);
        let ran = source.run(&["discover", "--config", &config]);
        let catalog = ran.of("CATALOG")[0]["catalog"].clone();
        Destination {
            source,
            catalog: configured(&catalog),
            streams: BTreeMap::new(),
            states: BTreeMap::new(),
        }
    }

    fn read(&self, shop: &Shop) -> Vec<String> {
        let states: Vec<&Value> = self.states.values().collect();
        [
            "read".to_owned(),
            "--config".to_owned(),
            self.source.config(shop),
            "--catalog".to_owned(),
            self.source.file("catalog.json", &self.catalog),
            "--state".to_owned(),
            self.source.file("state.json", &json!(states)),
        ]
        .to_vec()
    }

    fn take(&mut self, ran: &Ran) {
        let mut since: BTreeMap<String, f64> = BTreeMap::new();
        let mut full: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        for message in ran.messages() {
            match message["type"].as_str().unwrap() {
                "RECORD" => {
                    let record = &message["record"];
                    assert!(record["emitted_at"].as_i64().unwrap() > 1_600_000_000_000);
                    let name = record["stream"].as_str().unwrap().to_owned();
                    *since.entry(name.clone()).or_default() += 1.0;
                    let entry = self.entry(&name);
                    let keys = entry["stream"]["source_defined_primary_key"]
                        .as_array()
                        .unwrap();
                    let key = keys.iter().map(|path| {
                        let path = path.as_array().unwrap().iter();
                        let value =
                            path.fold(&record["data"], |at, key| &at[key.as_str().unwrap()]);
                        assert!(!value.is_null(), "{message}");
                        value.to_string()
                    });
                    let key = key.collect::<Vec<_>>().join(",");
                    let place = match entry["sync_mode"] == "incremental" {
                        true => self.streams.entry(name).or_default(),
                        false => full.entry(name).or_default(),
                    };
                    place.insert(key, record["data"].clone());
                }
                "STATE" => {
                    let state = &message["state"];
                    let name = state["stream"]["stream_descriptor"]["name"]
                        .as_str()
                        .unwrap();
                    let count = &state["sourceStats"]["recordCount"];
                    assert!(count.is_f64(), "{message}");
                    let came = since.remove(name).unwrap_or_default();
                    assert_eq!(count.as_f64(), Some(came), "{message}");
                    self.states.insert(name.to_owned(), state.clone());
                }
                "TRACE" if message["trace"]["type"] == "STREAM_STATUS" => {
                    let status = &message["trace"]["stream_status"];
                    let name = status["stream_descriptor"]["name"].as_str().unwrap();
                    if status["status"] == "COMPLETE" {
                        // Nothing may be on its way without a state.
                        assert_eq!(since.get(name), None);
                        if let Some(records) = full.remove(name) {
                            self.streams.insert(name.to_owned(), records);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn entry(&self, name: &str) -> Value {
        let streams = self.catalog["streams"].as_array().unwrap();
        let entry = streams.iter().find(|it| it["stream"]["name"] == name);
        entry.unwrap().clone()
    }
}

/// Configures all streams, incrementally where they can be.
fn configured(catalog: &Value) -> Value {
    let streams = catalog["streams"].as_array().unwrap().iter();
    let streams = streams.map(|stream| {
        let modes = stream["supported_sync_modes"].to_string();
        let mode = match modes.contains("incremental") {
            true => "incremental",
            false => "full_refresh",
        };
        json!({"stream": stream, "sync_mode": mode, "destination_sync_mode": "append_dedup"})
    });
    json!({"streams": streams.collect::<Vec<_>>()})
}

/// A destination that is made for the first run.
#[derive(Default)]
struct Late(Option<Destination>);

impl Host for Late {
    fn run(&mut self, shop: &Shop, fails: bool) {
        let to = self.0.get_or_insert_with(|| Destination::new(shop));
        let args = to.read(shop);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = to.source.run(&args);
        assert_eq!(ran.ok, !fails, "{}{}", ran.stdout, ran.stderr);
        to.take(&ran);
        let errors = ran.of("TRACE");
        let errors = errors.iter().filter(|it| it["trace"]["type"] == "ERROR");
        assert_eq!(errors.count() > 0, fails, "{}", ran.stdout);
    }

    fn held(&self) -> Held {
        let mut held = Held::new();
        for (name, records) in &self.0.as_ref().unwrap().streams {
            held.insert(name.clone(), records.values().map(leaves).collect());
        }
        sorted(held)
    }
}

#[test]
fn a_destination_holds_what_sync_loads() {
    same_as_sync(&mut Late::default());
}

#[test]
fn a_killed_source_goes_on_from_its_last_state() {
    let shop = Shop::open();
    shop.change(|records| {
        let customer = |id: i64| {
            json!({"id": id, "updated": format!("2024-01-01T{:02}:{:02}:00Z", id / 60, id % 60)})
        };
        records.customers = (0..1_200).map(customer).collect();
        records.orders = (0..1_200).map(|id| (id, Vec::new())).collect();
    });
    let mut to = Destination::new(&shop);
    let args = to.read(&shop);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ran = to.source.kill_after(&args, "\"id\":300,");
    assert!(!ran.ok);
    to.take(&ran);
    let mut to = Late(Some(to));
    to.run(&shop, false);
    let reference = super::shop::Reference::new();
    reference.sync(&shop);
    assert_eq!(to.held(), reference.held());
}

#[test]
fn the_verbs_say_what_the_protocol_asks() {
    let shop = Shop::open();
    let source = Program::called(&["/usr/local/bin/source-shop"]);
    let spec = source.run(&["spec"]);
    let spec = &spec.of("SPEC")[0]["spec"]["connectionSpecification"];
    assert_eq!(spec["required"], json!(["base_url", "api_key"]));
    assert_eq!(spec["properties"]["api_key"]["airbyte_secret"], true);
    assert_eq!(spec["properties"]["base_url"].get("airbyte_secret"), None);
    // A check that fails is no failure of the program.
    let empty = source.file("empty.json", &json!({}));
    let config = source.config(&shop);
    for (config, status) in [(&config, "SUCCEEDED"), (&empty, "FAILED")] {
        let ran = source.run(&["check", "--config", config]);
        assert!(ran.ok, "{}", ran.stderr);
        assert_eq!(
            ran.of("CONNECTION_STATUS")[0]["connectionStatus"]["status"],
            status
        );
    }
    let ran = source.run(&["discover", "--config", &config]);
    let catalog = ran.of("CATALOG")[0]["catalog"].clone();
    let streams = catalog["streams"].as_array().unwrap();
    let of = |name: &str| streams.iter().find(|it| it["name"] == name).unwrap();
    let customers = of("customers");
    assert_eq!(
        customers["supported_sync_modes"],
        json!(["full_refresh", "incremental"])
    );
    assert_eq!(customers["default_cursor_field"], json!(["updated"]));
    assert_eq!(customers["source_defined_primary_key"], json!([["id"]]));
    assert_eq!(
        of("rates")["source_defined_primary_key"],
        json!([["_etl_id"]])
    );
    let updated = &customers["json_schema"]["properties"]["updated"];
    assert_eq!(updated["airbyte_type"], "timestamp_with_timezone");
    // A catalog that names no stream of ours.
    let mut wrong = configured(&catalog);
    wrong["streams"][0]["stream"]["name"] = json!("clients");
    for (bad, said) in [(wrong, "`clients`"), (json!({}), "no `streams`")] {
        let bad = source.file("bad.json", &bad);
        let ran = source.run(&["read", "--config", &config, "--catalog", &bad]);
        assert!(!ran.ok && ran.of("RECORD").is_empty(), "{ran:?}");
        let error = &ran.of("TRACE")[0]["trace"]["error"];
        assert_eq!(error["failure_type"], "config_error");
        assert!(error["message"].as_str().unwrap().contains(said), "{error}");
    }
}

#[test]
fn the_status_of_a_stream_says_how_it_ended() {
    let shop = Shop::open();
    let to = Destination::new(&shop);
    shop.change(|records| records.fails_at = Some(2));
    let args = to.read(&shop);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ran = to.source.run(&args);
    assert!(!ran.ok);
    let statuses = |name: &str| -> Vec<String> {
        let traces = ran.of("TRACE").into_iter();
        let of =
            traces.filter(|it| it["trace"]["stream_status"]["stream_descriptor"]["name"] == name);
        of.map(|it| {
            it["trace"]["stream_status"]["status"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
    };
    assert_eq!(statuses("customers"), ["STARTED", "RUNNING", "INCOMPLETE"]);
    assert_eq!(statuses("rates"), ["STARTED", "RUNNING", "COMPLETE"]);
    let error = ran
        .of("TRACE")
        .into_iter()
        .find(|it| it["trace"]["type"] == "ERROR")
        .unwrap();
    let error = &error["trace"]["error"];
    assert_eq!(error["stream_descriptor"]["name"], "customers");
    // What is taken without its state is not what `sync` loads.
    let mut lossy = Destination::new(&shop);
    let lines = ran.lines.iter().filter(|line| !line.contains("\"id\":2,"));
    let lost = Ran {
        lines: lines.cloned().collect(),
        stdout: String::new(),
        stderr: String::new(),
        ok: true,
    };
    let taken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| lossy.take(&lost)));
    assert!(
        taken.is_err(),
        "the count of records does not show that one is lost"
    );
}

#[test]
fn an_incremental_stream_is_read_from_its_state() {
    let shop = Shop::open();
    let mut to = Destination::new(&shop);
    let mut read = |shop: &Shop| {
        let args = to.read(shop);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = to.source.run(&args);
        to.take(&ran);
        let records = ran.of("RECORD").into_iter();
        records
            .filter(|it| it["record"]["stream"] == "customers")
            .count()
    };
    assert_eq!(read(&shop), 7);
    shop.change(Records::change);
    assert_eq!(read(&shop), 3);
}
