//! What the connector has to be told.

use etlgen_runtime::prelude::*;

/// Each setting is looked up as a flag (`--api-key`), in the environment (`BILLING_API_KEY`), in `.env`, and in
/// `billing.toml` (`api_key`), in that order.
#[derive(Clone, Settings)]
#[settings(prefix = "BILLING")]
pub struct Config {
    /// The secret key of the account.
    pub api_key: Secret,
    /// Where the API answers.
    #[settings(default = "https://api.billing.example")]
    pub base_url: String,
}
