//! The connector as etlgen would write it for the API of a scenario.

use etlgen_runtime::prelude::*;
use etlgen_runtime::world::World;

use crate::lies::Lie;
use crate::scenario::{ListSpec, Paging, Scenario, Total};

/// A record of `items`.
#[derive(Record)]
pub struct Item {
    id: Option<String>,
    v: Option<i64>,
    updated: Option<UnixTime>,
    tags: Option<Vec<i64>>,
}

/// A record of `parts`.
#[derive(Record)]
pub struct Part {
    id: Option<String>,
    v: Option<i64>,
    updated: Option<UnixTime>,
    tags: Option<Vec<i64>>,
}

/// The source of a scenario, in that world.
pub fn source(scenario: &Scenario, world: World) -> Source {
    let spec = &scenario.items;
    let mut items = Item::list("items", "/items").paginate(paginator(spec));
    if !spec.bare {
        items = items.records("data");
    }
    if spec.keyed {
        items = items.primary_key([Item::ID]).deletes(spec.deletes);
    }
    if spec.since {
        let mut cursor = Cursor::updated(Item::UPDATED).param("since");
        if spec.windows {
            cursor = cursor.until("until").windows("2023-10-20", days(9));
        }
        items = items.incremental(cursor);
    }
    let mut source = Source::new("simulated", "https://api.example")
        .world(world)
        .concurrency(scenario.concurrency)
        .resource(items);
    if let Some(spec) = &scenario.parts {
        let mut parts = Part::list("parts", "/items/{item}/parts")
            .paginate(paginator(spec))
            .child_of("items", |item: &Item, request| {
                request.path("item", &item.id)
            });
        if !spec.bare {
            parts = parts.records("data");
        }
        if spec.keyed {
            parts = parts.primary_key([Part::ID]).deletes(spec.deletes);
        }
        if spec.within_parent && scenario.lie != Some(Lie::KeyAcrossParents) {
            parts = parts.within_parent();
        }
        source = source.resource(parts);
    }
    source
}

fn paginator(spec: &ListSpec) -> Paginator {
    let mut paginator = match spec.paging {
        Paging::Single => return Paginator::single(),
        Paging::Offset => Paginator::offset("offset"),
        Paging::Number => Paginator::page_number("page"),
        Paging::Token => Paginator::cursor("token").next(spec.next_name()),
        Paging::HeaderToken => Paginator::header_cursor("token", "x-next"),
        Paging::LastId => Paginator::last_id("after").field("id"),
        Paging::NextUrl => Paginator::next_url(spec.next_name()),
        Paging::Link => Paginator::link_header(),
    };
    if let Some(asks) = spec.asks {
        paginator = paginator.page_size("limit", asks as u64);
    }
    if spec.more {
        paginator = paginator.more(spec.more_name());
    }
    if !spec.total_declared {
        return paginator;
    }
    let total = match spec.total_in_header {
        true => format!("header:{}", spec.total_name()),
        false => spec.total_name().to_owned(),
    };
    match spec.total {
        Total::None => paginator,
        Total::Items => paginator.total_items(&total),
        Total::Pages => paginator.total_pages(&total),
    }
}
