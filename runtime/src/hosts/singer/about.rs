//! What a tap says about itself.

use serde_json::{Map, Value, json};

use crate::hosts::Crate;
use crate::settings::Settings;

/// What the tap is capable of, in the words of Singer.
const CAPABILITIES: [&str; 6] = [
    "catalog",
    "state",
    "discover",
    "about",
    "test",
    "activate-version",
];

/// Describes the tap as `text`, `json` or `markdown`.
pub(super) fn about<C: Settings>(of: &Crate<'_, C>, name: &str, format: &str) -> String {
    let about = json(of, name);
    if format == "json" {
        return serde_json::to_string_pretty(&about).unwrap_or_default();
    }
    let mark = if format == "markdown" { "# " } else { "" };
    let mut text = format!("{mark}{name} {}\n\nCapabilities:\n", of.version);
    for capability in CAPABILITIES {
        text.push_str(&format!("- {capability}\n"));
    }
    text.push_str("\nSettings:\n");
    for setting in C::SETTINGS {
        let required = match setting.optional || setting.default.is_some() {
            true => "",
            false => " (required)",
        };
        text.push_str(&format!("- {}{required}: {}\n", setting.name, setting.help));
    }
    text.trim_end().to_owned()
}

fn json<C: Settings>(of: &Crate<'_, C>, name: &str) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for (name, is_required, mut schema) in Crate::<C>::setting_schemas("secret") {
        if !is_required {
            schema.insert("type".to_owned(), json!(["string", "null"]));
        } else {
            required.push(name);
        }
        properties.insert(name.to_owned(), Value::Object(schema));
    }
    json!({
        "name": name,
        "description": format!("A tap of {}", name.trim_start_matches("tap-")),
        "version": of.version,
        "sdk_version": null,
        "supported_python_versions": [],
        "capabilities": CAPABILITIES,
        "env_var_prefix": format!("{}_", C::PREFIX),
        "settings": {"type": "object", "properties": properties, "required": required},
    })
}
