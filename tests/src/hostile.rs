//! A document with hostile text everywhere, and an API that sends the same texts.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

/// Texts that end comments, strings and statements, escape folders, reverse lines, or are not names at all.
pub fn texts() -> Vec<String> {
    let texts = [
        "*/",
        "/*",
        "\"#",
        "r#\"",
        "\"##; } fn x() { /*",
        "a\rb\nc",
        "a\u{2028}b",
        "a\u{202e}b",
        "\u{feff}",
        "../../etc/x",
        "..",
        "..\\..\\x",
        "\"; drop table customers; --",
        "'; drop table customers; --",
        "`x`",
        "]",
        "{{ x }}",
        "{% if x %}",
        "{",
        "}",
        "${x}",
        "%s%n",
        "\\u0000",
        "\\",
        "</script>",
        "<!--",
        "[a](b)",
        "1st",
        "42",
        "fn",
        "type",
        "Self",
        "self",
        "crate",
        "r#fn",
        "_",
        "__",
        "Option",
        "String",
        "Record",
        "rowid",
        "_etl_id",
        "_etl_load_id",
        "_etl_hash",
        "con",
        "",
        " ",
        "?!",
        "...",
        "\u{0}",
        "a\u{0}b",
        "ünï",
        "UNÏ",
        "田中",
        "a_b",
        "aB",
        "a b",
        "A_B",
    ];
    let mut texts: Vec<String> = texts.map(str::to_owned).into();
    texts.extend([
        "x".repeat(300),
        "田".repeat(300),
        format!("{}y", "x".repeat(299)),
    ]);
    texts
}

/// The value of every setting.
pub const SETTING: &str = "a secret & more";

/// A path that no URL can have: it requests something else. Nothing can be loaded from it.
const UNASKABLE: &str = "/up/../../etc/x";

/// The paths of the lists in the document; the server has them with the settings filled in.
pub const PATHS: [&str; 16] = [
    "/star*/x",
    "/hash\"#/x",
    "/quote'; drop table customers; --",
    "/back`tick",
    "/script</script>",
    "/turn\u{202e}x",
    "/line\u{2028}x",
    "/space x\\y",
    "/1st",
    "/fn",
    "/Self",
    "/slash/",
    "/nul\u{0}x",
    "/turn\rline\nx\ty",
    "/pay/${x}/x",
    "/by/{k\"*}/x",
];

/// The name of the setting for the key, as the document has it.
const SCHEME: &str = "*/ \"# key; ../../x";

/// The query parameter that carries the key.
pub const KEY: &str = "k\"*/&=";

/// Returns the document.
pub fn spec(title: &str) -> Value {
    let texts = texts();
    let schema = || json!({"type": "string", "description": texts.concat(), "enum": texts});
    let fields = |more: &[(&str, Value)]| -> Value {
        let named = texts.iter().enumerate().map(|(at, name)| {
            let text = &texts[(at + 3) % texts.len()];
            let field = json!({"type": "string", "title": text, "description": text, "example": text, "default": text});
            (name.clone(), field)
        });
        let more = more
            .iter()
            .map(|(name, field)| ((*name).to_owned(), field.clone()));
        Value::Object(named.chain(more).collect())
    };
    let lists = json!({"type": "array", "items": {"$ref": "#/components/schemas/*~1 \"%23"}});
    let object = json!({"type": "object", "description": "*/ \"# \u{2028}", "properties": fields(&[
        ("id", json!({"type": "integer"})),
        ("chosen", schema()),
        ("list */ \"#", lists),
        ("inner */ \"#", json!({"type": "object", "properties": {"*/": {"type": "string"}, "fn": {"type": "string"}}})),
    ])});
    let mut paths = Map::new();
    for (at, path) in PATHS.iter().chain([&UNASKABLE]).enumerate() {
        let text = |step: usize| texts[(at * 5 + step) % texts.len()].clone();
        let mut parameters: Vec<Value> = texts
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| json!({"name": name, "in": "query", "description": name, "schema": schema()}))
            .collect();
        let answer = json!({
            "description": text(0),
            "content": {"application/json": {
                "schema": {"type": "array", "items": object},
                "example": [record(at, 0)],
            }},
        });
        let held = path
            .split('{')
            .nth(1)
            .and_then(|rest| rest.split('}').next());
        parameters.extend(held.map(|name| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        }));
        let get = json!({
            "operationId": text(1),
            "summary": text(2),
            "description": texts.join(" "),
            "tags": [text(3)],
            "parameters": parameters,
            "responses": {"200": answer},
        });
        paths.insert((*path).to_owned(), json!({"get": get}));
    }
    json!({
        "openapi": "3.0.3",
        "info": {"title": title, "version": "*/ \"#", "description": texts.concat(), "license": {"name": "\"\n*/"}},
        "servers": [{"url": "https://hostile.example", "description": "*/"}],
        "tags": texts.iter().map(|name| json!({"name": name, "description": name})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": {"*/ \"#": {"type": "object", "title": "*/", "properties": fields(&[])}},
            "securitySchemes": {SCHEME: {"type": "apiKey", "in": "query", "name": KEY, "description": texts.concat()}},
        },
        "security": [{SCHEME: []}],
    })
}

/// The number of records of each list.
pub const RECORDS: usize = 3;

/// Returns a record with every text as a key and, in another field, as a value.
pub fn record(list: usize, number: usize) -> Value {
    let texts = texts();
    let value = |at: usize| texts[(at + list + number * 7) % texts.len()].clone();
    let fields = |from: usize| -> Map<String, Value> {
        let named = texts.iter().enumerate();
        named
            .map(|(at, name)| (name.clone(), json!(value(at + from))))
            .collect()
    };
    let mut record = fields(0);
    record.insert("id".to_owned(), json!(number + 1));
    record.insert("chosen".to_owned(), json!(value(1)));
    record.insert("list */ \"#".to_owned(), json!([fields(2), fields(3)]));
    record.insert(
        "inner */ \"#".to_owned(),
        json!({"*/": value(4), "fn": value(5)}),
    );
    // A key that the document lacks.
    record.insert("new */ \"#; --".to_owned(), json!(value(6)));
    Value::Object(record)
}

/// An API on loopback with the lists of [`PATHS`]; it runs until the process ends.
pub struct Api {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Api {
    pub fn start() -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        let lists: BTreeMap<String, String> = PATHS
            .iter()
            .enumerate()
            .map(|(at, path)| {
                let records: Vec<Value> = (0..RECORDS).map(|number| record(at, number)).collect();
                let path = path.replace("{x}", SETTING).replace("{k\"*}", SETTING);
                (path, json!(records).to_string())
            })
            .collect();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that disconnects is not an error of the server.
                let _ = answer(stream.unwrap(), &lists, &log);
            }
        });
        Api { url, requests }
    }

    /// Returns the targets of the requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn answer(
    mut stream: TcpStream,
    lists: &BTreeMap<String, String>,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let line = lines.next().unwrap_or(Ok(String::new()))?;
    for header in lines {
        if header?.is_empty() {
            break;
        }
    }
    let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let path = decode(target.split('?').next().unwrap_or_default());
    let (status, body) = match lists.get(&path) {
        Some(body) => ("200 OK", body.as_str()),
        None => ("404 Not Found", "{}"),
    };
    log.lock().unwrap().push(target);
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Undoes percent-encoding.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
