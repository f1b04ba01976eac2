//! A hand-written connector, four levels deep, for the tests that kill it.

use etlgen_runtime::prelude::*;

#[derive(Clone, Settings)]
#[settings(prefix = "TREE")]
struct Config {
    /// The base URL of the API.
    #[settings(default = "http://localhost")]
    base_url: String,
    /// What happens to deleted records: keep, soft or hard.
    #[settings(default = "keep")]
    deletes: String,
    /// Sent as a query parameter.
    api_key: Option<Secret>,
}

#[derive(Record)]
struct Item {
    id: Option<i64>,
    revision: Option<i64>,
    updated: Option<UnixMillis>,
    tags: Option<Vec<i64>>,
}

#[derive(Record)]
struct Person {
    id: Option<i64>,
    revision: Option<i64>,
    created: Option<UnixMillis>,
    tags: Option<Vec<i64>>,
}

#[derive(Record)]
struct Event {
    id: Option<i64>,
    created: Option<UnixMillis>,
    kind: Option<String>,
    object: Option<Json>,
}

fn list(name: &str, path: &str) -> Resource<Item> {
    flat(name, path).primary_key([Item::ID])
}

fn flat<T: Record>(name: &str, path: &str) -> Resource<T> {
    T::list(name, path)
        .records("data")
        .paginate(Paginator::last_id("after").field("id").more("more"))
}

/// Returns people, whose list has only new ones, and the feed that reports all other changes.
fn people(deletes: Deletes) -> (Resource<Person>, Resource<Event>) {
    let people = flat("people", "/people")
        .primary_key([Person::ID])
        .deletes(deletes)
        .incremental(
            Cursor::created(Person::CREATED)
                .param("since")
                .new_rows_only(),
        );
    let events = flat("events", "/events")
        .primary_key([Event::ID])
        .incremental(
            Cursor::created(Event::CREATED)
                .param("since")
                .new_rows_only(),
        )
        .changes("people", |event: &Event| {
            let object = event.object.as_ref()?;
            match event.kind.as_deref()? {
                "deleted" => Change::delete(object.text("id")),
                _ => Some(Change::put(object)),
            }
        });
    (people, events)
}

fn source(config: &Config) -> Source {
    let deletes = match config.deletes.as_str() {
        "soft" => Deletes::Soft,
        "hard" => Deletes::Hard,
        _ => Deletes::Keep,
    };
    let shops = list("shops", "/regions/{region}/shops")
        .child_of("regions", |region: &Item, request| {
            request.path("region", region.id)
        });
    let mut orders = list("orders", "/shops/{shop}/orders")
        .child_of("shops", |shop: &Item, request| {
            request.path("shop", shop.id)
        });
    let notes = list("notes", "/orders/{order}/notes")
        .child_of("orders", |order: &Item, request| {
            request.path("order", order.id)
        });
    let changes = || Cursor::updated(Item::UPDATED).param("since");
    // An incremental pass does not see deletions.
    if deletes == Deletes::Keep {
        orders = orders.incremental(changes());
    }
    let (people, events) = people(deletes);
    let auth = match &config.api_key {
        Some(key) => Auth::query("key", key),
        None => Auth::none(),
    };
    Source::new("tree", &config.base_url)
        .auth(auth)
        .resource(people)
        .resource(events)
        .resource(list("regions", "/regions").deletes(deletes))
        .resource(shops.deletes(deletes))
        .resource(orders.deletes(deletes))
        .resource(notes.deletes(deletes))
        .resource(
            list("log", "/regions")
                .query("log", "1")
                .incremental(changes()),
        )
}

fn main() -> std::process::ExitCode {
    etlgen_runtime::cli::main("tree", "0.0.0", source)
}
