//! Connector for the Bulk API.
//!
//! [`source`] says what the API offers; each file in `resources` is one collection, to be read and changed by hand.

pub mod config;
pub mod resources;

pub use config::Config;

use etlgen_runtime::prelude::*;

/// Every resource of the API, ready to run.
pub fn source(config: &Config) -> Source {
    Source::new("bulk", &config.base_url).resource(resources::invoices())
}
