//! The JSON form of `etlgen inspect`; its keys are stable.

use serde_json::{Value, json};

use crate::draft::{Decided, Draft};
use crate::infer::facts::{AuthFacts, Decision, ResourceKind};
use crate::spec::api::{Location, Operation};

/// Returns the stable JSON form of the resources to generate.
pub fn json(draft: &Draft) -> Value {
    let Draft { api, facts, .. } = draft;
    let decided = draft.decided();
    let resources = decided.iter();
    let resources = resources.filter_map(|decided| {
        let operation = api.operations.get(decided.facts.operation)?;
        Some(resource(operation, decided))
    });
    let resources: Vec<Value> = resources.collect();
    let skipped: Vec<Value> = facts
        .skipped
        .iter()
        .map(|skipped| json!({"method": skipped.method, "path": skipped.path, "reason": skipped.reason, "missed": skipped.is_missed}))
        .collect();
    let (kind, name) = auth(&facts.auth.value);
    let rates = facts.rates.iter();
    let rates = rates.map(
        |rate| json!({"requests": rate.requests, "seconds": rate.seconds, "reason": rate.said}),
    );
    let rates: Vec<Value> = rates.collect();
    let off = decided.iter().filter_map(|decided| {
        let reason = decided.planned.off.as_ref()?;
        Some(json!({"name": decided.facts.name, "reason": reason}))
    });
    let off: Vec<Value> = off.collect();
    json!({
        "api": {
            "title": api.title,
            "base_url": facts.base_url,
            "auth": with_evidence(json!({"kind": kind, "name": name, "renewed_by": renewal(&facts.auth.value)}), &facts.auth),
            "rate_limits": rates,
        },
        "resources": resources,
        "off": off,
        "skipped": skipped,
    })
}

fn resource(operation: &Operation, decided: &Decided<'_>) -> Value {
    let resource = &decided.facts;
    let records = resource.records_path.value.join(".");
    let is_list = resource.kind == ResourceKind::List;
    let settings: Vec<Value> = resource
        .settings
        .iter()
        .map(|setting| json!({"param": setting.parameter, "in": place(setting.location), "default": setting.default}))
        .collect();
    let fixed: Vec<Value> = resource
        .fixed
        .iter()
        .map(|fixed| json!({"param": fixed.name, "in": place(fixed.location), "value": fixed.value, "reason": fixed.reason}))
        .collect();
    let doubts: Vec<Value> = resource
        .doubts
        .iter()
        .map(|doubt| json!({"question": doubt.question, "settle": doubt.settle}))
        .collect();
    let mut shown = json!({
        "name": resource.name,
        "kind": if is_list { "list" } else { "single" },
        "method": operation.method,
        "path": operation.path,
        "records_path": if records.is_empty() { "$" } else { &records },
        "primary_key": resource.primary_key.value,
        "key_within_parent": resource.key_within_parent,
        "paginator": is_list.then(|| resource.paging()),
        "incremental": incremental(decided),
        "parent": parent(decided),
        "settings": settings,
        "fixed": fixed,
        "confidence": {
            "records_path": round(resource.records_path.confidence),
            "primary_key": round(resource.primary_key.confidence),
            "paginator": round(resource.paginator.confidence),
            "incremental": round(resource.cursor.confidence),
            "parent": round(resource.parent.confidence),
        },
        "reasons": {
            "records_path": resource.records_path.reasons,
            "primary_key": resource.primary_key.reasons,
            "paginator": resource.paginator.reasons,
            "incremental": resource.cursor.reasons,
            "parent": resource.parent.reasons,
        },
        "doubts": doubts,
    });
    if let Some(reason) = &decided.planned.off {
        shown["off"] = json!(reason);
    }
    shown
}

/// Returns the cursor, and whether runs read by it. A field without a filter is included, too.
fn incremental(decided: &Decided<'_>) -> Option<Value> {
    let cursor = decided.facts.cursor.value.as_ref()?;
    Some(json!({
        "used": decided.is_incremental(),
        "param": cursor.param,
        "until_param": cursor.until,
        "field": Some(&cursor.field).filter(|field| !field.is_empty()),
        "meaning": cursor.meaning.name(),
        "format": cursor.format.name(),
        "template": cursor.template,
    }))
}

/// Returns the parent, and whether its records supply the parameters. If not, the parameters are
/// settings.
fn parent(decided: &Decided<'_>) -> Option<Value> {
    let parent = decided.found.parent.value.as_ref()?;
    let links: Vec<Value> = parent
        .links
        .iter()
        .map(|link| json!({"param": link.param, "in": place(link.location), "field": link.field}))
        .collect();
    let join = |parts: Vec<&str>| parts.join(",");
    Some(json!({
        "used": decided.planned.parent.is_some(),
        "path": parent.path,
        "resource": parent.resource,
        "param": join(parent.links.iter().map(|link| link.param.as_str()).collect()),
        "field": join(parent.links.iter().map(|link| link.field.as_str()).collect()),
        "links": links,
        "inherited": parent.inherited,
    }))
}

fn with_evidence<T>(mut value: Value, decision: &Decision<T>) -> Value {
    if let Value::Object(map) = &mut value {
        map.insert("confidence".to_owned(), round(decision.confidence));
        map.insert("reasons".to_owned(), json!(decision.reasons));
    }
    value
}

fn round(confidence: f32) -> Value {
    json!((f64::from(confidence) * 100.0).round() / 100.0)
}

pub(crate) fn place(location: Location) -> &'static str {
    match location {
        Location::Path => "path",
        Location::Query => "query",
        Location::Header => "header",
        Location::Cookie => "cookie",
        Location::Body => "body",
    }
}

/// Returns the request that fetches tokens, and what it takes.
pub(crate) fn renewal(auth: &AuthFacts) -> Option<String> {
    match auth {
        AuthFacts::Either { renewed, .. } => renewal(renewed),
        AuthFacts::Login(login) => Some(format!("user and password at POST {}", login.path)),
        AuthFacts::OAuth2 {
            flow, token_url, ..
        } if !token_url.is_empty() => {
            let what = match flow.as_str() {
                "clientCredentials" => "client id and secret",
                "password" => "user and password",
                _ => "refresh token",
            };
            Some(format!("{what} at {token_url}"))
        }
        _ => None,
    }
}

/// Returns the kind and the name of the credentials.
pub(crate) fn auth(auth: &AuthFacts) -> (&'static str, String) {
    let authorization = || "Authorization".to_owned();
    match auth {
        AuthFacts::None => ("none", String::new()),
        AuthFacts::Bearer => ("bearer", authorization()),
        AuthFacts::Basic => ("basic", authorization()),
        AuthFacts::OAuth2 { .. } => ("oauth2", authorization()),
        AuthFacts::Login(login) => match &login.header {
            Some((name, _)) => ("login", name.clone()),
            None => ("login", authorization()),
        },
        // This is how requests carry it; `renewal` says how it is fetched.
        AuthFacts::Either { token, .. } => self::auth(token),
        AuthFacts::Keys(keys) => {
            let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
            let kind = match keys.first() {
                Some(key) if key.prefix == "Bearer " => "bearer",
                Some(key) if key.prefix == "Basic " => "basic",
                Some(key) => match key.location {
                    Location::Query => "api_key_query",
                    Location::Cookie => "api_key_cookie",
                    Location::Header | Location::Path | Location::Body => "api_key_header",
                },
                None => "none",
            };
            (kind, names.join(","))
        }
    }
}
