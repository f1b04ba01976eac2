//! Streams typed records: `cargo run --example stream`.

use etlgen_runtime::prelude::*;
use tracker_connector::{Config, resources, source};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let config = Config::load()?;
    let mut projects = source(&config).stream(resources::projects());
    while let Some(record) = projects.next().await {
        println!("{:?}", record?.id);
    }
    Ok(())
}
