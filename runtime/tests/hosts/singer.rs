//! The Singer tap, and a target that keeps what it is told.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::program::{Program, Ran};
use super::shop::{Held, Host, Records, Shop, leaves, same_as_sync, sorted};

/// A target: it upserts by key, and drops what is older than an activated version.
struct Target {
    tap: Program,
    streams: BTreeMap<String, Stream>,
    state: Value,
}

#[derive(Default)]
struct Stream {
    key: Vec<String>,
    schema: Value,
    /// The records and their versions by their keys.
    records: BTreeMap<String, (Value, Option<i64>)>,
}

impl Target {
    fn new() -> Self {
        Target {
            tap: Program::called(&["shop-connector", "singer"]),
            streams: BTreeMap::new(),
            state: Value::Null,
        }
    }

    fn args(&self, shop: &Shop) -> Vec<String> {
        let mut args = vec!["--config".to_owned(), self.tap.config(shop)];
        if !self.state.is_null() {
            args.extend([
                "--state".to_owned(),
                self.tap.file("state.json", &self.state),
            ]);
        }
        args
    }

    /// Takes messages as a target does; refuses what the protocol does not allow.
    fn take(&mut self, ran: &Ran) {
        for message in ran.messages() {
            let name = message["stream"].as_str().unwrap_or_default().to_owned();
            let stream = self.streams.entry(name).or_default();
            match message["type"].as_str().unwrap() {
                "SCHEMA" => {
                    let key = message["key_properties"].as_array().unwrap().iter();
                    stream.key = key.map(|key| key.as_str().unwrap().to_owned()).collect();
                    stream.schema = message["schema"].clone();
                }
                "RECORD" => {
                    let record = &message["record"];
                    assert!(
                        !stream.schema.is_null(),
                        "a record before its schema: {message}"
                    );
                    fits(record, &stream.schema);
                    let key: Vec<String> = stream
                        .key
                        .iter()
                        .map(|key| {
                            assert!(!record[key].is_null(), "{message}");
                            record[key].to_string()
                        })
                        .collect();
                    let record = (record.clone(), message["version"].as_i64());
                    stream.records.insert(key.join(","), record);
                }
                "ACTIVATE_VERSION" => {
                    let version = message["version"].as_i64().unwrap();
                    stream.records.retain(|_, (_, of)| *of == Some(version));
                }
                "STATE" => self.state = message["value"].clone(),
                other => panic!("{other}"),
            }
        }
    }
}

/// Fails unless a value has a type that its schema declares, and no key that it does not declare.
fn fits(value: &Value, schema: &Value) {
    let types = schema["type"].to_string();
    let ty = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(ty), "{value} is not {schema}");
    for item in value.as_array().into_iter().flatten() {
        fits(item, &schema["items"]);
    }
    for (key, below) in value.as_object().into_iter().flatten() {
        let declared = &schema["properties"][key];
        assert!(!declared.is_null(), "{key} is not in {schema}");
        fits(below, declared);
    }
}

impl Host for Target {
    fn run(&mut self, shop: &Shop, fails: bool) {
        let args = self.args(shop);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = self.tap.run(&args);
        assert_eq!(ran.ok, !fails, "{}", ran.stderr);
        self.take(&ran);
    }

    fn held(&self) -> Held {
        let mut held = Held::new();
        for (name, stream) in &self.streams {
            let records = stream.records.values();
            let records = records.map(|(record, _)| {
                let mut leaves = leaves(record);
                leaves.sort();
                leaves
            });
            held.insert(name.clone(), records.collect());
        }
        sorted(held)
    }
}

#[test]
fn a_target_holds_what_sync_loads() {
    same_as_sync(&mut Target::new());
}

#[test]
fn a_killed_tap_goes_on_from_its_last_state() {
    let shop = Shop::open();
    let many = |records: &mut Records| {
        let customer = |id: i64| json!({"id": id, "updated": format!("2024-01-01T{:02}:{:02}:00Z", id / 60, id % 60)});
        records.customers = (0..1_200).map(customer).collect();
        records.orders = (0..1_200).map(|id| (id, Vec::new())).collect();
    };
    shop.change(many);
    let mut target = Target::new();
    let args = target.args(&shop);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ran = target.tap.kill_after(&args, "\"id\":300,");
    assert!(!ran.ok);
    target.take(&ran);
    // The state that a target has is older than its last records.
    target.run(&shop, false);
    let reference = super::shop::Reference::new();
    reference.sync(&shop);
    assert_eq!(target.held(), reference.held());
}

#[test]
fn the_catalog_selects_streams_and_fields() {
    let shop = Shop::open();
    let target = Target::new();
    let config = target.tap.config(&shop);
    // Discovery needs no settings, and sends nothing.
    let ran = target.tap.run(&["--discover"]);
    assert!(ran.ok, "{}", ran.stderr);
    assert!(shop.requests().is_empty());
    let text = &ran.stdout;
    let json = &text[text.find("{\n").unwrap()..=text.rfind("\n}").unwrap() + 1];
    let mut catalog: Value = serde_json::from_str(json).unwrap();
    let streams = catalog["streams"].as_array().unwrap();
    let of = |name: &str| streams.iter().find(|it| it["stream"] == name).unwrap();
    let customers = of("customers");
    assert_eq!(customers["key_properties"], json!(["id"]));
    assert_eq!(customers["replication_key"], "updated");
    assert_eq!(customers["replication_method"], "INCREMENTAL");
    assert_eq!(of("rates")["key_properties"], json!(["_etl_id"]));
    assert_eq!(of("rates")["replication_method"], "FULL_TABLE");
    let decimal = &customers["schema"]["properties"]["balance"];
    assert_eq!(
        *decimal,
        json!({"type": ["string", "null"], "format": "singer.decimal"})
    );
    // As Meltano writes it.
    for stream in catalog["streams"].as_array_mut().unwrap() {
        let selected = stream["stream"] == "customers";
        for entry in stream["metadata"].as_array_mut().unwrap() {
            let crumbs = entry["breadcrumb"].to_string();
            let metadata = &mut entry["metadata"];
            if crumbs == "[]" {
                metadata["selected"] = json!(selected);
            }
            let text = r#"["properties","address","properties","city"]"#;
            let without = [r#"["properties","tags"]"#, r#"["properties","id"]"#, text];
            if without.contains(&crumbs.as_str()) {
                metadata["selected"] = json!(false);
            }
        }
    }
    let catalog = target.tap.file("catalog.json", &catalog);
    let ran = target
        .tap
        .run(&["--config", &config, "--catalog", &catalog]);
    assert!(ran.ok, "{}", ran.stderr);
    let records = ran.of("RECORD");
    assert_eq!(records.len(), 7);
    assert!(records.iter().all(|it| it["stream"] == "customers"));
    let record = &records[0]["record"];
    assert_eq!(record["id"], 1);
    assert_eq!(
        record["address"],
        json!({"lines": [{"text": "a", "grid": [[1, 2], [3]]}, {"text": "b"}]})
    );
    assert_eq!(record.get("tags"), None);
    for schema in ran.of("SCHEMA") {
        let properties = schema["schema"]["properties"].as_object().unwrap();
        assert!(
            properties.contains_key("id") && !properties.contains_key("tags"),
            "{schema}"
        );
        let address = &schema["schema"]["properties"]["address"]["properties"];
        assert_eq!(address.get("city"), None);
    }
    let asked = shop.requests();
    assert!(
        asked.iter().all(|it| it.starts_with("/customers?")),
        "{asked:?}"
    );
}

#[test]
fn a_state_comes_after_the_records_and_the_next_run_reads_what_is_new() {
    let shop = Shop::open();
    let mut target = Target::new();
    let config = target.tap.config(&shop);
    let first = target.tap.run(&["--config", &config]);
    let types: Vec<String> = first
        .messages()
        .iter()
        .map(|it| it["type"].to_string())
        .collect();
    assert_eq!(types.last().unwrap(), "\"STATE\"");
    target.take(&first);
    let bookmark = &target.state["bookmarks"]["customers"];
    assert_eq!(bookmark["replication_key"], "updated");
    let reached = bookmark["replication_key_value"].as_str().unwrap();
    assert!(reached.starts_with("2024-01-07T00:00:00"), "{reached}");
    shop.change(Records::change);
    let state = target.tap.file("state.json", &target.state);
    let second = target.tap.run(&["--config", &config, "--state", &state]);
    let of = |ran: &Ran, stream: &str| {
        let records = ran.of("RECORD").into_iter();
        records.filter(|it| it["stream"] == stream).count()
    };
    assert_eq!(of(&first, "customers"), 7);
    // Two that are new or have changed, and the newest one of before.
    assert_eq!(of(&second, "customers"), 3);
    // Without its state, everything comes again.
    let third = target.tap.run(&["--config", &config]);
    assert_eq!(of(&third, "customers"), 8);
    // A state that was damaged is refused.
    let broken = target
        .state
        .to_string()
        .replace("\"format\":1", "\"format\":99");
    let broken: Value = serde_json::from_str(&broken).unwrap();
    let broken = target.tap.file("state.json", &broken);
    let ran = target.tap.run(&["--config", &config, "--state", &broken]);
    assert!(!ran.ok && ran.of("RECORD").is_empty(), "{ran:?}");
}

#[test]
fn a_target_sees_what_is_wrong() {
    let shop = Shop::open();
    let target = Target::new();
    let config = target.tap.config(&shop);
    let ran = target.tap.run(&["--config", &config]);
    let corrupted = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = ran.lines.clone();
        change(&mut lines);
        let ran = Ran {
            lines,
            stdout: String::new(),
            stderr: String::new(),
            ok: true,
        };
        let taken = std::panic::catch_unwind(|| {
            let mut target = Target::new();
            target.take(&ran);
            target.held()
        });
        taken.ok()
    };
    let whole = corrupted(&|_| {});
    assert!(whole.is_some());
    let is = |line: &String, ty: &str| line.contains(&format!("\"type\":\"{ty}\""));
    assert!(corrupted(&|lines| lines.retain(|line| !is(line, "SCHEMA"))).is_none());
    let first = |lines: &[String]| lines.iter().position(|line| is(line, "RECORD")).unwrap();
    let lost = corrupted(&|lines| drop(lines.remove(first(lines))));
    assert!(lost.is_some() && lost != whole);
    let renamed = |lines: &mut Vec<String>| {
        let at = first(lines);
        lines[at] = lines[at]
            .replace("\"name\":", "\"nome\":")
            .replace("\"rate\":", "\"rata\":")
            .replace("\"paid\":", "\"paied\":");
    };
    assert!(corrupted(&renamed).is_none());
}

#[test]
fn about_says_what_the_tap_needs_and_can() {
    let tap = Program::called(&["/usr/local/bin/tap-shop"]);
    let ran = tap.run(&["--about", "--format", "json"]);
    let text = &ran.stdout;
    let json = &text[text.find("{\n").unwrap()..=text.rfind("\n}").unwrap() + 1];
    let about: Value = serde_json::from_str(json).unwrap();
    assert_eq!(about["name"], "tap-shop");
    let settings = &about["settings"];
    assert_eq!(settings["required"], json!(["base_url", "api_key"]));
    assert_eq!(settings["properties"]["api_key"]["secret"], true);
    assert_eq!(
        settings["properties"]["note"]["type"],
        json!(["string", "null"])
    );
    // Settings that are missing are named before anything is asked.
    let ran = tap.run(&[]);
    assert!(
        !ran.ok && ran.stderr.contains("`base_url`, `api_key`"),
        "{}",
        ran.stderr
    );
    assert!(ran.lines.is_empty());
}
