//! The connector's settings and credentials.

use etlgen_runtime::prelude::*;

/// Each setting is read from a flag (`--token`), the environment (`FORGE_TOKEN`), `.env`, or
/// `forge.toml` (`token`); the first one found is used.
#[derive(Clone, Settings)]
#[settings(prefix = "FORGE")]
pub struct Config {
    /// A personal access token.
    pub token: Secret,
    /// The URL of the API.
    #[settings(default = "https://api.forge.example")]
    pub base_url: String,
    /// The organisation whose repositories are read.
    pub org: String,
}
