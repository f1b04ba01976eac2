//! A hand-written connector for `tests/hosts.rs`, which other programs run.

use etlgen_runtime::prelude::*;

#[derive(Settings)]
#[settings(prefix = "SHOP")]
struct Config {
    /// The base URL of the API.
    base_url: String,
    /// The key of the API.
    api_key: Secret,
}

#[derive(Record)]
struct Customer {
    id: Option<i64>,
    updated: Option<Timestamp>,
    name: Option<String>,
    balance: Option<Decimal>,
    address: Option<Address>,
    tags: Option<Vec<String>>,
}

#[derive(Record)]
struct Address {
    city: Option<String>,
    lines: Option<Vec<Line>>,
}

#[derive(Record)]
struct Line {
    text: Option<String>,
    grid: Option<Vec<Vec<i64>>>,
}

#[derive(Record)]
struct Order {
    number: Option<String>,
    paid: Option<bool>,
}

/// It has no key: each run replaces all of them.
#[derive(Record)]
struct Rate {
    day: Option<Date>,
    rate: Option<f64>,
}

fn source(config: &Config) -> Source {
    let pages = || Paginator::page_number("page").more("has_more");
    let customers = Customer::list("customers", "/customers")
        .records("data")
        .primary_key(Customer::ID)
        .paginate(pages())
        .incremental(
            Cursor::updated(Customer::UPDATED)
                .param("since")
                .oldest_first(),
        );
    let orders = Order::list("orders", "/customers/{customer}/orders")
        .records("data")
        .primary_key(Order::NUMBER)
        .paginate(pages())
        .child_of("customers", |customer: &Customer, request| {
            request.path("customer", customer.id)
        });
    let rates = Rate::list("rates", "/rates")
        .records("data")
        .paginate(pages());
    Source::new("shop", &config.base_url)
        .auth(Auth::bearer(config.api_key.expose()))
        .resource(customers)
        .resource(orders)
        .resource(rates)
}

fn main() -> std::process::ExitCode {
    etlgen_runtime::cli::main("shop-connector", "1.2.3", source)
}
