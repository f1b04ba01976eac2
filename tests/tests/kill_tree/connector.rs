//! A connector by hand, four levels deep, for the tests that kill it.

use etlgen_runtime::prelude::*;

#[derive(Clone, Settings)]
#[settings(prefix = "TREE")]
struct Config {
    /// Where the API answers.
    #[settings(default = "http://localhost")]
    base_url: String,
    /// What becomes of records that are gone: keep, soft or hard.
    #[settings(default = "keep")]
    deletes: String,
}

#[derive(Record)]
struct Item {
    id: Option<i64>,
    revision: Option<i64>,
    updated: Option<UnixMillis>,
    tags: Option<Vec<i64>>,
}

fn list(name: &str, path: &str) -> Resource<Item> {
    Resource::list(name, path)
        .records("data")
        .primary_key([Item::ID])
        .paginate(Paginator::last_id("after").more("more"))
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
    // What is gone does not show among what has changed.
    if deletes == Deletes::Keep {
        orders = orders.incremental(changes());
    }
    Source::new("tree", &config.base_url)
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
