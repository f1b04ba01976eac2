//! The connector's settings and credentials.

use etlgen_runtime::prelude::*;

/// Each setting is read from a flag (`--api-key`), the environment (`TRACKER_API_KEY`), `.env`, or
/// `tracker.toml` (`api_key`); the first one found is used.
#[derive(Clone, Settings)]
#[settings(prefix = "TRACKER")]
pub struct Config {
    /// A key of the workspace.
    pub api_key: Secret,
    /// The URL of the API.
    #[settings(default = "https://api.tracker.example")]
    pub base_url: String,
}
