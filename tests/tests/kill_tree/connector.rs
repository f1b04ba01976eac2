//! A connector by hand, four levels deep, for the tests that kill it.

use etlgen_runtime::prelude::*;

#[derive(Clone, Settings)]
#[settings(prefix = "TREE")]
struct Config {
    /// Where the API answers.
    #[settings(default = "http://localhost")]
    base_url: String,
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
    Source::new("tree", &config.base_url)
        .resource(list("regions", "/regions"))
        .resource(
            list("shops", "/regions/{region}/shops")
                .child_of("regions", |region: &Item, request| {
                    request.path("region", region.id)
                }),
        )
        .resource(
            list("orders", "/shops/{shop}/orders")
                .child_of("shops", |shop: &Item, request| {
                    request.path("shop", shop.id)
                })
                .incremental(Cursor::updated(Item::UPDATED).param("since")),
        )
        .resource(
            list("notes", "/orders/{order}/notes").child_of("orders", |order: &Item, request| {
                request.path("order", order.id)
            }),
        )
        .resource(
            list("log", "/regions")
                .query("log", "1")
                .incremental(Cursor::updated(Item::UPDATED).param("since")),
        )
}

fn main() -> std::process::ExitCode {
    etlgen_runtime::cli::main("tree", "0.0.0", source)
}
