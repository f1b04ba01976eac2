//! Asks about a list without paging whose siblings are paged. Siblings are the lists of the API
//! whose records stand at the same place of the response.
//!
//! Such a list may as well be short and whole, so that it is read as it is, and its end is assumed.

use etlgen_model::Paginator;

use super::facts::{Doubt, ResourceFacts, ResourceKind, SURE};
use super::hints::SAID;
use super::paging::line;
use crate::spec::api::Api;

/// The fewest siblings that are a convention.
const FEWEST: usize = 3;

/// Adds the question whether a list is paged like its siblings.
pub(super) fn ask(api: &Api, resources: &mut [ResourceFacts]) {
    let questions: Vec<Option<Doubt>> = resources
        .iter()
        .map(|one| {
            is_bare(one)
                .then(|| question(api, resources, one))
                .flatten()
        })
        .collect();
    for (resource, question) in resources.iter_mut().zip(questions) {
        resource.doubts.extend(question);
    }
}

/// Returns whether nothing in the document is about the paging of a list, and no extension declares
/// that it has none.
fn is_bare(list: &ResourceFacts) -> bool {
    list.kind == ResourceKind::List
        && list.paginator.value == Paginator::Single
        && list.paginator.confidence < SAID
}

fn question(api: &Api, resources: &[ResourceFacts], list: &ResourceFacts) -> Option<Doubt> {
    let siblings: Vec<&ResourceFacts> = resources
        .iter()
        .filter(|other| other.kind == ResourceKind::List)
        .filter(|other| other.records_path.value == list.records_path.value)
        // The pages of a POST may be fields of its body, which a GET does not have.
        .filter(|other| method(api, other) == method(api, list))
        .collect();
    let alike = |paginator: &Paginator| {
        let same = |other: &&&ResourceFacts| plain(&other.paginator.value) == *paginator;
        siblings.iter().filter(same).count()
    };
    let sure = siblings
        .iter()
        .filter(|other| other.paginator.confidence >= SURE && other.paginator.value.is_paged());
    let paginators = sure.map(|other| plain(&other.paginator.value));
    let (count, usual) = paginators
        .map(|paginator| (alike(&paginator), paginator))
        .max_by_key(|(count, _)| *count)
        .filter(|(count, _)| *count >= FEWEST && count * 2 > siblings.len())?;
    Some(Doubt {
        question: format!(
            "does it come in one response? {count} of the {} lists with the same envelope are paged",
            siblings.len()
        ),
        settle: line(&usual)?,
    })
}

fn method<'a>(api: &'a Api, resource: &ResourceFacts) -> Option<&'a str> {
    let operation = api.operations.get(resource.operation)?;
    Some(&operation.method)
}

/// Returns a paginator without what differs from list to list: totals, flags, and the number of
/// rows.
fn plain(paginator: &Paginator) -> Paginator {
    let mut plain = paginator.clone();
    if let Some(common) = plain.common_mut() {
        common.total = None;
        common.more = None;
        if let Some(size) = &mut common.page_size {
            size.rows = etlgen_model::PageSize::USUAL;
        }
    }
    plain
}
