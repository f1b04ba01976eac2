//! The flags of settings, distinct from the flags of a connector's commands.

/// The long flags of all commands, including some future ones. A setting with such a name has a flag with a prefix.
pub const RESERVED: [&str; 25] = [
    "allow-http",
    "checkpoint-rows",
    "contract",
    "destination",
    "format",
    "full-refresh",
    "help",
    "layout",
    "limit",
    "log-format",
    "max-time",
    "plan",
    "record",
    "replay",
    "report",
    "requests-per-second",
    "require",
    "resources",
    "select",
    "since",
    "to",
    "until",
    "version",
    "window",
    "with-later",
];

/// Returns the long flag of a setting, without leading dashes: `api_key` has `api-key`. If a
/// command has a flag of that name, the setting's flag starts with `api-`: `since` has `api-since`
/// (and a setting `api_since` then has `api-api-since`).
///
/// ```
/// assert_eq!(etlgen_model::flag("api_key"), "api-key");
/// assert_eq!(etlgen_model::flag("since"), "api-since");
/// ```
pub fn flag(setting: &str) -> String {
    let flag = setting.replace('_', "-");
    let mut rest = flag.as_str();
    while let Some(shorter) = rest.strip_prefix("api-") {
        rest = shorter;
    }
    match RESERVED.contains(&rest) {
        true => format!("api-{flag}"),
        false => flag,
    }
}
