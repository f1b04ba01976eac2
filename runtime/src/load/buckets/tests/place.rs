//! A bucket of the tests' server, and an independent reader of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

use etlgen_testkit::{Kind, moto as kit, skip};
use xxhash_rust::xxh3::xxh3_64;

use super::proxy;
use crate::load::buckets::{Bucket, Remote};
use crate::load::conformance::Place;
use crate::load::conformance::support::{drifted, load};
use crate::load::lake::manifest::Manifest;
use crate::load::lake::{Lake, cells};
use crate::load::{Chunk, Commit, Destination, LoadStatus};
use crate::schema::Done;

/// A prefix of the tests' bucket, by the folder of the test.
pub struct S3;

/// Returns the prefix of a test.
fn prefix(dir: &Path) -> String {
    format!("t{:016x}", xxh3_64(dir.as_os_str().as_encoded_bytes()))
}

fn port() -> u16 {
    kit::server().unwrap().port
}

/// Returns a bucket of a URL and these variables.
pub fn of_url(url: &str, variables: &[(&str, &str)]) -> Bucket {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Lake::of(Remote::new(url, variables))
}

/// Returns the bucket of a test, asked through its proxy, with more variables.
pub fn bucket(dir: &Path, more: &[(&str, &str)]) -> Bucket {
    let (bucket, prefix, port) = (kit::BUCKET, prefix(dir), proxy::port(dir));
    let url = format!("s3://{bucket}/{prefix}?endpoint=http://127.0.0.1:{port}&region=us-east-1");
    let keys = [
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "s3cret"),
    ];
    of_url(&url, &[&keys, more].concat())
}

/// What the server takes for a signature; it checks none.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=id/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";

/// Asks the server itself; returns the body of the answer.
fn ask(method: &str, target: &str, body: &str) -> Vec<u8> {
    let mut server = TcpStream::connect(("127.0.0.1", port())).unwrap();
    let head = format!(
        "{method} /{}{target} HTTP/1.1\r\nHost: s3\r\n{SIGNED}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        kit::BUCKET,
        body.len()
    );
    server.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    let end = answer
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap();
    answer.split_off(end + 4)
}

/// Returns the texts of the elements of that name.
fn elements(xml: &str, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = xml.split(&open).skip(1);
    parts
        .map(|part| part.split(&close).next().unwrap().to_owned())
        .collect()
}

/// Returns the names of the objects of a test, below its prefix.
pub fn objects(dir: &Path) -> Vec<String> {
    let prefix = format!("{}/", prefix(dir));
    let xml = ask(
        "GET",
        &format!("?list-type=2&max-keys=1000&prefix={prefix}"),
        "",
    );
    let xml = String::from_utf8(xml).unwrap();
    let keys = elements(&xml, "Key");
    keys.iter()
        .map(|key| key[prefix.len()..].to_owned())
        .collect()
}

/// Returns the number of uploads in parts that have not ended.
pub fn uploads(dir: &Path) -> usize {
    let xml = String::from_utf8(ask("GET", "?uploads", "")).unwrap();
    let prefix = prefix(dir);
    elements(&xml, "Key")
        .iter()
        .filter(|key| key.starts_with(&prefix))
        .count()
}

/// Returns the bytes of an object.
pub fn object(dir: &Path, name: &str) -> Vec<u8> {
    ask("GET", &format!("/{}/{name}", prefix(dir)), "")
}

pub fn put_object(dir: &Path, name: &str, body: &str) {
    ask("PUT", &format!("/{}/{name}", prefix(dir)), body);
}

impl Place for S3 {
    fn is_available() -> bool {
        let server = kit::server();
        if let Err(why) = &server {
            skip(Kind::Service, why);
        }
        server.is_ok()
    }

    fn at(dir: &Path) -> Box<dyn Destination> {
        Box::new(bucket(dir, &[]))
    }

    /// Reads as a user does who lists the files of a table: with a glob.
    fn rows(dir: &Path, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
        let files = objects(dir).into_iter();
        let folder = format!("{table}/");
        let files = files.filter(|name| name.starts_with(&folder));
        files
            .flat_map(|name| cells::rows(bytes::Bytes::from(object(dir, &name)), columns))
            .collect()
    }

    fn foreign(dir: &Path, table: &str) -> bool {
        put_object(dir, &format!("{table}/notes.txt"), "mine");
        true
    }

    fn lose_next_answer(dir: &Path) {
        proxy::next_commit(dir, proxy::Fate::LosesAnswer);
    }

    fn kill(dir: &Path, chunk: &Chunk) {
        let before = object(dir, "_etl/manifest.json");
        let mut killed = bucket(dir, &[]);
        killed.open(&load("7")).unwrap();
        killed.write(chunk.clone()).unwrap();
        killed
            .drift("orders", &[(drifted("killed", Done::Columns), 1)])
            .unwrap();
        // This is the whole commit except its end.
        proxy::next_commit(dir, proxy::Fate::IsRefused);
        let commit = Commit::new(1, &[], &LoadStatus::Complete);
        killed.commit(&commit).unwrap_err();
        assert_eq!(killed.committed().unwrap(), 0);
        drop(killed);
        // Opening it may have written a manifest that names the same files.
        let sources = |bytes: &[u8]| {
            let manifest = Manifest::parse(bytes, "manifest").ok();
            manifest.map_or(String::new(), |m| format!("{:?}", m.sources))
        };
        let (before, after) = (
            sources(&before),
            sources(&object(dir, "_etl/manifest.json")),
        );
        assert_eq!(
            before.trim_matches(['{', '}']),
            after.trim_matches(['{', '}'])
        );
    }
}
