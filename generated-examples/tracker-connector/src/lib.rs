//! Connector for the Tracker API.
//!
//! [`source`] declares what all resources share. Each file in `resources` declares one resource; change it as you like.

pub mod config;
pub mod resources;

pub use config::Config;

use etlgen_runtime::prelude::*;

/// Every resource of the API, ready to run.
pub fn source(config: &Config) -> Source {
    Source::new("tracker", &config.base_url)
        .auth(Auth::header("X-Api-Key", &config.api_key))
        .resource(resources::projects())
        .resource(resources::tasks())
}
