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

/// A record of `items` that holds only the first page of its tags.
#[derive(Record)]
pub struct Holder {
    id: Option<String>,
    v: Option<i64>,
    updated: Option<UnixTime>,
    tags: Option<Tags>,
}

/// A record of `items` whose changes a feed reports.
#[derive(Record)]
pub struct Fed {
    id: Option<String>,
    v: Option<i64>,
    created: Option<UnixTime>,
    updated: Option<UnixTime>,
    tags: Option<Vec<i64>>,
}

/// A record of `events`: the new state of an item, or the last one of a deleted item.
#[derive(Record)]
pub struct Event {
    id: Option<String>,
    v: Option<i64>,
    kind: Option<String>,
    object: Option<Json>,
    updated: Option<UnixTime>,
    tags: Option<Vec<i64>>,
}

/// The first page of the tags of a record.
#[derive(Record)]
pub struct Tags {
    data: Option<Vec<i64>>,
    has_more: Option<bool>,
    next: Option<String>,
    url: Option<String>,
}

/// A record of `parts`.
#[derive(Record)]
pub struct Part {
    id: Option<String>,
    v: Option<i64>,
    updated: Option<UnixTime>,
    tags: Option<Vec<i64>>,
}

/// Builds the resource `items` with records of that type.
macro_rules! items {
    ($Item:ident, $spec:expr) => {{
        let spec: &ListSpec = $spec;
        let mut items = $Item::list("items", "/items").paginate(paginator(spec));
        if !spec.bare {
            items = items.records("data");
        }
        if spec.keyed {
            items = items.primary_key([$Item::ID]).deletes(spec.deletes);
        }
        if spec.post {
            items = items.post();
        }
        if spec.append {
            items = items.write(Disposition::Append);
        }
        if spec.since {
            let mut cursor = Cursor::updated($Item::UPDATED);
            if !spec.no_filter {
                cursor = cursor.param("since");
            }
            cursor = match (spec.by_cursor, spec.newest_first) {
                (false, _) => cursor,
                (true, false) => cursor.oldest_first(),
                (true, true) => cursor.newest_first(),
            };
            if spec.windows {
                cursor = cursor.until("until").windows("2023-10-20", days(9));
            }
            items = items.incremental(cursor);
        }
        items
    }};
}

/// Builds the resource `items` whose changes a feed reports.
fn fed(spec: &ListSpec) -> Resource<Fed> {
    let mut items = Fed::list("items", "/items")
        .paginate(paginator(spec))
        .primary_key([Fed::ID])
        .deletes(spec.deletes)
        .incremental(Cursor::created(Fed::CREATED).param("since").new_rows_only());
    if !spec.bare {
        items = items.records("data");
    }
    if spec.post {
        items = items.post();
    }
    items
}

/// Builds the resource `events`, which reports the changes of items.
fn events(spec: &ListSpec) -> Resource<Event> {
    let mut events = Event::list("events", "/events")
        .paginate(paginator(spec))
        .primary_key([Event::ID])
        .write(Disposition::Append)
        .incremental(
            Cursor::created(Event::UPDATED)
                .param("since")
                .new_rows_only(),
        )
        .changes("items", |event: &Event| {
            let object = event.object.as_ref()?;
            match event.kind.as_deref()? {
                "put" => Some(Change::put(object)),
                _ => Change::delete(object.text("id")),
            }
        });
    if !spec.bare {
        events = events.records("data");
    }
    if spec.post {
        events = events.post();
    }
    events
}

/// Builds the resource `parts` below records of that type.
macro_rules! parts {
    ($Item:ident, $scenario:expr, $spec:expr) => {{
        let (scenario, spec): (&Scenario, &ListSpec) = ($scenario, $spec);
        let mut parts = Part::list("parts", "/items/{item}/parts")
            .paginate(paginator(spec))
            .child_of("items", |item: &$Item, request| {
                request.path("item", &item.id)
            });
        if !spec.bare {
            parts = parts.records("data");
        }
        if spec.keyed {
            parts = parts.primary_key([Part::ID]).deletes(spec.deletes);
        }
        if spec.post {
            parts = parts.post();
        }
        if spec.append {
            parts = parts.write(Disposition::Append);
        }
        if spec.within_parent && scenario.lie != Some(Lie::KeyAcrossParents) {
            parts = parts.within_parent();
        }
        parts
    }};
}

/// Returns the source of a scenario, in that world.
pub fn source(scenario: &Scenario, world: World) -> Source {
    let source = Source::new("simulated", "https://api.example")
        .world(world)
        .concurrency(scenario.concurrency);
    if let Some(spec) = &scenario.feed {
        let source = source.resource(fed(&scenario.items));
        return source.resource(events(spec));
    }
    if !scenario.items.embedded {
        let source = source.resource(items!(Item, &scenario.items));
        return match &scenario.parts {
            Some(spec) => source.resource(parts!(Item, scenario, spec)),
            None => source,
        };
    }
    let tags = Embedded::list("tags").records("data").url("url");
    let tags = tags.paginate(Paginator::token("token", "next").more("has_more"));
    let source = source.resource(items!(Holder, &scenario.items).embedded(tags));
    match &scenario.parts {
        Some(spec) => source.resource(parts!(Holder, scenario, spec)),
        None => source,
    }
}

/// Builds a paginator of several pages with the settings that every kind may have: each kind has
/// its own builder.
macro_rules! paged {
    ($spec:expr, $pages:expr) => {{
        let mut pages = $pages;
        if let Some(asks) = $spec.asks {
            pages = pages.page_size("limit", asks as u64);
        }
        if $spec.post {
            pages = pages.in_body();
        }
        if $spec.more {
            pages = pages.more($spec.more_name());
        }
        let at = match $spec.total_in_header {
            true => format!("header:{}", $spec.total_name()),
            false => $spec.total_name().to_owned(),
        };
        match $spec.total {
            Total::Items if $spec.total_declared => pages.total_items(at.as_str()).into(),
            Total::Pages if $spec.total_declared => pages.total_pages(at.as_str()).into(),
            _ => pages.into(),
        }
    }};
}

fn paginator(spec: &ListSpec) -> Paginator {
    match spec.paging {
        Paging::Single => Paginator::single(),
        Paging::Offset => paged!(spec, Paginator::offset("offset")),
        Paging::Number => {
            let pages = Paginator::page_number("page").starting_at(spec.first_page as u64);
            paged!(spec, pages)
        }
        Paging::Token => paged!(spec, Paginator::token("token", spec.next_name())),
        Paging::HeaderToken => paged!(spec, Paginator::token("token", "header:x-next")),
        Paging::LastId => paged!(spec, Paginator::last_id("after").field("id")),
        Paging::NextUrl => paged!(spec, Paginator::next_url(spec.next_name())),
        Paging::Link => paged!(spec, Paginator::link_header()),
    }
}
