//! The connector's settings and credentials.

use etlgen_runtime::prelude::*;

/// Each setting is read from a flag (`--base-url`), the environment (`BULK_BASE_URL`), `.env`, or
/// `bulk.toml` (`base_url`); the first one found is used.
#[derive(Clone, Settings)]
#[settings(prefix = "BULK")]
pub struct Config {
    /// The URL of the API.
    #[settings(default = "http://127.0.0.1:8421")]
    pub base_url: String,
}
