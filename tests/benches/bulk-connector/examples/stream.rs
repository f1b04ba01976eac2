//! Streams typed records: `cargo run --example stream`.

use bulk_connector::{Config, resources, source};
use etlgen_runtime::prelude::*;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let config = Config::load()?;
    let mut invoices = source(&config).stream(resources::invoices());
    while let Some(record) = invoices.next().await {
        println!("{:?}", record?.id);
    }
    Ok(())
}
