//! The connector's settings and credentials.

use etlgen_runtime::prelude::*;

/// Each setting is read from a flag (`--api-key`), the environment (`BILLING_API_KEY`), `.env`, or
/// `billing.toml` (`api_key`); the first one found counts.
#[derive(Clone, Settings)]
#[settings(prefix = "BILLING")]
pub struct Config {
    /// The secret key of the account.
    pub api_key: Secret,
    /// Where the API answers.
    #[settings(default = "https://api.billing.example")]
    pub base_url: String,
}
