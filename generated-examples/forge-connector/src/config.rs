//! What the connector has to be told.

use etlgen_runtime::prelude::*;

/// Each setting is looked up as a flag (`--token`), in the environment (`FORGE_TOKEN`), in `.env`, and in
/// `forge.toml` (`token`), in that order.
#[derive(Clone, Settings)]
#[settings(prefix = "FORGE")]
pub struct Config {
    /// A personal access token.
    pub token: Secret,
    /// Where the API answers.
    #[settings(default = "https://api.forge.example")]
    pub base_url: String,
    /// The organisation whose repositories are read.
    pub org: String,
}
