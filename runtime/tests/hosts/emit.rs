//! `emit:jsonl` and `emit:arrow`.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex};

use etlgen_runtime::arrow_array::cast::AsArray;
use etlgen_runtime::load::emit_to;
use etlgen_runtime::run::Outcome;
use serde_json::{Value, json};

use super::shop::{Held, Host, Shop, leaves, run, same_as_sync, sorted};

/// What a run has written.
#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn bytes(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// What a reader of the lines keeps.
#[derive(Default)]
struct Reader {
    folder: Option<tempfile::TempDir>,
    records: BTreeMap<String, BTreeMap<String, Value>>,
    staged: BTreeMap<String, BTreeMap<String, Value>>,
    /// The last state.
    state: Value,
    /// The resources whose records were described.
    described: Vec<String>,
}

impl Reader {
    fn url(&self, form: &str) -> String {
        let file = self.folder.as_ref().unwrap().path().join("state.json");
        format!("{form}?state={}", file.display())
    }

    fn take(&mut self, line: &Value) {
        let resource = line["resource"].as_str().unwrap_or_default().to_owned();
        let record = || {
            let id = line["record"]["_etl_id"].as_str().unwrap().to_owned();
            (id, line["record"].clone())
        };
        match (line["type"].as_str().unwrap(), line["operation"].as_str()) {
            ("schema", _) => self.described.push(resource),
            ("record", Some("merge" | "append")) => {
                self.records.entry(resource).or_default().extend([record()]);
            }
            ("record", Some("stage")) => {
                self.staged.entry(resource).or_default().extend([record()]);
            }
            ("begin", _) => drop(self.staged.remove(&resource)),
            ("publish", _) => {
                let staged = self.staged.remove(&resource).unwrap_or_default();
                self.records.insert(resource, staged);
            }
            ("state", _) => self.state = line["state"].clone(),
            _ => panic!("{line}"),
        }
    }

    fn held(&self) -> Held {
        let mut held = Held::new();
        for (resource, records) in &self.records {
            let records = records.values().map(leaves);
            held.insert(resource.clone(), records.collect());
        }
        sorted(held)
    }
}

/// Runs a connector; returns what it wrote.
fn written(shop: &Shop, rest: &str, fails: bool) -> Vec<u8> {
    let out = Written::default();
    let report = run(&shop.source(), emit_to(rest, out.clone())).unwrap();
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(..));
    assert_eq!(
        report.resources.iter().any(|it| failed(&it.outcome)),
        fails,
        "{report:?}"
    );
    out.bytes()
}

struct Lines(Reader);

impl Host for Lines {
    fn run(&mut self, shop: &Shop, fails: bool) {
        let bytes = written(shop, &self.0.url("jsonl"), fails);
        self.0.described.clear();
        for line in String::from_utf8(bytes).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["type"] == "record" {
                let resource = line["resource"].as_str().unwrap().to_owned();
                assert!(self.0.described.contains(&resource), "{line}");
            }
            self.0.take(&line);
        }
    }

    fn held(&self) -> Held {
        self.0.held()
    }
}

struct Streams(Reader);

impl Host for Streams {
    fn run(&mut self, shop: &Shop, fails: bool) {
        let bytes = written(shop, &self.0.url("arrow"), fails);
        for line in read_streams(&bytes) {
            self.0.take(&line);
        }
    }

    fn held(&self) -> Held {
        self.0.held()
    }
}

/// Returns what streams of Arrow say, as lines.
fn read_streams(bytes: &[u8]) -> Vec<Value> {
    let mut rest = std::io::Cursor::new(bytes);
    let mut lines = Vec::new();
    while (rest.position() as usize) < bytes.len() {
        let stream = arrow_ipc::reader::StreamReader::try_new(&mut rest, None).unwrap();
        let about = stream.schema().metadata()["etlgen"].clone();
        let about: Value = serde_json::from_str(&about).unwrap();
        if about["type"] != "record" {
            lines.push(about.clone());
        }
        for batch in stream {
            let batch: etlgen_runtime::arrow_array::RecordBatch = batch.unwrap();
            let rows = etlgen_runtime::arrow_array::StructArray::from(batch);
            for row in 0..etlgen_runtime::arrow_array::Array::len(&rows) {
                let mut line = about.clone();
                line["record"] = value(&rows, row);
                lines.push(line);
            }
        }
    }
    lines
}

/// Returns a value of Arrow as JSON.
fn value(array: &dyn etlgen_runtime::arrow_array::Array, row: usize) -> Value {
    use etlgen_runtime::arrow_array::types::*;
    use etlgen_runtime::arrow_schema::DataType;
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter();
            let keys = fields.iter().zip(columns);
            keys.map(|(field, values)| (field.name().clone(), value(values, row)))
                .collect()
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|at| value(&items, at)).collect()
        }
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Decimal128(..) => array
            .as_primitive::<Decimal128Type>()
            .value_as_string(row)
            .into(),
        DataType::Timestamp(..) => {
            let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
            Timestamp::from_micros(micros).to_string().into()
        }
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().value(row);
            Date::from_days(days).to_string().into()
        }
        other => panic!("{other}"),
    }
}

use etlgen_runtime::prelude::{Date, Timestamp};

fn reader() -> Reader {
    Reader {
        folder: Some(tempfile::tempdir().unwrap()),
        ..Reader::default()
    }
}

#[test]
fn lines_bring_what_sync_loads() {
    same_as_sync(&mut Lines(reader()));
}

#[test]
fn streams_bring_what_sync_loads() {
    same_as_sync(&mut Streams(reader()));
}

#[test]
fn a_state_follows_the_rows_that_it_belongs_to_and_starts_the_next_run() {
    let shop = Shop::open();
    let lines = |rest: &str| -> Vec<Value> {
        let text = String::from_utf8(written(&shop, rest, false)).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let fresh = lines("jsonl");
    let last = fresh.last().unwrap();
    assert_eq!(
        (&last["type"], &last["status"]),
        (&json!("state"), &json!("complete"))
    );
    let records = fresh.iter().filter(|line| line["type"] == "record").count();
    assert_eq!(records, 7 + 7 + 4);
    // Without a file, each run begins anew.
    assert_eq!(lines("jsonl").len(), fresh.len());
    // The state of a line is what the file holds.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json");
    std::fs::write(&file, last["state"].to_string()).unwrap();
    let next = lines(&format!("jsonl?state={}", file.display()));
    let of = |resource: &str| {
        let of = next.iter().filter(|line| line["resource"] == resource);
        of.filter(|line| line["type"] == "record").count()
    };
    // The newest customer comes again; the rates are always all.
    assert_eq!((of("customers"), of("rates")), (1, 4));
    assert_eq!(
        next[next.len() - 1]["state"],
        serde_json::from_str::<Value>(&std::fs::read_to_string(&file).unwrap()).unwrap()
    );
}
