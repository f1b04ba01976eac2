//! `.etlgen/lock.json`: what a crate was generated from, and the names that were given. It cannot be made afterwards.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Deserializer, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use crate::diff::{Level, Surface};
use crate::emit::Files;
use crate::plan::Ledger;
use crate::plan::Plan;
use crate::spec::Input;

/// What a crate was generated from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lock {
    /// The format of this file.
    pub format: u32,
    /// Where the document was, as the crate names it.
    pub spec: String,
    /// The content of the document and its overlays.
    pub spec_hash: String,
    /// What was asked for on the command line.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, Vec<String>>,
    /// Names given, by what they were given to.
    pub names: Ledger,
    /// The content of each file as it was generated.
    pub files: BTreeMap<String, String>,
    /// The version that etlgen has written into `Cargo.toml` last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// How serious the changes are that have no version yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreleased: Option<Level>,
    /// What the crate offers; `None`: an etlgen wrote it that kept none, or another one.
    #[serde(
        default,
        deserialize_with = "if_known",
        skip_serializing_if = "Option::is_none"
    )]
    pub surface: Option<Surface>,
}

/// A surface of another form is none.
fn if_known<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Surface>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(serde_json::from_value(value).ok())
}

impl Lock {
    /// The lock of these files.
    pub fn new(spec: &str, spec_hash: String, plan: &Plan, files: &Files) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| (path.clone(), hash(text.as_bytes())));
        Lock {
            format: 1,
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

    /// One entry a line, so that branches merge.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// The hash of a document, and of the overlays that are applied to it.
pub fn spec_hash(input: &Input) -> String {
    let own = hash(&input.bytes);
    let overlays = input.overlays.iter().map(|overlay| hash(&overlay.bytes));
    match overlays.reduce(|all, one| format!("{all} {one}")) {
        None => own,
        Some(overlays) => hash(format!("{own} {overlays}").as_bytes()),
    }
}

pub(super) fn hash(bytes: &[u8]) -> String {
    format!("xxh3:{:032x}", xxh3_128(bytes))
}
