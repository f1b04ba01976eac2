//! Settings: flags, environment, .env, TOML.
