//! What a connector declares, as hashes: slices that two different connectors have read do not fit
//! together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::{Error, ErrorKind, Result};
use crate::run::probe::discover;
use crate::schema::TableSchema;
use crate::source::Source;
use crate::state::Declared;

/// The hashes of each resource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    /// The version of the runtime.
    runtime: String,
    resources: BTreeMap<String, Print>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Print {
    /// What it sends, and how it reads the responses.
    requests: String,
    /// Its tables.
    tables: String,
    /// Each part of its requests that settings can change, by its name.
    parts: BTreeMap<String, String>,
}

impl Fingerprint {
    /// Returns the fingerprint of a source.
    pub fn of(source: &Source) -> Result<Self> {
        let tables = discover(source)?;
        let mut resources = BTreeMap::new();
        for (resource, described) in source.resources().iter().zip(source.describe()) {
            let spec = resource.spec();
            let declared = Declared::of(source, spec, BTreeMap::new());
            let own: Vec<&TableSchema> = tables
                .iter()
                .filter(|it| it.resource == spec.name)
                .collect();
            let cursor = spec.cursor.as_ref().map(|cursor| {
                let windows = cursor
                    .windows
                    .as_ref()
                    .map(|(from, length)| (from.clone(), *length));
                json!([
                    cursor.keys,
                    cursor.format.name(),
                    cursor.param,
                    cursor.lookback,
                    windows
                ])
            });
            let parts = declared.parts.clone();
            let reads = json!([
                json!(Declared {
                    parts: BTreeMap::new(),
                    ..declared
                }),
                format!("{:?}", spec.paginator),
                described.cursor,
                cursor,
                format!("{:?}", spec.deletes),
            ]);
            let print = Print {
                requests: hash(&reads.to_string()),
                tables: hash(&json!(own).to_string()),
                parts,
            };
            resources.insert(spec.name.clone(), print);
        }
        Ok(Fingerprint {
            runtime: env!("CARGO_PKG_VERSION").to_owned(),
            resources,
        })
    }

    /// Returns it as one short text.
    pub fn short(&self) -> String {
        hash(&json!(self).to_string())
    }

    /// Refuses another connector than the one that has planned the run. `loaded`: the resources of
    /// the run.
    pub fn check<'a>(
        &self,
        now: &Fingerprint,
        loaded: impl Iterator<Item = &'a str>,
    ) -> Result<()> {
        let Some(what) = self.difference(now, loaded) else {
            return Ok(());
        };
        let message = format!("the connector is another one than when the run was planned: {what}");
        Err(Error::new(ErrorKind::Usage, message).hint(
            "plan again, or use the connector and the settings with which the run was planned",
        ))
    }

    fn difference<'a>(
        &self,
        now: &Fingerprint,
        mut loaded: impl Iterator<Item = &'a str>,
    ) -> Option<String> {
        if self.runtime != now.runtime {
            let (then, now) = (&self.runtime, &now.runtime);
            return Some(format!("its runtime had the version {then} and has {now}"));
        }
        loaded.find_map(|name| {
            let then = self.resources.get(name)?;
            let Some(now) = now.resources.get(name) else {
                return Some(format!("it has no resource `{name}`"));
            };
            let names = then.parts.keys().chain(now.parts.keys());
            let mut changed = names.filter(|part| then.parts.get(*part) != now.parts.get(*part));
            if let Some(part) = changed.next() {
                return Some(format!("{part} of `{name}` has another value"));
            }
            match (then.requests == now.requests, then.tables == now.tables) {
                (false, _) => Some(format!("`{name}` is asked or read in another way")),
                (_, false) => Some(format!("the tables of `{name}` have other columns")),
                _ => None,
            }
        })
    }
}

/// Returns a hash of a text.
pub(super) fn hash(text: &str) -> String {
    format!("{:016x}", xxh3_64(text.as_bytes()))
}
