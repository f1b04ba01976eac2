//! Streams typed records: `cargo run --example stream`.

use etlgen_runtime::prelude::*;
use forge_connector::{Config, resources, source};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let config = Config::load()?;
    let mut repos = source(&config).stream(resources::repos(&config));
    while let Some(record) = repos.next().await {
        println!("{:?}", record?.id);
    }
    Ok(())
}
