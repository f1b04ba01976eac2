//! Decides the file of each struct. A place once given stays, as the code of others names it and its
//! owner knows where it is: the ledger keeps it.

use std::collections::{BTreeMap, BTreeSet};

use super::records::Structs;
use super::{Struct, names};

/// The most features of a struct; one that more features use is always compiled.
const COMMON: usize = 8;
/// The most structs of a family; a larger one is divided by the next word of their names.
const LARGE: usize = 24;
/// The longest name of a family, in letters: with `.rs` it fits every file system.
const LONGEST: usize = 60;
/// The place of a shared struct in the ledger, before its module.
const SHARED: &str = "types/";

/// The structs of a crate, by file.
pub struct Placed {
    /// The structs of each resource, that of its record first.
    pub own: Vec<Vec<Struct>>,
    pub shared: Vec<Struct>,
    /// The module in `types` of each shared struct, by its name.
    pub homes: BTreeMap<String, String>,
    /// The features that use a shared struct, by its name. A struct without an entry is always
    /// compiled.
    pub shared_features: BTreeMap<String, Vec<String>>,
}

/// A resource as far as places depend on it.
pub struct User {
    /// Its entry in the ledger.
    pub entry: String,
    /// The struct of its records.
    pub record: Option<String>,
    pub feature: Option<String>,
}

impl Structs<'_> {
    /// Decides the file of each struct: its earlier one, that of its owner or only user, or a shared
    /// one.
    pub fn place(&mut self, resources: &[User]) -> Placed {
        let (users, order) = self.users(resources);
        let home = |at: usize| {
            let own = &self.made[at];
            let alone = |resource: usize| {
                let feature = &resources[resource].feature;
                users[at]
                    .iter()
                    .all(|user| resources[*user].feature == *feature)
            };
            let earlier = self.ledger.get(&place(&own.entry));
            let known = earlier.and_then(|earlier| {
                if earlier.starts_with(SHARED) {
                    return Some(None);
                }
                let resource = resources.iter().position(|it| it.entry == *earlier)?;
                (users[at].contains(&resource) && alone(resource)).then_some(Some(resource))
            });
            known.unwrap_or_else(|| match (own.owner, users[at].len()) {
                // A struct that another feature uses, too, is compiled with both.
                (Some(owner), _) => Some(owner).filter(|owner| alone(*owner)),
                (None, 1) => users[at].first().copied(),
                (None, _) => None,
            })
        };
        let homes: Vec<Option<usize>> = (0..self.made.len()).map(home).collect();
        let bodies = |at: &usize| self.made[*at].body.clone();
        let own = order.iter().enumerate().map(|(resource, seen)| {
            let here = seen.iter().filter(|at| homes[**at] == Some(resource));
            here.map(bodies).collect()
        });
        let own = own.collect();
        let shared: Vec<usize> = (0..self.made.len())
            .filter(|at| !users[*at].is_empty() && homes[*at].is_none())
            .collect();
        let gates = shared.iter().filter_map(|at| {
            let of: BTreeSet<&String> = users[*at]
                .iter()
                .filter_map(|user| resources[*user].feature.as_ref())
                .collect();
            let is_special = !of.is_empty() && of.len() <= COMMON;
            is_special.then(|| {
                let name = self.made[*at].body.name.clone();
                (name, of.into_iter().cloned().collect())
            })
        });
        let shared_features: BTreeMap<String, Vec<String>> = gates.collect();
        let modules = self.modules(&shared, &shared_features);
        let placed = Placed {
            own,
            shared: shared.iter().map(bodies).collect(),
            homes: modules,
            shared_features,
        };
        for (at, made) in self.made.iter().enumerate() {
            let module = placed.homes.get(&made.body.name);
            let shared = module.map(|module| format!("{SHARED}{module}"));
            let own = homes[at].map(|resource| resources[resource].entry.clone());
            let given = shared.or(own).filter(|_| !users[at].is_empty());
            self.given
                .extend(given.map(|given| (place(&made.entry), given)));
        }
        placed
    }

    /// Returns the resources that use each struct, and the structs of each resource, that of its
    /// record first.
    fn users(&self, resources: &[User]) -> (Vec<BTreeSet<usize>>, Vec<Vec<usize>>) {
        let mut users: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.made.len()];
        let mut order: Vec<Vec<usize>> = vec![Vec::new(); resources.len()];
        for (resource, user) in resources.iter().enumerate() {
            let record = user.record.as_deref();
            let Some(root) = record.and_then(|name| self.position(name)) else {
                continue;
            };
            let mut seen = vec![root];
            let mut at = 0;
            while let Some(next) = seen.get(at).copied() {
                at += 1;
                users[next].insert(resource);
                for held in &self.made[next].holds {
                    if !seen.contains(held) {
                        seen.push(*held);
                    }
                }
            }
            order[resource] = seen;
        }
        (users, order)
    }

    /// Returns the module of each shared struct: its earlier one, or that of its family, the structs
    /// whose names begin with the same word. The structs of a module have the same features.
    fn modules(
        &self,
        shared: &[usize],
        features: &BTreeMap<String, Vec<String>>,
    ) -> BTreeMap<String, String> {
        let mut homes: BTreeMap<String, String> = BTreeMap::new();
        let mut gates: BTreeMap<String, Option<&Vec<String>>> = BTreeMap::new();
        let name = |at: usize| self.made[at].body.name.clone();
        let earlier = |at: usize| {
            let known = self.ledger.get(&place(&self.made[at].entry))?;
            known.strip_prefix(SHARED).map(str::to_owned)
        };
        let (known, new): (Vec<usize>, Vec<usize>) =
            shared.iter().partition(|at| earlier(**at).is_some());
        let words: BTreeMap<usize, Vec<String>> = shared
            .iter()
            .map(|at| {
                let snake = names::snake(&self.made[*at].body.name, "record");
                (*at, snake.split('_').map(str::to_owned).collect())
            })
            .collect();
        let sizes = families(words.values());
        for at in known.into_iter().chain(new) {
            let gate = features.get(&name(at));
            let Some(own) = words.get(&at) else {
                continue;
            };
            let mut length = 1;
            let large = |length: usize| {
                let family = own.get(..length).unwrap_or(own);
                sizes
                    .get(&family.join("_"))
                    .is_some_and(|size| *size > LARGE)
            };
            while length < own.len() && large(length) {
                length += 1;
            }
            let family = own.get(..length).unwrap_or(own).join("_");
            let candidates = [earlier(at), Some(family), Some(own.join("_"))];
            let candidates = candidates.into_iter().flatten();
            let mut candidates = candidates.map(|name| module(&name));
            let fits = |module: &String| gates.get(module).is_none_or(|other| *other == gate);
            let chosen = candidates.find(fits).unwrap_or_else(|| {
                let numbered = (2..).map(|count| format!("{}_{count}", module(&own.join("_"))));
                let mut numbered = numbered.into_iter();
                numbered.find(fits).unwrap_or_default()
            });
            gates.insert(chosen.clone(), gate);
            homes.insert(name(at), chosen);
        }
        homes
    }
}

/// Returns how many names begin with each sequence of words, joined with `_`.
fn families<'a>(names: impl Iterator<Item = &'a Vec<String>>) -> BTreeMap<String, usize> {
    let mut sizes = BTreeMap::new();
    for name in names {
        for length in 1..=name.len() {
            let family = name.get(..length).unwrap_or(name).join("_");
            *sizes.entry(family).or_default() += 1;
        }
    }
    sizes
}

/// Returns the ledger's entry for the place of a struct.
fn place(entry: &str) -> String {
    format!("place {entry}")
}

/// Returns the module of a family: its name, of which the last words are left out if it is too long.
fn module(name: &str) -> String {
    let mut name = name;
    while name.len() > LONGEST
        && let Some((shorter, _)) = name.rsplit_once('_')
    {
        name = shorter;
    }
    names::module(name)
}
