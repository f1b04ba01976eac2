//! `etlgen inspect`: the resources to generate, with the evidence, as JSON for programs and as a
//! table for people.

mod json;
#[cfg(test)]
mod left_out;
mod table;
mod top;

pub use json::json;
pub(crate) use json::{auth, place, renewal};
pub use table::{View, table};

/// Returns the names of the lists, the most common ones first, without children.
pub fn common(draft: &crate::draft::Draft) -> Vec<String> {
    let decided = draft.decided();
    let lists = decided.iter().filter(|decided| {
        let planned = decided.planned;
        !planned.single && planned.parent.is_none()
    });
    let lists: Vec<&crate::infer::facts::ResourceFacts> = lists.map(|list| &list.facts).collect();
    let mut names: Vec<String> = Vec::new();
    for count in 1..=lists.len().min(COMMON) {
        for at in top::top(&draft.api, &lists, count) {
            let planned = lists.get(at).and_then(|found| draft.planned(found));
            names.extend(planned.map(|planned| planned.name.clone()));
        }
        names = names.into_iter().fold(Vec::new(), |mut known, name| {
            if !known.contains(&name) {
                known.push(name);
            }
            known
        });
    }
    names
}

/// The most lists that are ranked.
const COMMON: usize = 6;
