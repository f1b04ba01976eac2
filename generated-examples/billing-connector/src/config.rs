//! The connector's settings and credentials.

use etlgen_runtime::prelude::*;

/// Each setting is read from a flag (`--api-key`), the environment (`BILLING_API_KEY`), `.env`, or
/// `billing.toml` (`api_key`); the first one found is used.
#[derive(Clone, Settings)]
#[settings(prefix = "BILLING")]
pub struct Config {
    /// The secret key of the account.
    pub api_key: Secret,
    /// The URL of the API.
    #[settings(default = "https://api.billing.example")]
    pub base_url: String,
}
