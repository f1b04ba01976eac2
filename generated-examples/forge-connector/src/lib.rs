//! Connector for the Forge API.
//!
//! [`source`] says what the API offers; each file in `resources` is one collection, to be read and changed by hand.

pub mod config;
pub mod resources;
pub mod types;

pub use config::Config;

use etlgen_runtime::prelude::*;

/// Every resource of the API, ready to run.
pub fn source(config: &Config) -> Source {
    Source::new("forge", &config.base_url)
        .auth(Auth::bearer(&config.token))
        .resource(resources::repos(config))
        .resource(resources::issues())
        .resource(resources::commits())
}
