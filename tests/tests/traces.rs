//! Tests the spans that are sent to a collector on loopback: their names and their hierarchy; they
//! contain no secret.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use etlgen_tests::connector::Connector;
use etlgen_tests::tree::Tree;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

static TREE: LazyLock<Connector> = LazyLock::new(Connector::tree);

const SECRET: &str = "tree-key-4711/8&9";

/// Starts a collector that accepts OTLP over HTTP; returns its URL and the received bodies.
fn collector() -> (String, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = bodies.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut line, mut length) = (String::new(), 0);
            while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                let header = line.to_lowercase();
                if let Some(value) = header.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            kept.lock().unwrap().push(body);
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n",
            );
        }
    });
    (url, bodies)
}

fn text(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|pair| pair.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => Some(format!("{other:?}")),
    }
}

#[test]
fn a_run_is_traced_from_the_run_to_the_request() {
    let tree = Tree::start(2, Duration::ZERO).unwrap();
    let (collector, bodies) = collector();
    let folder = tempfile::tempdir().unwrap();
    let told = "--record tape --report report.json --log-format json --destination sqlite:t.db";
    let url = tree.url();
    let words: Vec<&str> = ["sync", "--base-url", &url]
        .into_iter()
        .chain(told.split(' '))
        .collect();
    let output = TREE
        .command(folder.path(), &words)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector)
        .env("TREE_API_KEY", SECRET)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut spans: Vec<Span> = Vec::new();
    let mut services = BTreeSet::new();
    for body in bodies.lock().unwrap().iter() {
        let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        for of_resource in request.resource_spans {
            let attributes = of_resource.resource.unwrap().attributes.into_iter();
            services.extend(
                attributes
                    .filter(|pair| pair.key == "service.name")
                    .map(|pair| format!("{:?}", pair.value)),
            );
            spans.extend(
                of_resource
                    .scope_spans
                    .into_iter()
                    .flat_map(|scope| scope.spans),
            );
        }
    }
    assert!(
        services.iter().all(|name| name.contains("tree")) && services.len() == 1,
        "{services:?}"
    );
    let by_id: BTreeMap<&[u8], &Span> = spans
        .iter()
        .map(|span| (span.span_id.as_slice(), span))
        .collect();
    let above = |span: &Span| {
        by_id
            .get(span.parent_span_id.as_slice())
            .map(|span| span.name.as_str())
    };
    let mut seen: BTreeMap<(&str, Option<&str>), usize> = BTreeMap::new();
    for span in &spans {
        *seen.entry((span.name.as_str(), above(span))).or_default() += 1;
    }
    let kinds: Vec<_> = seen.keys().copied().collect();
    let expected = [
        ("commit", Some("run")),
        ("request", Some("slice")),
        ("resource", Some("run")),
        ("run", None),
        ("slice", Some("resource")),
    ];
    assert_eq!(kinds, expected, "{seen:?}");
    let resources: BTreeSet<_> = spans
        .iter()
        .filter(|span| span.name == "resource")
        .filter_map(|span| text(span, "resource"))
        .collect();
    assert_eq!(
        resources,
        [
            "events", "log", "notes", "orders", "people", "regions", "shops"
        ]
        .map(str::to_owned)
        .into()
    );
    let requests = tree.take_requests();
    assert_eq!(seen[&("request", Some("slice"))], requests.len());
    assert!(
        requests
            .iter()
            .all(|request| request.contains("key=tree-key")),
        "{requests:?}"
    );
    for span in spans.iter().filter(|span| span.name == "request") {
        assert_eq!(
            text(span, "http.response.status_code").as_deref(),
            Some("200")
        );
        assert!(text(span, "request").unwrap().starts_with("GET /"));
    }
    // No output of a run contains its key: traces, log, report, recording, tables.
    let mut all = files(folder.path());
    assert!(all.len() > 20, "the recording is there");
    all.extend(bodies.lock().unwrap().clone());
    all.extend([output.stdout, output.stderr]);
    for text in all {
        for secret in [SECRET, "tree-key-4711%2F8%269", "tree-key"] {
            let found = text
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {}", String::from_utf8_lossy(&text));
        }
    }
}

/// Returns every file below a folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(std::fs::read(path).unwrap()),
        }
    }
    found
}

#[test]
fn without_a_collector_named_nothing_is_sent_and_one_that_is_gone_fails_nothing() {
    let tree = Tree::start(2, Duration::ZERO).unwrap();
    for endpoint in ["", "http://127.0.0.1:9"] {
        let folder = tempfile::tempdir().unwrap();
        let output = TREE
            .command(
                folder.path(),
                &[
                    "sync",
                    "--base-url",
                    &tree.url(),
                    "--destination",
                    "sqlite:t.db",
                ],
            )
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
