//! Streams typed records: `cargo run --example stream`.

use billing_connector::{Config, resources, source};
use etlgen_runtime::prelude::*;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let config = Config::load()?;
    let mut customers = source(&config).stream(resources::customers());
    while let Some(record) = customers.next().await {
        println!("{:?}", record?.id);
    }
    Ok(())
}
