//! Tests of servers that misbehave below the JSON: encodings, chunks, slow bodies, broken
//! connections. Each ends with all rows or with an error that names the problem.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::InMemory;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, RunOptions, sync};

#[derive(Record)]
struct Item {
    id: Option<i64>,
    name: Option<String>,
}

/// Bytes for the socket, and the pause before them.
type Piece = (Duration, Vec<u8>);

/// Responds to request number n (from 0) with the pieces of `answer(n, head)`, then closes the
/// connection.
fn wire(answer: impl Fn(usize, &str) -> Vec<Piece> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (answer, count) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let (answer, count) = (answer.clone(), count.clone());
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut head, mut line) = (String::new(), String::new());
                while reader.read_line(&mut line).is_ok_and(|n| n > 2) {
                    head.push_str(&line);
                    line.clear();
                }
                let number = count.fetch_add(1, Ordering::Relaxed);
                for (pause, piece) in answer(number, &head) {
                    std::thread::sleep(pause);
                    // The client may have closed the connection.
                    let _ = stream.write_all(&piece).and_then(|()| stream.flush());
                }
            });
        }
    });
    base
}

/// Returns a complete response with these headers.
fn whole(headers: &str, body: &[u8]) -> Vec<Piece> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    vec![(Duration::ZERO, [head.as_bytes(), body].concat())]
}

fn body(rows: u64) -> Vec<u8> {
    let rows: Vec<_> = (0..rows)
        .map(|id| serde_json::json!({"id": id, "name": "n"}))
        .collect();
    serde_json::json!({"data": rows}).to_string().into_bytes()
}

/// Reads the list; returns the number of rows that arrived, or the error.
fn load(
    change: impl Fn(Source) -> Source,
    answer: impl Fn(usize, &str) -> Vec<Piece> + Send + Sync + 'static,
) -> Result<usize, String> {
    let items = Item::list("items", "/items")
        .records("data")
        .primary_key([Item::ID]);
    let source = change(Source::new("hostile", &wire(answer)).resource(items));
    graded(&source).map(|(rows, _)| rows)
}

/// Reads the list `items`; returns the number of rows that arrived and their grade, or the error.
fn graded(source: &Source) -> Result<(usize, &'static str), String> {
    let into = InMemory::new(10_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let options = RunOptions::default();
    let run = sync(source, Box::new(into.clone()), &options, Arc::new(()));
    let report = runtime.block_on(run).unwrap();
    let resource = &report.resources[0];
    match &resource.outcome {
        Outcome::Complete => Ok((into.table("items").len(), resource.proof.grade())),
        Outcome::Failed(_, message) => Err(message.clone()),
        other => Err(format!("{other:?}")),
    }
}

fn same(source: Source) -> Source {
    source
}

/// Wraps bytes in gzip without compression.
fn gzip(plain: &[u8]) -> Vec<u8> {
    let crc = !plain.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (!(crc & 1)).wrapping_add(1))
        })
    });
    let length = u16::try_from(plain.len()).unwrap();
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(plain);
    out.extend(crc.to_le_bytes());
    out.extend(u32::from(length).to_le_bytes());
    out
}

#[test]
fn only_what_we_can_read_is_asked_for_and_an_encoding_that_we_cannot_is_named() {
    let rows = load(same, |_, head| {
        let asked = head.to_lowercase();
        assert!(asked.contains("accept-encoding: gzip\r\n"), "{asked}");
        whole("content-encoding: gzip\r\n", &gzip(&body(7)))
    });
    assert_eq!(rows, Ok(7));
    for encoding in ["br", "zstd", "deflate"] {
        let error = load(same, move |_, _| {
            whole(
                &format!("content-encoding: {encoding}\r\n"),
                b"\x1b\x02\x03",
            )
        });
        assert!(
            error
                .as_ref()
                .is_err_and(|m| m.contains(&format!("`{encoding}`")) && m.contains("/items")),
            "{error:?}"
        );
    }
    let rows = load(same, |_, _| {
        whole("content-encoding: identity\r\n", &body(3))
    });
    assert_eq!(rows, Ok(3));
}

#[test]
fn a_body_in_chunks_and_one_that_is_cut_between_them() {
    let rows = load(same, |number, _| {
        let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut pieces = vec![(Duration::ZERO, head.to_vec())];
        for part in body(40).chunks(7) {
            let size = format!("{:x}\r\n", part.len());
            let piece = [size.as_bytes(), part, b"\r\n"].concat();
            pieces.push((Duration::ZERO, piece));
        }
        // The first response lacks its end: all of the JSON arrived, but nothing shows it.
        if number > 0 {
            pieces.push((Duration::ZERO, b"0\r\n\r\n".to_vec()));
        } else {
            pieces.pop();
        }
        pieces
    });
    assert_eq!(rows, Ok(40));
}

#[test]
fn a_slow_drip_meets_its_deadline_and_is_tried_again() {
    let rows = load(
        |source| source.request_timeout(Duration::from_millis(400)),
        |number, _| {
            let answer = whole("", &body(30)).remove(0).1;
            if number > 0 {
                return vec![(Duration::ZERO, answer)];
            }
            let drip = |byte: &[u8]| (Duration::from_millis(20), byte.to_vec());
            answer.chunks(1).take(200).map(drip).collect()
        },
    );
    assert_eq!(rows, Ok(30));
}

#[test]
fn a_connection_that_is_cut_is_tried_again() {
    let rows = load(same, |number, _| match number {
        0 => Vec::new(),
        1 => vec![(Duration::ZERO, b"HTTP/1.1 200 OK\r\ncontent-le".to_vec())],
        _ => whole("", &body(12)),
    });
    assert_eq!(rows, Ok(12));
}

#[test]
fn a_page_of_ten_megabytes() {
    let rows = load(same, |_, _| {
        let name = "x".repeat(1000);
        let rows: Vec<_> = (0..10_000)
            .map(|id| serde_json::json!({"id": id, "name": name}))
            .collect();
        whole("", serde_json::json!({"data": rows}).to_string().as_bytes())
    });
    assert_eq!(rows, Ok(10_000));
}

#[test]
fn text_that_is_not_utf8_is_read_and_said() {
    let rows = load(same, |_, _| {
        whole(
            "",
            b"{\"data\":[{\"id\":1,\"name\":\"caf\xe9\"},{\"id\":2}]}",
        )
    });
    assert_eq!(rows, Ok(2));
}

#[test]
fn the_content_type_decides_nothing_and_html_is_named() {
    let rows = load(same, |_, _| whole("content-type: text/html\r\n", &body(4)));
    assert_eq!(rows, Ok(4));
    let error = load(same, |_, _| {
        whole("content-type: text/html\r\n", b"<html>maintenance</html>")
    });
    assert!(
        error
            .as_ref()
            .is_err_and(|m| m.contains("text/html") && m.contains("/items")),
        "{error:?}"
    );
}

#[test]
fn the_same_key_twice_in_one_object() {
    // A repeated key is not an error: its first value counts, the others are drift.
    let rows = load(same, |_, _| {
        whole(
            "",
            br#"{"data":[{"id":1,"id":2},{"id":3,"name":"a","name":"b"}]}"#,
        )
    });
    assert_eq!(rows, Ok(2));
}

#[test]
fn a_text_without_a_length_may_be_cut_and_is_not_proved() {
    let lines = || Item::list("items", "/items").primary_key([Item::ID]);
    let source = |resource: Resource<Item>, head: &'static str, body: &'static [u8]| {
        let base = wire(move |_, _| {
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n{head}\r\n");
            vec![(Duration::ZERO, [head.as_bytes(), body].concat())]
        });
        Source::new("hostile", &base).resource(resource)
    };
    let csv: &[u8] = b"id,name\n1,a\n2,b\n3,c\n";
    let ndjson: &[u8] = b"{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n";
    let json: &[u8] = b"[{\"id\":1},{\"id\":2},{\"id\":3}]";
    let chunked: &[u8] = b"14\r\nid,name\n1,a\n2,b\n3,c\n\r\n0\r\n\r\n";
    for (resource, head, body, grade) in [
        // The connection may have broken off behind any line.
        (lines().csv(), "", csv, "unproved"),
        (lines().ndjson(), "", ndjson, "unproved"),
        // No packing gives it an end.
        (
            lines().csv(),
            "content-encoding: identity\r\n",
            csv,
            "unproved",
        ),
        // A length, or the last chunk, shows the end; so does the bracket of JSON.
        (lines().csv(), "content-length: 20\r\n", csv, "assumed"),
        (
            lines().ndjson(),
            "content-length: 27\r\n",
            ndjson,
            "assumed",
        ),
        (
            lines().csv(),
            "transfer-encoding: chunked\r\n",
            chunked,
            "assumed",
        ),
        (lines(), "", json, "assumed"),
    ] {
        let read = graded(&source(resource, head, body));
        assert_eq!(
            read,
            Ok((3, grade)),
            "{head} {}",
            String::from_utf8_lossy(body)
        );
    }
    // With a length, a text that breaks off is requested again, and then an error.
    let resource = || lines().csv();
    let cut = graded(&source(resource(), "content-length: 30\r\n", csv));
    assert!(cut.is_err(), "{cut:?}");
}
