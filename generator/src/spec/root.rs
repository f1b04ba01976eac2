//! Turns the whole document into an `Api`.

use std::collections::HashSet;

use indexmap::IndexMap;

use super::api::{Api, Operation, Server};
use super::document::Documents;
use super::identify::Dialect;
use super::node::Node;
use super::operation::{self, Defaults, PATH_REF};
use super::report::Report;
use super::sampled;
use super::schema::SchemaBuilder;
use super::security;
use super::told;

/// Reads everything that operations need; `None` if there are no operations.
pub(super) fn api(documents: &Documents<'_>, dialect: Dialect, report: &mut Report) -> Option<Api> {
    let root = documents.root()?;
    let mut schemas = SchemaBuilder::new(documents);
    let mut operations = Vec::new();
    let defaults = Defaults::of(&root, dialect);
    for (path, item) in paths(&root, report) {
        operations.extend(operation::operations(
            documents,
            &mut schemas,
            &defaults,
            path,
            item,
            report,
        ));
        schemas.drain(report);
    }
    if operations.is_empty() {
        let hint = "a document must describe at least one path with a method";
        let pointer = root.child("paths").map_or("", |_| "/paths");
        let (detail, hint) = match report.withdraw(PATH_REF) {
            Some((count, first)) => (
                format!("paths whose $ref cannot be followed: {count}, such as {first}"),
                "keep the files that the document refers to at the paths that it names",
            ),
            None => (String::new(), hint),
        };
        report.fail(
            pointer,
            "the document describes no operations",
            &detail,
            hint,
        );
        return None;
    }
    let mut ids = HashSet::new();
    for operation in &mut operations {
        // Only the first operation with an id keeps it.
        operation.id = operation.id.take().filter(|id| ids.insert(id.clone()));
    }
    let servers = match dialect {
        Dialect::Swagger2 => old_servers(&root),
        Dialect::OpenApi3 => servers(&root, report),
    };
    if let Some(base) = repeated_base(&servers, &operations) {
        for operation in &mut operations {
            operation.path = operation
                .path
                .get(base.len()..)
                .unwrap_or_default()
                .to_owned();
        }
        let place = root.child("servers").unwrap_or_else(|| root.clone());
        let kind = "every path repeats the path of the server's URL, which is used once";
        report.note(&place, kind, &base);
    }
    let mut schemas = schemas.finish();
    told::fill(&mut operations);
    sampled::fill(&mut operations, &mut schemas);
    let info = root.child("info").unwrap_or_else(|| root.clone());
    Some(Api {
        title: info.text("title").unwrap_or_default(),
        description: info.text("description").unwrap_or_default(),
        servers,
        security_schemes: security::schemes(documents, &root, report),
        security: security::requirements(&root).unwrap_or_default(),
        operations,
        schemas,
        extensions: root.extensions(),
    })
}

/// Returns the path that all servers end with and all operations begin with: `/v1` of
/// `https://api.example/v1` and `/v1/orders`.
fn repeated_base(servers: &[Server], operations: &[Operation]) -> Option<String> {
    let path = |server: &Server| {
        let url = server.url.trim_end_matches('/');
        let url = url.split_once("://").map_or(url, |(_, rest)| rest);
        url.find('/')
            .map(|at| url.get(at..).unwrap_or_default().to_owned())
    };
    let base = path(servers.first()?)?;
    let same = servers
        .iter()
        .all(|server| path(server).as_ref() == Some(&base));
    let repeats = |operation: &Operation| {
        let rest = operation.path.strip_prefix(&base);
        rest.is_some_and(|rest| rest.starts_with('/') && rest.len() > 1)
    };
    (same && base.len() > 1 && !base.contains('{') && operations.iter().all(repeats))
        .then_some(base)
}

fn paths<'a>(root: &Node<'a>, report: &mut Report) -> Vec<(&'a str, Node<'a>)> {
    let Some(paths) = root.child("paths") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (path, item) in paths.entries() {
        if path.starts_with("x-") || item.value.is_null() {
            continue;
        }
        let climbs = |segment: &str| {
            matches!(
                segment.to_lowercase().replace("%2e", ".").as_str(),
                "." | ".."
            )
        };
        if path.split('/').any(climbs) {
            report.warn(&item, "a path with `.` or `..` segments is left out", path);
        } else if item.value.is_object() {
            found.push((path, item));
        } else {
            report.warn(&item, "a path that is not a mapping is left out", path);
        }
    }
    found
}

/// Reads `servers` of OpenAPI 3; a single server and bare URLs are accepted.
fn servers(root: &Node<'_>, report: &mut Report) -> Vec<Server> {
    let Some(servers) = root.child("servers") else {
        return Vec::new();
    };
    let all: Vec<Node<'_>> = if servers.value.is_array() {
        servers.items().collect()
    } else {
        vec![servers]
    };
    let mut found = Vec::with_capacity(all.len());
    for server in all {
        let url = match server.value.as_str() {
            Some(url) => Some(url.to_owned()),
            None => server.text("url"),
        };
        let url = url.map(|url| url.trim().to_owned());
        // `servers: [https]` has no host.
        match url.filter(|url| url.contains(['/', '.', ':', '{'])) {
            Some(url) => found.push(Server {
                url,
                variables: variables(&server, report),
            }),
            None => report.note(&server, "a server without a usable URL is left out", ""),
        }
    }
    found
}

fn variables(server: &Node<'_>, report: &mut Report) -> IndexMap<String, (String, String)> {
    let mut found = IndexMap::new();
    for (name, variable) in server.child("variables").iter().flat_map(Node::entries) {
        let default = variable.text("default").or_else(|| {
            let first = variable.texts("enum").into_iter().next();
            let detail = first.as_deref().unwrap_or("");
            report.note(&variable, "a server variable has no default", detail);
            first
        });
        let description = variable.text("description").unwrap_or_default();
        found.insert(name.to_owned(), (default.unwrap_or_default(), description));
    }
    found
}

/// Reads `schemes`, `host` and `basePath` of Swagger 2.0.
fn old_servers(root: &Node<'_>) -> Vec<Server> {
    let base_path = root.text("basePath").unwrap_or_default();
    let host = root.text("host").unwrap_or_default();
    let host = host.trim();
    if host.is_empty() {
        let server = |url| Server {
            url,
            variables: IndexMap::new(),
        };
        return (!base_path.is_empty())
            .then(|| server(base_path))
            .into_iter()
            .collect();
    }
    // Some documents write the scheme into the host.
    let host = host.split_once("://").map_or(host, |(_, host)| host);
    let mut schemes = root.texts("schemes");
    schemes.retain(|scheme| scheme == "http" || scheme == "https");
    schemes.sort_by_key(|scheme| scheme != "https");
    if schemes.is_empty() {
        schemes.push("https".to_owned());
    }
    let slash = if base_path.is_empty() || base_path.starts_with('/') {
        ""
    } else {
        "/"
    };
    let url = |scheme| format!("{scheme}://{host}{slash}{base_path}");
    schemes
        .into_iter()
        .map(|scheme| Server {
            url: url(scheme),
            variables: IndexMap::new(),
        })
        .collect()
}
