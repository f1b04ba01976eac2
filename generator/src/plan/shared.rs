//! The parts that resources share, so that the crate states them once.

use etlgen_model::Paginator;

use super::{Parameter, ParameterPlace, Resource};

/// The fewest lists that share a paginator: a function for fewer saves nothing.
const FEW: usize = 3;

/// Returns the paginator of `api::pages()`: the one that most lists have, if at least [`FEW`] have
/// it. Paginators are the same if all their properties are: a list with another page size, total or
/// `more` flag keeps its own. Of two that are equally common, the first in the document is taken.
pub fn pages(resources: &[Resource]) -> Option<Paginator> {
    let mut counts: Vec<(&Paginator, usize)> = Vec::new();
    for Resource { paginator, .. } in resources {
        if !paginator.is_paged() {
            continue;
        }
        match counts.iter_mut().find(|(known, _)| *known == paginator) {
            Some((_, count)) => *count += 1,
            None => counts.push((paginator, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max()?;
    let (paginator, _) = counts.into_iter().find(|(_, count)| *count == most)?;
    (most >= FEW).then(|| paginator.clone())
}

/// Returns the headers of the source: those that every resource sends with the same value. If one
/// resource does not send a header, or sends another value, each resource keeps its own, so that no
/// request has a header that the document does not name for it.
pub fn headers(resources: &[Resource]) -> Vec<Parameter> {
    let [first, others @ ..] = resources else {
        return Vec::new();
    };
    let everywhere = |header: &&Parameter| {
        let mut others = others.iter();
        !others.as_slice().is_empty() && others.all(|other| other.parameters.contains(header))
    };
    let headers = first.parameters.iter();
    headers
        .filter(|parameter| parameter.place == ParameterPlace::Header)
        .filter(everywhere)
        .cloned()
        .collect()
}

impl Resource {
    /// Returns the parameters that the resource itself states, if the source states `headers`.
    pub fn own_parameters<'a>(
        &'a self,
        headers: &'a [Parameter],
    ) -> impl Iterator<Item = &'a Parameter> {
        let parameters = self.parameters.iter();
        parameters.filter(|parameter| !headers.contains(parameter))
    }
}
