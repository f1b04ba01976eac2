//! Connector for the Billing API.
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
    Source::new("billing", &config.base_url)
        .auth(Auth::bearer(&config.api_key))
        .resource(resources::customers())
        .resource(resources::events())
        .resource(resources::invoices())
}
