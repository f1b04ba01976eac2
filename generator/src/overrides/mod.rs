//! `etlgen.toml`: what the owner wants to be different from what is inferred. It is applied between
//! `infer` and `plan`, and each of its keys is implemented in one place.
//!
//! [`parse`] reads the file and reports the mistakes that show without the document. [`apply`] lays
//! the keys over the facts and reports contradictions. Each key is a file below `top` or
//! `resource`: its entry in the reference (`docs/etlgen-toml.md`), how its value is read, and what
//! it changes.

mod about;
mod decided;
mod file;
mod key;
mod places;
#[cfg(test)]
mod reference;
mod resource;
mod select;
mod subject;
#[cfg(test)]
mod tests;
mod top;
mod value;
mod write;

use std::collections::BTreeMap;

use toml::de::DeTable;

use self::about::{About, Part};
use self::file::{Faults, File, Place};
use self::key::{Key, ResourceKey, TopKey, keys};
use self::resource::{
    body, contract, embedded, incremental, kind, list_may_be_absent, name, new_rows_only, off,
    on_status, paginate, parent, primary_key, query, records, tombstone, whole_lists,
    within_parent,
};
use self::subject::{Target, Whole};
use self::top::runtime::{DESTINATIONS, HOSTS};
use self::top::{auth, base_url, document, package, rate_limit, runtime, selection};
use self::value::{Source, Table};
use crate::diagnostics::{Diagnostic, Kind, Position};
use crate::infer;
use crate::infer::facts::{Doubt, Facts};
use crate::spec::api::Api;

pub use self::decided::{Choices, Off, Overridden};
pub use self::file::At;
pub use self::subject::near;
pub use self::top::package::Ci;
pub use self::top::runtime::feature;
pub use self::write::set;

keys! {
    /// The keys at the top of the file.
    TopKeys as TopKey on Whole<'_> {
        spec: document::Spec,
        overlay: document::Overlay,
        name: document::SourceName,
        include: selection::Include,
        exclude: selection::Exclude,
        singles: selection::Singles,
        base_url: base_url::BaseUrl,
        auth: auth::Auth,
        rate_limit: rate_limit::RateLimit,
        contract: contract::Wish,
        destinations: runtime::Destinations,
        hosts: runtime::Hosts,
        runtime: runtime::RuntimePlace,
        workspace_member: package::WorkspaceMember,
        license: package::License,
        repository: package::Repository,
        ci: package::Ci,
        docker: package::Docker,
        changelog: package::Changelog,
        bump: package::Bump,
    }
}

keys! {
    /// The keys of `[resources.NAME]`.
    ResourceKeys as ResourceKey on Target<'_> {
        name: name::Name,
        off: decided::Off,
        kind: kind::Kind,
        records: records::Records,
        primary_key: primary_key::PrimaryKey,
        paginate: paginate::Paginate,
        incremental: incremental::Incremental,
        new_rows_only: new_rows_only::NewRowsOnly,
        parent: parent::Parent,
        within_parent: within_parent::WithinParent,
        query: query::Query,
        body: body::Body,
        on_status: on_status::OnStatus,
        list_may_be_absent: list_may_be_absent::ListMayBeAbsent,
        embedded: embedded::Lists,
        whole_lists: whole_lists::WholeLists,
        deletes: etlgen_model::Deletes,
        tombstone: tombstone::Tombstone,
        contract: contract::Wish,
    }
}

/// The table of the resources.
const RESOURCES: &str = "resources";

/// The whole file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub top: TopKeys,
    /// The keys of each resource, by its name.
    pub resources: BTreeMap<String, ResourceKeys>,
    /// The place where each resource is named.
    places: BTreeMap<String, Place>,
    file: File,
}

/// Reads the file's text. An error names the place of each mistake.
pub fn parse(name: &str, text: &str) -> Result<Overrides, Diagnostic> {
    let file = File {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span();
        let position = span.clone().map(|span| Position::of(text, span.start));
        let named = span.and_then(|span| text.get(span)).map(str::trim);
        let message = match (error.message(), named) {
            ("duplicate key", Some(key)) if !key.is_empty() => {
                format!("the key `{key}` is there twice")
            }
            (message, _) => message.to_owned(),
        };
        Diagnostic::error(Kind::Overrides, message)
            .in_file(name)
            .at(position)
            .caused_by(error)
    })?;
    let mut faults = Faults::default();
    let source = Source {
        text,
        named: !name.is_empty(),
    };
    let table = source.table(table.get_ref());
    refuse_unknown(&table, TopKeys::KEYS, &[RESOURCES], &mut faults);
    let top = TopKeys::read(&table, &mut faults);
    let (mut resources, mut places) = (BTreeMap::new(), BTreeMap::new());
    if let Some(value) = table.get(RESOURCES)
        && let Some(all) = value.table("a table for each resource", &mut faults)
    {
        for entry in all.entries() {
            let takes = "a table of the resource's keys";
            let Some(table) = entry.value.table(takes, &mut faults) else {
                continue;
            };
            refuse_unknown(&table, ResourceKeys::KEYS, &[], &mut faults);
            let keys = ResourceKeys::read(&table, &mut faults);
            resources.insert(entry.name.clone(), keys);
            places.insert(entry.name.clone(), entry.place);
        }
    }
    faults.into_result(&file)?;
    Ok(Overrides {
        top,
        resources,
        places,
        file,
    })
}

/// Adds a mistake for each key that does not exist; its hint says where a misplaced key belongs.
fn refuse_unknown(table: &Table<'_>, keys: &[About], besides: &[&str], faults: &mut Faults) {
    let own = |name: &str| keys.iter().any(|key| key.name == name);
    let (others, place) = match besides.contains(&RESOURCES) {
        true => (ResourceKeys::KEYS, "it belongs below `[resources.NAME]`"),
        false => (TopKeys::KEYS, "it belongs at the top of the file"),
    };
    for entry in table.entries() {
        let elsewhere = others.iter().any(|other| other.name == entry.name);
        if elsewhere && !own(&entry.name) {
            let message = format!("unknown key `{}` here", entry.name);
            faults.add(entry.place, message).hint(place.to_owned());
        }
    }
    let elsewhere = others.iter().map(|other| other.name);
    let besides: Vec<&str> = besides.iter().copied().chain(elsewhere).collect();
    let known: Vec<Part> = keys.iter().map(About::part).collect();
    table.refuse_others(&known, &besides, faults);
}

/// Lays the owner's overrides over what is inferred. An error names the place of each key that does
/// not fit. With `everything`, all resources are chosen and the file's selection is ignored.
pub fn apply(
    api: &Api,
    mut facts: Facts,
    overrides: &Overrides,
    everything: bool,
) -> Result<Overridden, Diagnostic> {
    let mut faults = Faults::default();
    let mut contract = None;
    let mut whole = Whole {
        api,
        facts: &mut facts,
        contract: &mut contract,
        faults: &mut faults,
    };
    for step in TopKeys::STEPS {
        step(&overrides.top, &mut whole);
    }
    for name in overrides.resources.keys() {
        if subject::index(&facts, name).is_none() {
            let place = overrides.places.get(name).copied().flatten();
            let all = &overrides.resources;
            subject::unknown(&facts, all, &mut faults, (place, name));
        }
    }
    let mut choices = vec![Choices::default(); facts.resources.len()];
    // Keys are applied one by one to all resources, as one may depend on an earlier key of another
    // resource.
    for step in ResourceKeys::STEPS {
        for at in 0..facts.resources.len() {
            if let Some(keys) = overrides.resources.get(&facts.resources[at].name) {
                let mut target = Target {
                    api,
                    facts: &mut facts,
                    choices: &mut choices,
                    contract,
                    all: &overrides.resources,
                    faults: &mut faults,
                    at,
                };
                step(keys, &mut target);
            }
        }
    }
    for resource in &mut facts.resources {
        if let Some(keys) = overrides.resources.get(&resource.name) {
            resource.doubts.retain(|doubt| !settles(keys, doubt));
        }
        // The owner's keys may supply what the body requires, or no longer do so.
        infer::body::settle(api, resource);
    }
    off::refuse_needy(&facts, &overrides.resources, &mut faults);
    let chosen = select::select(&facts, &overrides.top, &mut faults);
    select::refuse_taken_names(&facts, &overrides.resources, &chosen, &mut faults);
    faults.into_result(&overrides.file)?;
    if chosen.is_empty() && !everything {
        return Err(select::nothing(&facts, &overrides.top));
    }
    Ok(Overridden {
        chosen: match everything {
            true => (0..facts.resources.len()).collect(),
            false => chosen,
        },
        facts,
        choices,
        name: overrides.top.name.as_ref().map(|name| name.0.clone()),
        contract,
    })
}

/// Returns whether the key that would answer an open question is set.
fn settles(keys: &ResourceKeys, doubt: &Doubt) -> bool {
    let key = doubt.settle.split([' ', '=', '.']).next();
    // `query` answers for each parameter by itself.
    let key = key.filter(|key| *key != query::Query::ABOUT.name);
    keys.has(key.unwrap_or_default())
}

impl Overrides {
    /// Returns the destinations that the connector can load to; `None`: those of the runtime's default features.
    pub fn destinations(&self) -> Option<Vec<&'static str>> {
        let chosen = &self.top.destinations.as_ref()?.0;
        let all = DESTINATIONS.into_iter();
        Some(all.filter(|it| chosen.contains(it)).collect())
    }

    /// Returns the hosts besides the command line; each is a feature of the runtime.
    pub fn hosts(&self) -> Vec<&'static str> {
        let chosen = self.top.hosts.as_ref();
        let all = HOSTS.into_iter().filter(|host| *host != "cli");
        all.filter(|host| chosen.is_some_and(|chosen| chosen.0.contains(host)))
            .collect()
    }

    /// Returns whether the file selects resources.
    pub fn selects(&self) -> bool {
        ["include", "exclude", "singles"]
            .iter()
            .any(|key| self.top.has(key))
    }

    /// Returns these overrides with the options of the command line over them. `options` are pairs
    /// of a key and a value in TOML.
    pub fn with_options(mut self, options: &[(&str, String)]) -> Result<Self, Diagnostic> {
        let lines = options
            .iter()
            .map(|(key, value)| format!("{key} = {value}\n"));
        let said = parse("", &lines.collect::<String>())?;
        self.top = said.top.or(self.top);
        Ok(self)
    }
}
