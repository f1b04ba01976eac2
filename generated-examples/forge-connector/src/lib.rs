//! Connector for the Forge API.
//!
//! [`source`] declares what all resources share. Each file in `resources` declares one resource; change it as you like.

pub mod api;
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
