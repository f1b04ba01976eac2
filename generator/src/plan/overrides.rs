//! `etlgen.toml`: what the owner wants to be different from what is inferred. It is read, never written over.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use etlgen_model::{Deletes, Embedded, Length, Mode, Order, Paginator, StatusRule, Windows};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::package::Ci;
use crate::diagnostics::{Diagnostic, Kind, Position};

/// The whole file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// Where the document is: a file or a URL.
    pub spec: Option<String>,
    /// Overlays that repair it, in the order they are applied: files or URLs.
    #[serde(default)]
    pub overlay: Vec<String>,
    /// The source's name.
    pub name: Option<String>,
    /// Only these resources; empty: all.
    #[serde(default)]
    pub include: Vec<String>,
    /// Not these: patterns with `*`.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// What the crate may be used under: an SPDX expression.
    pub license: Option<String>,
    /// The page where the crate is developed.
    pub repository: Option<String>,
    /// Who runs its tests: `github`.
    pub ci: Option<Ci>,
    /// Whether it has a `Dockerfile`.
    #[serde(default)]
    pub docker: bool,
    /// `update` writes what has changed into `CHANGELOG.md` [default: true].
    pub changelog: Option<bool>,
    /// `update` gives `Cargo.toml` the next version [default: true].
    pub bump: Option<bool>,
    /// Where the API answers.
    pub base_url: Option<String>,
    /// `bearer`, `basic` or `none`.
    pub auth: Option<AuthKind>,
    /// How fast it may be asked; `false`: as fast as it answers.
    pub rate_limit: Option<RateLimit>,
    /// What is done with what the structs do not say, for the resources that have no contract of their own.
    pub contract: Option<ContractWish>,
    /// By resource.
    #[serde(default)]
    pub resources: BTreeMap<String, ResourceOverrides>,
}

/// How the API wants to be told who calls.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum AuthKind {
    None,
    Bearer,
    Basic,
}

/// What is different about one resource.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceOverrides {
    /// Another name.
    pub name: Option<String>,
    /// Dotted path of the records; `$`: the body is the list.
    pub records: Option<String>,
    /// Dotted paths; empty: there is none.
    pub primary_key: Option<Vec<String>>,
    /// How pages follow one another.
    pub paginate: Option<Paginator>,
    pub incremental: Option<Incremental>,
    /// Records never change once made: only new ones are read.
    #[serde(default)]
    pub new_rows_only: bool,
    /// The resource that it hangs below; `false`: none, its parameters are settings.
    pub parent: Option<ParentOverride>,
    /// Query parameters of every request.
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// What is done with what the struct does not say.
    pub contract: Option<ContractWish>,
    /// What becomes of records that the API has no more: `keep`, `soft` or `hard`.
    pub deletes: Option<Deletes>,
    /// The field, as a dotted path, that says that a record is gone.
    pub tombstone: Option<String>,
    /// Lists within its records of which the API sends only the beginning; empty: there is none.
    pub embedded: Option<Vec<Embedded>>,
    /// What is done about an answer's status: `fail`, `retry` or `skip`.
    #[serde(default)]
    pub on_status: BTreeMap<Status, StatusRule>,
}

/// `rate_limit = false`, `{ requests = 100, seconds = 60 }`, or several of these, which all hold.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(
    untagged,
    expecting = "a rate limit is false, { requests = 100, seconds = 60 }, or a list of such tables"
)]
pub enum RateLimit {
    Switch(bool),
    One(Rate),
    Several(Vec<Rate>),
}

/// At most that many requests in that time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    pub requests: NonZeroU32,
    pub seconds: NonZeroU32,
}

/// A key of `on_status`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub struct Status(pub u16);

impl TryFrom<String> for Status {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let status = text
            .parse()
            .ok()
            .filter(|status| (100..600).contains(status));
        status
            .map(Status)
            .ok_or_else(|| format!("`{text}` is no status of an answer: they are 100 to 599"))
    }
}

/// `contract = "freeze"`, or a table.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(
    untagged,
    expecting = "a contract is evolve, freeze, discard_row or discard_value, or a table that says this of tables, columns or types"
)]
pub enum ContractWish {
    Mode(Mode),
    Table(ContractTable),
}

/// `contract = { columns = "discard_value", types = "freeze" }`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct ContractTable {
    pub tables: Option<Mode>,
    pub columns: Option<Mode>,
    pub types: Option<Mode>,
}

/// `incremental = false`, or a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Incremental {
    Switch(bool),
    Table(Box<IncrementalTable>),
}

impl<'de> Deserialize<'de> for Incremental {
    /// By hand, since serde's untagged enums do not say what is wrong with a table.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Incremental;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("false, or a table with a `field`")
            }

            fn visit_bool<E>(self, on: bool) -> Result<Incremental, E> {
                Ok(Incremental::Switch(on))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Incremental, A::Error> {
                let table = IncrementalTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Incremental::Table(Box::new(table)))
            }
        }

        from.deserialize_any(Either)
    }
}

/// `incremental = { field = "updated_at", param = "since", updated = true }`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct IncrementalTable {
    /// Dotted.
    pub field: String,
    pub param: Option<String>,
    pub until: Option<String>,
    /// What the parameter holds where that is more than the value, which `{}` stands for: `updated>={}`.
    pub template: Option<String>,
    /// Whether the field moves with every change; unless said, what is inferred, else its name decides.
    pub updated: Option<bool>,
    /// The parameter leaves out records of the bound itself.
    pub exclusive: Option<bool>,
    /// How much is asked for again: `"2h"`.
    pub lookback: Option<Length>,
    /// How the API sorts the list by the field.
    pub order: Option<Order>,
    /// Reads the list in windows: `{ from = "2015-01-01", length = "90d" }`.
    pub windows: Option<Windows>,
    /// The API shows no more rows of one list than that.
    pub most_rows: Option<u64>,
}

/// `parent = false`, or a resource's name.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub enum ParentOverride {
    Switch(bool),
    Name(String),
}

/// Reads the file's text; an error names the place.
pub fn parse(file: &str, text: &str) -> Result<Overrides, Diagnostic> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let position = error.span().map(|span| Position::of(text, span.start));
        Diagnostic::error(Kind::Overrides, error.message())
            .in_file(file)
            .at(position)
            .caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let text = r#"
            include = ["events"]
            [resources.events]
            new_rows_only = true
            paginate = { kind = "token", param = "after", next = "meta.next" }
            incremental = false
            parent = "teams"
            [resources.teams]
            paginate = "single"
        "#;
        let overrides = parse("etlgen.toml", text).unwrap();
        let events = &overrides.resources["events"];
        assert!(events.new_rows_only);
        assert_eq!(events.incremental, Some(Incremental::Switch(false)));
        assert_eq!(
            overrides.resources["teams"].paginate,
            Some(Paginator::single())
        );
    }

    #[test]
    fn statuses_and_rates() {
        let text = r#"
            rate_limit = [{ requests = 100, seconds = 60 }, { requests = 5, seconds = 1 }]
            [resources.events]
            on_status = { 403 = "skip", 423 = "retry" }
        "#;
        let overrides = parse("etlgen.toml", text).unwrap();
        let rules: Vec<_> = overrides.resources["events"].on_status.iter().collect();
        let expected = [
            (&Status(403), &StatusRule::Skip),
            (&Status(423), &StatusRule::Retry),
        ];
        assert_eq!(rules, expected);
        for wrong in [
            "[resources.a]\non_status = { 42 = \"skip\" }",
            "[resources.a]\non_status = { 403 = \"ignore\" }",
            "rate_limit = { requests = 0, seconds = 1 }",
            "rate_limit = \"fast\"",
        ] {
            assert!(parse("etlgen.toml", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_key_that_is_none_is_named_with_its_place() {
        let error = parse("etlgen.toml", "\n[resources.a]\nnew_rows = true\n").unwrap_err();
        assert!(
            error.to_string().starts_with("error: etlgen.toml:3:1: "),
            "{error}"
        );
    }
}
