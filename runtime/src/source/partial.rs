//! The declarations of a resource's embedded lists, for the search for unfinished ones.

use super::ResourceSpec;
use crate::page::says_within;
use crate::record::{OpenList, OwnSigns, Partial, RecordSchema, parse_path};

/// Returns the search for lists that continue after the records of this resource.
pub(super) fn of(schema: &'static RecordSchema, spec: &ResourceSpec) -> Partial {
    let lists = spec.embedded.iter().map(|list| {
        let [more, total, next] = spec.paginator_of(list).probes();
        OpenList {
            keys: list.keys.clone(),
            more: more.map(parse_path),
            next: next.map(parse_path),
            has_total: total.is_some(),
        }
    });
    let [more, _, next] = spec.paginator.probes();
    let last = |path: Option<&str>| parse_path(path?).pop();
    let own = OwnSigns {
        more: last(more),
        next: last(next),
        list: spec.records.last().cloned(),
    };
    Partial::new(schema, &lists.collect::<Vec<_>>(), own, says_within)
}
