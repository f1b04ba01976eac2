//! `.etlgen/lock.json`: what a crate was generated from, and the given names. It cannot be
//! reconstructed.

mod format_1;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use semver::Version;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_128;

use super::LOCK;
use super::endings::unix;
use crate::diagnostics::{Diagnostic, Kind, Position, json_reason};
use crate::diff::{Level, Surface};
use crate::emit::Files;
use crate::plan::Ledger;
use crate::plan::Plan;
use crate::spec::Input;

/// The format of the lock that is written. Earlier ones are read, too.
const FORMAT: u32 = 2;

/// What a crate was generated from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lock {
    /// The format of this file.
    pub format: u32,
    /// The place of the document, as the crate names it.
    pub spec: String,
    /// The hash of the document and its overlays.
    pub spec_hash: String,
    /// The options of the command line.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, Vec<String>>,
    /// The given names, by what they name.
    pub names: Ledger,
    /// The hash of each file as it was generated.
    pub files: BTreeMap<String, String>,
    /// The version that etlgen last wrote into `Cargo.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The level of the changes that have no version yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreleased: Option<Level>,
    /// The surface of the crate; `None`: the etlgen that wrote the lock kept none, or one of
    /// another form.
    #[serde(
        default,
        deserialize_with = "if_known",
        skip_serializing_if = "Option::is_none"
    )]
    pub surface: Option<Surface>,
}

/// Ignores a surface of another form.
fn if_known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Surface>, D::Error> {
    let value = Value::deserialize(from)?;
    Ok(serde_json::from_value(value).ok())
}

impl Lock {
    /// Creates the lock of these files.
    pub fn new(spec: &str, spec_hash: String, plan: &Plan, files: &Files) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| (path.clone(), text_hash(text.as_bytes())));
        Lock {
            format: FORMAT,
            spec: spec.to_owned(),
            spec_hash,
            options: BTreeMap::new(),
            names: plan.ledger.clone(),
            files: files.collect(),
            version: None,
            unreleased: None,
            surface: Some(Surface::from(plan)),
        }
    }

    /// Returns the lock as JSON with one entry per line, so that branches merge.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// Reads the lock of a crate.
pub fn read_lock(folder: &Path) -> Result<Lock, Diagnostic> {
    let path = folder.join(LOCK);
    let text = fs::read_to_string(&path).map_err(|error| Diagnostic::io(&path, error))?;
    parse(&text, &path)
}

/// Parses a lock. An error names `path`: the text is not a lock, or a later etlgen wrote it.
fn parse(text: &str, path: &Path) -> Result<Lock, Diagnostic> {
    #[derive(Deserialize)]
    struct Numbered {
        format: u64,
    }
    let broken = |error: serde_json::Error| {
        let place = Position {
            line: error.line().max(1),
            column: error.column(),
        };
        let message = format!("it is not a lock of etlgen: {}", json_reason(&error));
        Diagnostic::error(Kind::Io, message)
            .in_file(path.display().to_string())
            .at(place)
            .caused_by(error)
    };
    let mut lock: Value = serde_json::from_str(text).map_err(broken)?;
    let Numbered { format } = Numbered::deserialize(&lock).map_err(broken)?;
    if format > u64::from(FORMAT) {
        let message = format!(
            "the lock has the format {format}, and this etlgen reads formats up to {FORMAT}"
        );
        return Err(Diagnostic::error(Kind::Crate, message)
            .in_file(path.display().to_string())
            .with_hint(
                "a later etlgen wrote the crate: `cargo install etlgen --locked` installs the latest",
            ));
    }
    if format < u64::from(FORMAT) {
        format_1::raise(&mut lock);
        lock["format"] = FORMAT.into();
    }
    serde_json::from_value(lock).map_err(broken)
}

/// Returns the hash of a document and of the overlays that are applied to it.
pub fn spec_hash(input: &Input) -> String {
    let own = text_hash(&input.bytes);
    let overlays = input.overlays.iter();
    let overlays = overlays.map(|overlay| text_hash(&overlay.bytes));
    match overlays.reduce(|all, one| format!("{all} {one}")) {
        None => own,
        Some(overlays) => hash(format!("{own} {overlays}").as_bytes()),
    }
}

/// Returns the hash of a text, whatever its line endings.
pub(super) fn text_hash(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => hash(unix(text.to_owned()).as_bytes()),
        Err(_) => hash(bytes),
    }
}

pub(super) fn hash(bytes: &[u8]) -> String {
    format!("xxh3:{:032x}", xxh3_128(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_of_a_later_format_is_refused() {
        let path = Path::new("shop/.etlgen/lock.json");
        let error = parse(r#"{"format": 3, "files": []}"#, path).unwrap_err();
        assert_eq!(error.kind(), Kind::Crate);
        assert_eq!(error.file(), "shop/.etlgen/lock.json");
        assert!(error.message().contains("has the format 3"));
        assert!(error.hint().unwrap().contains("cargo install etlgen"));
        let error = parse(r#"{"files": []}"#, path).unwrap_err();
        assert_eq!(error.kind(), Kind::Io);
    }
}
