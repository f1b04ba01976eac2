//! A connector by hand for the forty lists of the long test.

use etlgen_runtime::prelude::*;
use etlgen_tests::soak::{CHILDREN, ROOTS};

#[derive(Clone, Settings)]
#[settings(prefix = "SOAK")]
struct Config {
    /// Where the API answers.
    #[settings(default = "http://localhost")]
    base_url: String,
}

#[derive(Record)]
struct Item {
    id: Option<i64>,
    name: Option<String>,
    amount: Option<i64>,
    note: Option<String>,
    updated: Option<Timestamp>,
    tags: Option<Vec<String>>,
}

fn list(number: u64, path: &str) -> Resource<Item> {
    let paginator: Paginator = match number % 5 {
        0 => Paginator::last_id("after").more("more").into(),
        1 => Paginator::offset("offset").total_items("total").into(),
        2 => Paginator::page_number("page").total_items("total").into(),
        3 => Paginator::token("cursor", "next").into(),
        _ => Paginator::next_url("next").more("more").into(),
    };
    Item::list(&format!("list_{number}"), path)
        .records("data")
        .primary_key([Item::ID])
        .paginate(paginator)
}

fn source(config: &Config) -> Source {
    let mut source = Source::new("soak", &config.base_url);
    for number in 0..ROOTS {
        source = source.resource(list(number, &format!("/list/{number}")));
    }
    for parent in 0..CHILDREN {
        let path = format!("/parent/{parent}/{{row}}");
        let child = list(ROOTS + parent, &path);
        source = source.resource(
            child.child_of(&format!("list_{parent}"), |item: &Item, request| {
                request.path("row", item.id)
            }),
        );
    }
    source
}

fn main() -> std::process::ExitCode {
    etlgen_runtime::cli::main("soak", "0.0.0", source)
}
