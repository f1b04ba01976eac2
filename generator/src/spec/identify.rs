//! Identifies a document; names the format of one that is not OpenAPI.

use serde_json::Value;

use super::report::Report;

/// The family of a document; 3.1 and later need no separate family, because schemas of all dialects are read the same
/// way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Swagger2,
    OpenApi3,
}

const HINT: &str = "etlgen reads OpenAPI 3.x and Swagger 2.0, as YAML or JSON";
const NOT_OPENAPI: &str = "this is not an OpenAPI document";

/// Names the format of a text that can be identified without parsing.
pub(super) fn by_text(text: &str) -> Option<&'static str> {
    let start = text.trim_start();
    let lower: String = start.chars().take(2000).collect::<String>().to_lowercase();
    if start.is_empty() {
        Some("it is empty")
    } else if start.starts_with(['\0', '\u{FFFD}']) || is_binary(start) {
        Some("it is a binary file")
    } else if lower.starts_with("#%raml") {
        Some("it is RAML")
    } else if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        Some("it is a web page (a login page?)")
    } else if lower.starts_with('<') {
        Some(if lower.contains("wsdl") {
            "it is WSDL (SOAP)"
        } else if lower.contains("edmx") {
            "it is OData metadata"
        } else {
            "it is XML"
        })
    } else if lower.starts_with("format: 1a") {
        Some("it is API Blueprint")
    } else if lower.starts_with("syntax = \"proto") {
        Some("it is a Protocol Buffers file")
    } else if lower.starts_with("type query") || lower.starts_with("schema {") {
        Some("it is a GraphQL schema")
    } else if lower.starts_with("version https://git-lfs") {
        Some("it is a Git LFS pointer, not the file itself")
    } else {
        None
    }
}

/// Returns whether many characters at the start of a text were not valid.
fn is_binary(text: &str) -> bool {
    let start = text.chars().take(2000);
    let broken = start.filter(|c| *c == '\u{FFFD}').count();
    broken * 10 > text.chars().take(2000).count()
}

/// Returns the dialect, or reports what the document is instead.
pub(super) fn identify(value: &Value, report: &mut Report) -> Option<Dialect> {
    let version = |key: &str| match value.get(key) {
        Some(Value::String(text)) => Some(text.trim().to_owned()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let has_paths = value.get("paths").is_some_and(Value::is_object);
    if let Some(version) = version("openapi") {
        if !version.starts_with('3') {
            let detail = format!("OpenAPI {version}");
            report.fail("/openapi", "this version is not known", &detail, HINT);
            return None;
        }
        return Some(Dialect::OpenApi3);
    }
    if let Some(version) = version("swagger") {
        if version.starts_with('3') {
            return Some(Dialect::OpenApi3);
        }
        if !version.starts_with('2') {
            let detail = format!("Swagger {version}");
            report.fail("/swagger", "this version is not known", &detail, HINT);
            return None;
        }
        return Some(Dialect::Swagger2);
    }
    if let Some((pointer, other)) = other_kind(value) {
        report.fail(pointer, NOT_OPENAPI, &other, HINT);
        return None;
    }
    if has_paths {
        let old = value.get("definitions").is_some() || value.get("securityDefinitions").is_some();
        return Some(if old {
            Dialect::Swagger2
        } else {
            Dialect::OpenApi3
        });
    }
    let detail = match value {
        Value::Object(_) => "it has neither `openapi` nor `swagger` nor `paths`",
        Value::Array(_) => "it is a list",
        Value::Null => "it is empty",
        _ => "it is plain text",
    };
    report.fail("", NOT_OPENAPI, detail, HINT);
    None
}

/// Names a similar format, with the key that identifies it.
fn other_kind(value: &Value) -> Option<(&'static str, String)> {
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let named = |name: &str, version: Option<&str>| match version {
        Some(version) => format!("it is {name} {version}"),
        None => format!("it is {name}"),
    };
    if value.get("asyncapi").is_some() {
        return Some(("/asyncapi", named("AsyncAPI", text("/asyncapi"))));
    }
    if value.get("swaggerVersion").is_some() {
        return Some(("/swaggerVersion", named("Swagger", text("/swaggerVersion"))));
    }
    if value.get("arazo").is_some() {
        return Some(("/arazo", named("an Arazo workflow", text("/arazo"))));
    }
    if value.get("overlay").is_some() && value.get("actions").is_some() {
        return Some(("/overlay", named("an OpenAPI Overlay", text("/overlay"))));
    }
    if text("/kind").is_some_and(|kind| kind.starts_with("discovery#")) {
        return Some(("/kind", "it is a Google API Discovery document".to_owned()));
    }
    if value.pointer("/info/_postman_id").is_some()
        || text("/info/schema").is_some_and(|schema| schema.contains("postman"))
    {
        return Some(("/info", "it is a Postman collection".to_owned()));
    }
    if value.pointer("/log/entries").is_some() {
        return Some(("/log", "it is an HTTP archive (HAR)".to_owned()));
    }
    if value.pointer("/data/__schema").is_some() || value.get("__schema").is_some() {
        return Some(("", "it is a GraphQL introspection result".to_owned()));
    }
    if value.get("smithy").is_some() {
        return Some(("/smithy", named("a Smithy model", text("/smithy"))));
    }
    let has = |key: &str| value.get(key).is_some();
    if has("baseUri") || (has("title") && value_has_resource(value)) {
        return Some(("", "it looks like RAML".to_owned()));
    }
    if has("$schema") && !has("paths") {
        return Some(("/$schema", "it is a JSON Schema".to_owned()));
    }
    None
}

/// Returns whether a value has keys that start with a slash: RAML has its resources at the root.
fn value_has_resource(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|map| map.keys().any(|key| key.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal(value: Value) -> String {
        let mut report = Report::default();
        assert_eq!(identify(&value, &mut report), None);
        report.finish(|_, _| Default::default())[0]
            .message()
            .to_owned()
    }

    #[test]
    fn versions() {
        let dialect = |value| identify(&value, &mut Report::default());
        assert_eq!(
            dialect(json!({"openapi": "3.2.0"})),
            Some(Dialect::OpenApi3)
        );
        assert_eq!(dialect(json!({"openapi": 3.0})), Some(Dialect::OpenApi3));
        assert_eq!(dialect(json!({"swagger": 2.0})), Some(Dialect::Swagger2));
        assert_eq!(dialect(json!({"paths": {}})), Some(Dialect::OpenApi3));
        let old = json!({"paths": {}, "definitions": {}});
        assert_eq!(dialect(old), Some(Dialect::Swagger2));
    }

    #[test]
    fn other_formats_are_named() {
        assert!(refusal(json!({"asyncapi": "1.2.0"})).contains("AsyncAPI 1.2.0"));
        assert!(refusal(json!({"title": "x", "/users": {}})).contains("RAML"));
        assert!(refusal(json!({"info": {"_postman_id": "1"}})).contains("Postman"));
        assert!(refusal(json!({"openapi": "4.0"})).contains("OpenAPI 4.0"));
        assert!(refusal(json!("hello")).contains("plain text"));
        assert!(refusal(json!({"hello": 1})).contains("neither"));
    }

    #[test]
    fn texts_are_named() {
        assert_eq!(by_text("#%RAML 0.8\n---\n"), Some("it is RAML"));
        assert!(by_text("<!DOCTYPE html><p>").is_some_and(|it| it.contains("web page")));
        assert_eq!(by_text("openapi: 3.0.0"), None);
    }
}
