//! Compares the structs, starting at the records of the resources and following both sides in
//! parallel, so that renamed structs are recognised.

use std::collections::{BTreeSet, VecDeque};

use indexmap::IndexMap;

use super::columns::Place;
use super::fields::{self, Context, Renamed};
use super::resources::Pair;
use super::surface::{Body, Declared};
use super::{Change, Group, Kind, Level, Surface};

/// A struct's names before and after.
type Names<'a> = (&'a str, &'a str);

/// The places where two structs were found.
struct Met {
    /// The first place where their rows are stored.
    place: Place,
    /// The resources that use them.
    resources: BTreeSet<String>,
}

/// Returns the changes of the structs and of their fields.
pub fn compare(old: &Surface, new: &Surface, pairs: &[Pair]) -> Vec<Change> {
    let met = meet(old, new, pairs);
    let mut renamed = Renamed::new();
    for (before, after) in met.keys() {
        let gone = !new.structs.contains_key(*before);
        let came = !old.structs.contains_key(*after);
        let free = !renamed.values().any(|taken| taken == after);
        if gone && came && free {
            renamed.entry(before).or_insert(after);
        }
    }
    let mut out = Vec::new();
    for (before, after) in pairs {
        out.extend(record(before, after, &renamed));
    }
    for ((before, after), met) in &met {
        let (Some(was), Some(is)) = (old.structs.get(*before), new.structs.get(*after)) else {
            continue;
        };
        let group = group(after, met, pairs);
        let elsewhere = met.resources.len() - 1;
        let change =
            |kind, subject: &str| Change::new(group.clone(), kind, subject).elsewhere(elsewhere);
        out.extend(named((before, was), (after, is), &renamed, &change));
        let context = Context {
            name: after,
            place: &met.place,
            renamed: &renamed,
            change: &change,
        };
        out.extend(fields::compare(was, is, &context));
    }
    out
}

/// Follows the structs from the records, in the order of the resources, breadth first.
fn meet<'a>(old: &'a Surface, new: &'a Surface, pairs: &[Pair<'a>]) -> IndexMap<Names<'a>, Met> {
    let mut met: IndexMap<Names, Met> = IndexMap::new();
    let records = pairs.iter().filter_map(|(before, after)| {
        let names = (before.record.as_deref()?, after.record.as_deref()?);
        Some((names, after.name.as_str()))
    });
    let records: Vec<(Names, &str)> = records.collect();
    // A record is stored in its own table first, even if other records hold it too.
    for (names, resource) in &records {
        met.entry(*names).or_insert_with(|| Met {
            place: Place::root(resource),
            resources: BTreeSet::new(),
        });
    }
    for (names, resource) in records {
        let mut seen = BTreeSet::from([names]);
        let mut queue = VecDeque::from([(names, Place::root(resource))]);
        while let Some(((before, after), place)) = queue.pop_front() {
            let (Some(was), Some(is)) = (old.structs.get(before), new.structs.get(after)) else {
                continue;
            };
            let here = met.entry((before, after)).or_insert_with(|| Met {
                place: place.clone(),
                resources: BTreeSet::new(),
            });
            here.resources.insert(resource.to_owned());
            for (was, is, key) in within(was, is) {
                if seen.insert((was, is)) {
                    let ty = &new.structs[after].fields[key].ty;
                    queue.push_back(((was, is), place.within(key, ty)));
                }
            }
        }
    }
    // Pairs that were not found in any resource are removed.
    met.retain(|_, met| !met.resources.is_empty());
    met
}

/// Returns the structs that two structs hold in the same fields, with the current key.
fn within<'a>(was: &'a Body, is: &'a Body) -> Vec<(&'a str, &'a str, &'a str)> {
    let found = fields::matched(was, is).into_iter();
    let found = found.filter_map(|(before, after)| {
        let was = was.fields[before].ty.record()?;
        Some((was, is.fields[after].ty.record()?, after))
    });
    found.collect()
}

/// Returns the group of a struct: the resource whose record it is, or the only one that uses it.
fn group(name: &str, met: &Met, pairs: &[Pair]) -> Group {
    let mut owners = pairs.iter().map(|(_, after)| after);
    let owner = owners.find(|it| it.record.as_deref() == Some(name));
    match (owner, met.resources.first(), met.resources.len()) {
        (Some(owner), ..) => Group::Resource(owner.name.clone()),
        (None, Some(only), 1) => Group::Resource(only.clone()),
        _ => Group::Struct(name.to_owned()),
    }
}

/// Reports that the records of a resource have another struct.
fn record(old: &Declared, new: &Declared, renamed: &Renamed) -> Option<Change> {
    let now = |name: &str| renamed.get(name).map_or(name, |new| *new).to_owned();
    if old.record.as_deref().map(now) == new.record {
        return None;
    }
    let name = |it: &Declared| it.record.clone().unwrap_or_else(|| "Json".to_owned());
    let (tables, migration) = match (&old.record, &new.record) {
        (Some(_), Some(_)) => (
            Level::Patch,
            "code gets records of another type; the fields list what changes in the columns",
        ),
        _ => (
            Level::Breaking,
            "code gets records of another type; columns stay, and values whose type has changed go to variants \
             (`name__v_type`)",
        ),
    };
    Some(
        Change::new(
            Group::Resource(new.name.clone()),
            Kind::RecordChanged,
            "record",
        )
        .was(&name(old))
        .is(&name(new))
        .levels(Level::Breaking, tables)
        .at(&new.name)
        .migrate(migration),
    )
}

/// Reports that a struct has another name, or is in another module.
fn named(
    (before, was): (&str, &Body),
    (after, is): (&str, &Body),
    renamed: &Renamed,
    change: &dyn Fn(Kind, &str) -> Change,
) -> Option<Change> {
    let home = |shared: bool| if shared { "types" } else { "resources" };
    let (from, to) = (
        format!("{}::{before}", home(was.shared)),
        format!("{}::{after}", home(is.shared)),
    );
    let kind = match before == after {
        true if was.shared == is.shared => return None,
        true => Kind::StructMoved,
        false if renamed.get(before) == Some(&after) => Kind::StructRenamed,
        false => return None,
    };
    Some(
        change(kind, after)
            .was(&from)
            .is(&to)
            .levels(Level::Breaking, Level::Patch)
            .migrate("rename the struct in code that uses it; the tables do not change"),
    )
}
