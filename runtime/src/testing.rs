//! Checks for the tests of a generated crate. They need no network, and panic with the reason on failure.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::http::{Client, Exchange};
use crate::normalize::{NormalizeOptions, Normalizer, RowOrigin};
use crate::record::{CursorValue, Record, Row, RowRef, serialize};
use crate::run::{RunOptions, Stateless, slices};
use crate::source::{RowSink, Source};

/// Returns a record as JSON, drift included: times in RFC 3339, nulls left out.
pub fn json<T: Record>(row: &Row<T>) -> String {
    let mut out = String::new();
    let row = row.erased();
    serialize::write_record(&mut out, row.record, row.drift.0.as_deref());
    out
}

/// Decodes every `<resource>.json` of a folder (an array of example records from the document) with the resource's record,
/// and loads it into tables in memory.
///
/// # Panics
/// If the folder has no such file, or a file is not such an array, is not named after a resource, or yields no row.
pub fn decode_examples(source: &Source, folder: impl AsRef<Path>) {
    for (name, path) in files_or_panic(folder.as_ref()) {
        if let Err(error) = decode_example(source, &name, &path) {
            panic!("{}: {error:#}", path.display());
        }
    }
}

fn decode_example(source: &Source, name: &str, path: &Path) -> Result<()> {
    let resource = source.find(name)?;
    let spec = resource.spec();
    let mut body = std::fs::read(path)?;
    // An example is a plain array, whatever the envelope of the API is.
    for key in spec.records.iter().rev() {
        let key = serde_json::Value::from(key.as_str()).to_string();
        body = [b"{", key.as_bytes(), b":", &body, b"}"].concat();
    }
    let page = resource.clone().reader(&[], None).read(&body)?;
    let (rows, options) = (
        page.spans.len(),
        NormalizeOptions::new(&spec.name, &spec.primary_key, spec.disposition()),
    );
    let mut tables = Tables {
        normalizer: Normalizer::new(resource.schema(), options, &[])?,
        rows: 0,
    };
    page.rows.drain(&mut tables)?;
    tables.normalizer.finish()?;
    if rows == 0 {
        return Err(Error::new(ErrorKind::Usage, "the file has no record"));
    }
    Ok(())
}

struct Tables {
    normalizer: Normalizer,
    rows: u64,
}

impl RowSink for Tables {
    fn admit(&mut self, _: Option<CursorValue>) -> bool {
        true
    }

    fn take(&mut self, row: RowRef<'_>, _: &dyn std::any::Any) -> Result<()> {
        let origin = RowOrigin {
            slice: "",
            pass: "",
            list: 0,
            ordinal: self.rows,
            copied: &Default::default(),
            deleted: None,
        };
        self.rows += 1;
        if !self.normalizer.append(row, &origin)? {
            self.normalizer.finish()?;
            self.normalizer.append(row, &origin)?;
        }
        Ok(())
    }
}

/// Reads each resource that has a recorded exchange `<resource>.json` in a folder to its end, and checks that every recorded
/// request was sent and that records arrived.
///
/// # Panics
/// If the folder has no such file, or the resource sends a request that was not recorded, or does not send one that was.
pub fn replay_exchange(source: &Source, folder: impl AsRef<Path>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a tokio runtime");
    for (name, path) in files_or_panic(folder.as_ref()) {
        if let Err(error) = runtime.block_on(replay(source, &name, &path)) {
            panic!("{}: {error:#}", path.display());
        }
    }
}

async fn replay(source: &Source, name: &str, path: &Path) -> Result<()> {
    let wrong = |message: String| Error::new(ErrorKind::Usage, message);
    let exchanges: Vec<Exchange> = serde_json::from_slice(&std::fs::read(path)?)
        .map_err(|error| wrong(format!("not an exchange: {error}")))?;
    let mut options = source.client_options();
    // A recording works with any base URL, even if none is configured yet.
    options.base_url = "http://localhost".to_owned();
    let client = Client::replay(options, exchanges)?;
    let stateless = Stateless::new(source, client, &RunOptions::default())?;
    let resource = source.find(name)?;
    let fetcher = stateless.fetcher(resource.clone());
    let (mut records, mut slices) = (0, slices(&stateless, resource));
    while let Some(slice) = slices.recv().await {
        let mut pages = stateless.pages(&fetcher, &slice?)?;
        while let Some(fetched) = pages.next().await? {
            records += fetched.page.spans.len();
        }
    }
    let unused = stateless.client.unused_exchanges();
    match (records, unused.first()) {
        (0, _) => Err(wrong("no record arrived".into())),
        (_, Some(request)) => Err(wrong(format!(
            "the recorded request {request} was not sent"
        ))),
        _ => Ok(()),
    }
}

/// Returns the `<resource>.json` files of a folder, in order. It panics if there are none, because
/// a test without files would always pass.
fn files_or_panic(folder: &Path) -> Vec<(String, PathBuf)> {
    let files = files(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    if files.is_empty() {
        let hint = "remove the test if the connector has none";
        panic!(
            "{}: the folder has no `<resource>.json`; {hint}",
            folder.display()
        );
    }
    files
}

fn files(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            files.push((name.to_owned(), path));
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic = "the folder has no `<resource>.json`"]
    fn a_folder_without_a_file_is_no_passed_test() {
        let folder = tempfile::tempdir().unwrap();
        decode_examples(&Source::new("shop", "http://localhost"), folder.path());
    }

    #[test]
    #[should_panic = "absent"]
    fn an_absent_folder_is_no_passed_test() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent");
        replay_exchange(&Source::new("shop", "http://localhost"), absent);
    }
}
