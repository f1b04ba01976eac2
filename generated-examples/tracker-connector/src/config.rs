//! What the connector has to be told.

use etlgen_runtime::prelude::*;

/// Each setting is looked up as a flag (`--api-key`), in the environment (`TRACKER_API_KEY`), in `.env`, and in
/// `tracker.toml` (`api_key`), in that order.
#[derive(Clone, Settings)]
#[settings(prefix = "TRACKER")]
pub struct Config {
    /// A key of the workspace.
    pub api_key: Secret,
    /// Where the API answers.
    #[settings(default = "https://api.tracker.example")]
    pub base_url: String,
}
