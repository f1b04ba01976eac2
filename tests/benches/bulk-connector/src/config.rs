//! What the connector has to be told.

use etlgen_runtime::prelude::*;

/// Each setting is looked up as a flag (`--base-url`), in the environment (`BULK_BASE_URL`), in `.env`, and in
/// `bulk.toml` (`base_url`), in that order.
#[derive(Clone, Settings)]
#[settings(prefix = "BULK")]
pub struct Config {
    /// Where the API answers.
    #[settings(default = "http://127.0.0.1:8421")]
    pub base_url: String,
}
