//! Reads security schemes.

use indexmap::IndexMap;

use super::api::{Location, OAuthFlow, SecurityScheme};
use super::document::Documents;
use super::node::Node;
use super::report::Report;

/// Reads all schemes, by name.
pub(super) fn schemes(
    documents: &Documents<'_>,
    root: &Node<'_>,
    report: &mut Report,
) -> IndexMap<String, SecurityScheme> {
    let new = root
        .child("components")
        .and_then(|components| components.child("securitySchemes"));
    let old = root.child("securityDefinitions");
    let mut found = IndexMap::new();
    for group in [new, old].iter().flatten() {
        for (name, node) in group.entries() {
            match documents.resolve(node.clone()) {
                Ok(node) if node.value.is_object() => {
                    found.insert(name.to_owned(), scheme(&node, report));
                }
                _ => report.warn(
                    &node,
                    "a security scheme cannot be read, it is left out",
                    name,
                ),
            }
        }
    }
    found
}

fn scheme(node: &Node<'_>, report: &mut Report) -> SecurityScheme {
    let description = || node.text("description").unwrap_or_default();
    let lower = |key: &str| {
        let text = node.text(key).unwrap_or_default();
        text.trim().to_ascii_lowercase()
    };
    match lower("type").as_str() {
        "basic" => SecurityScheme::Basic {
            description: description(),
        },
        "bearer" => SecurityScheme::Bearer {
            description: description(),
        },
        "http" => match lower("scheme").as_str() {
            "bearer" => SecurityScheme::Bearer {
                description: description(),
            },
            "basic" => SecurityScheme::Basic {
                description: description(),
            },
            _ => SecurityScheme::Other,
        },
        "apikey" => {
            let location = match lower("in").as_str() {
                "query" => Some(Location::Query),
                "cookie" => Some(Location::Cookie),
                "header" => Some(Location::Header),
                _ => None,
            };
            match (location, node.text("name")) {
                (Some(location), Some(name)) => SecurityScheme::ApiKey {
                    location,
                    name,
                    description: description(),
                },
                _ => {
                    report.warn(node, "an API key lacks its name or place", "");
                    SecurityScheme::Other
                }
            }
        }
        "oauth2" => SecurityScheme::OAuth2 {
            flows: flows(node),
            description: description(),
        },
        _ => SecurityScheme::Other,
    }
}

fn flows(node: &Node<'_>) -> IndexMap<String, OAuthFlow> {
    if let Some(flows) = node.child("flows") {
        return flows
            .entries()
            .filter(|(name, flow)| !name.starts_with("x-") && flow.value.is_object())
            .map(|(name, node)| (flow_name(name), flow(&node)))
            .collect();
    }
    // In Swagger 2.0, the scheme itself is the flow.
    let name = node.text("flow").map(|name| flow_name(&name));
    name.map(|name| (name, flow(node))).into_iter().collect()
}

/// Translates the names of flows in Swagger 2.0.
fn flow_name(name: &str) -> String {
    match name {
        "application" => "clientCredentials",
        "accessCode" => "authorizationCode",
        other => other,
    }
    .to_owned()
}

fn flow(node: &Node<'_>) -> OAuthFlow {
    let scopes = node.child("scopes");
    let names = scopes
        .iter()
        .flat_map(Node::entries)
        .map(|(name, _)| name.to_owned());
    let mut scopes: Vec<String> = names.filter(|name| !name.starts_with("x-")).collect();
    scopes.extend(node.texts("scopes"));
    OAuthFlow {
        token_url: node.text("tokenUrl"),
        refresh_url: node.text("refreshUrl"),
        scopes,
    }
}

/// Reads `security`: alternatives, each a set of scheme names; `None` if it is absent.
pub(super) fn requirements(node: &Node<'_>) -> Option<Vec<Vec<String>>> {
    let security = node.child("security")?;
    let names = |node: Node<'_>| node.entries().map(|(name, _)| name.to_owned()).collect();
    Some(if security.value.is_object() {
        vec![names(security)]
    } else {
        security.items().map(names).collect()
    })
}
