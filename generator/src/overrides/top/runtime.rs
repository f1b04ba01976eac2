//! `runtime`, `hosts` and `destinations`: what the crate links against.

use std::collections::BTreeSet;

use crate::overrides::about::About;
use crate::overrides::file::Faults;
use crate::overrides::key::{Key, TopKey};
use crate::overrides::value::Value;

/// A version requirement, or a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct RuntimePlace(pub String);

impl Key for RuntimePlace {
    const ABOUT: About = About {
        name: "runtime",
        takes: "a version or a folder",
        does: "The runtime that the crate links. A folder is relative to the crate. By default the version that fits the \
               etlgen that writes the crate.",
        examples: &["runtime = \"=0.1.0\"", "runtime = \"../etlgen/runtime\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.text(faults).map(RuntimePlace)
    }
}

impl TopKey for RuntimePlace {}

/// The ways in which the connector is run.
#[derive(Clone, Debug, PartialEq)]
pub struct Hosts(pub BTreeSet<&'static str>);

/// All hosts. Each but the first is a feature of the runtime with its name.
pub const HOSTS: [&str; 3] = ["cli", "singer", "airbyte"];

impl Key for Hosts {
    const ABOUT: About = About {
        name: "hosts",
        takes: "a list of `\"cli\"`, `\"singer\"` and `\"airbyte\"`",
        does: "The ways in which the connector is run, besides being a library; others are not compiled. By default its command line, \
               which each of the others has too: `singer` is a Singer tap, `airbyte` an Airbyte source.",
        examples: &["hosts = [\"singer\", \"airbyte\"]"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        words(value, &HOSTS, faults).map(Hosts)
    }
}

impl TopKey for Hosts {}

/// The destinations that the connector can load to.
#[derive(Clone, Debug, PartialEq)]
pub struct Destinations(pub BTreeSet<&'static str>);

/// All destinations, by the schemes of their URLs.
pub const DESTINATIONS: [&str; 9] = [
    "sqlite", "parquet", "postgres", "duckdb", "ducklake", "s3", "gs", "az", "emit",
];

/// Returns the feature of the runtime that a destination needs.
pub fn feature(destination: &'static str) -> &'static str {
    match destination {
        "s3" | "gs" | "az" => "buckets",
        "ducklake" => "duckdb",
        destination => destination,
    }
}

impl Key for Destinations {
    const ABOUT: About = About {
        name: "destinations",
        takes: "a list of `\"sqlite\"`, `\"parquet\"`, `\"postgres\"`, `\"duckdb\"`, `\"ducklake\"`, `\"s3\"`, `\"gs\"`, `\"az\"` and `\"emit\"`",
        does: "Where the connector can load to; others are not compiled. By default `sqlite` and `parquet`. `s3`, `gs` and `az` are compiled together, as are `duckdb` and `ducklake`. `emit` is standard output.",
        examples: &["destinations = [\"sqlite\", \"postgres\"]"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        words(value, &DESTINATIONS, faults).map(Destinations)
    }
}

impl TopKey for Destinations {}

/// Reads a list of at least one of the known words.
fn words(
    value: &Value<'_>,
    known: &[&'static str],
    faults: &mut Faults,
) -> Option<BTreeSet<&'static str>> {
    let choices: Vec<(&str, &'static str)> = known.iter().map(|word| (*word, *word)).collect();
    let takes = format!("a list of {}", crate::overrides::value::or(known));
    let items = value.items(&takes, faults)?;
    if items.is_empty() {
        value.refuse_empty(faults);
        return None;
    }
    let words = items.iter().map(|item| item.choice(&choices, faults));
    words.collect()
}
