//! The names of resources.

use super::build::{Options, resource_key};
use super::names::{self, Ledger, Names};
use crate::infer::facts::ResourceFacts;
use crate::overrides::Choices;
use crate::spec::api::Api;

/// Returns the names of the resources and of their functions. A resource keeps the name it has in
/// the ledger.
pub fn idents(
    api: &Api,
    facts: &[(&ResourceFacts, &Choices)],
    options: &Options,
    ledger: &mut Ledger,
) -> Vec<(String, String)> {
    let (mut given, mut modules) = (Names::default(), Names::default());
    let mut idents = vec![(String::new(), String::new()); facts.len()];
    let wanted = facts.iter().enumerate().map(|(at, (resource, wish))| {
        let what = resource_key(&api.operations[resource.operation].pointer);
        let known = options.ledger.get(&what);
        let (rank, name) = match (&wish.name, known) {
            (Some(name), _) => (0, names::snake(name, "resource")),
            (None, Some(name)) => (1, name.clone()),
            (None, None) => (2, names::snake(&resource.name, "resource")),
        };
        (rank, at, what, name)
    });
    let mut wanted: Vec<_> = wanted.collect();
    wanted.sort_by_key(|(rank, at, ..)| (*rank, *at));
    for (_, at, what, name) in wanted {
        let name = given.give(&[names::cut(name)]);
        let ident = modules.give(&[names::module(&name)]);
        ledger.insert(what, name.clone());
        idents[at] = (name, ident);
    }
    idents
}
