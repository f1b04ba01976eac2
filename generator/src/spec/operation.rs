//! Reads path items and operations.

use super::api::{Operation, Parameter, SchemaId};
use super::document::Documents;
use super::identify::Dialect;
use super::node::Node;
use super::parameter;
use super::report::Report;
use super::response::{self, is_json};
use super::schema::SchemaBuilder;
use super::security;

const METHODS: [&str; 9] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace", "query",
];

/// The defaults of operations in Swagger 2.0.
pub(super) struct Defaults {
    pub produces: Vec<String>,
    pub consumes: Vec<String>,
    pub old: bool,
}

impl Defaults {
    pub fn of(root: &Node<'_>, dialect: Dialect) -> Defaults {
        Defaults {
            produces: root.texts("produces"),
            consumes: root.texts("consumes"),
            old: dialect == Dialect::Swagger2,
        }
    }
}

/// The finding about a path whose `$ref` has no target.
pub(super) const PATH_REF: &str = "the $ref of a path cannot be followed";

/// Reads the operations of one path.
pub(super) fn operations<'a>(
    documents: &'a Documents<'a>,
    schemas: &mut SchemaBuilder<'a>,
    defaults: &Defaults,
    path: &str,
    item: Node<'a>,
    report: &mut Report,
) -> Vec<Operation> {
    // The siblings of a `$ref` take precedence over its target.
    let mut items = vec![item.clone()];
    if item.reference().is_some() {
        match documents.resolve(item.clone()) {
            Ok(target) => items.push(target),
            Err(reason) => {
                let detail = format!("{} ({reason})", item.reference().unwrap_or_default());
                report.warn(&item, PATH_REF, &detail);
            }
        }
    }
    let mut found: Vec<(&'static str, Node<'a>, String)> = Vec::new();
    for (key, operation) in items.iter().flat_map(Node::entries) {
        let method = METHODS
            .into_iter()
            .find(|method| method.eq_ignore_ascii_case(key));
        let Some(method) = method else {
            continue;
        };
        if found.iter().any(|(other, ..)| *other == method) || operation.value.is_null() {
            continue;
        }
        let place = documents.full_pointer(&operation);
        let operation = match documents.resolve(operation.clone()) {
            Ok(operation) => operation,
            Err(reason) => {
                let reference = operation.reference().unwrap_or_default();
                let detail = format!("{method} {path}: {reference} ({reason})");
                report.warn(
                    &operation,
                    "the $ref of an operation cannot be followed",
                    &detail,
                );
                continue;
            }
        };
        if operation.value.is_object() {
            found.push((method, operation, place));
        } else {
            let detail = format!("{method} {path}");
            report.warn(
                &operation,
                "an operation that is not a mapping is left out",
                &detail,
            );
        }
    }
    let mut shared = Vec::new();
    for item in &items {
        let parameters = item.child("parameters");
        shared.extend(parameters.iter().flat_map(Node::items));
    }
    found
        .into_iter()
        .map(|(method, node, pointer)| {
            let reader = Reader {
                documents,
                defaults,
                shared: &shared,
                path,
                method,
            };
            Operation {
                pointer,
                ..reader.operation(schemas, &node, report)
            }
        })
        .collect()
}

struct Reader<'r, 'a> {
    documents: &'a Documents<'a>,
    defaults: &'r Defaults,
    shared: &'r [Node<'a>],
    path: &'r str,
    method: &'static str,
}

impl<'a> Reader<'_, 'a> {
    fn operation(
        &self,
        schemas: &mut SchemaBuilder<'a>,
        node: &Node<'a>,
        report: &mut Report,
    ) -> Operation {
        let nodes = self.parameter_nodes(node, report);
        let parameters = self.parameters(schemas, &nodes, node, report);
        let reads = matches!(self.method, "get" | "post");
        let mut produces = node.texts("produces");
        if produces.is_empty() {
            produces.clone_from(&self.defaults.produces);
        }
        Operation {
            method: self.method.to_owned(),
            path: self.path.to_owned(),
            id: node.text("operationId").filter(|id| !id.trim().is_empty()),
            summary: node.text("summary").unwrap_or_default(),
            description: node.text("description").unwrap_or_default(),
            tags: node.texts("tags"),
            deprecated: node.flag("deprecated") == Some(true),
            parameters,
            request_body: if reads {
                self.request_body(schemas, node, &nodes, report)
            } else {
                None
            },
            foreign_body: match reads {
                true => self.foreign_body(node, &nodes),
                false => None,
            },
            response: if reads {
                response::response(self.documents, schemas, node, &produces, report)
            } else {
                None
            },
            security: security::requirements(node),
            extensions: node.extensions(),
            pointer: self.documents.full_pointer(node),
        }
    }

    /// Returns the parameters of the path and of the operation, with `$ref`s followed.
    fn parameter_nodes(&self, node: &Node<'a>, report: &mut Report) -> Vec<Node<'a>> {
        let own = node.child("parameters");
        let mut nodes = Vec::new();
        for parameter in self
            .shared
            .iter()
            .cloned()
            .chain(own.iter().flat_map(Node::items))
        {
            match self.documents.resolve(parameter.clone()) {
                Ok(target) if target.value.is_object() => nodes.push(target),
                Ok(_) => report.warn(
                    &parameter,
                    "a parameter that is not a mapping is left out",
                    "",
                ),
                Err(reason) => {
                    let reference = parameter.reference().unwrap_or_default();
                    let detail = format!("{reference} ({reason})");
                    report.warn(&parameter, "a parameter's $ref cannot be followed", &detail);
                }
            }
        }
        nodes
    }

    fn parameters(
        &self,
        schemas: &mut SchemaBuilder<'a>,
        nodes: &[Node<'a>],
        operation: &Node<'a>,
        report: &mut Report,
    ) -> Vec<Parameter> {
        let mut found: Vec<Parameter> = Vec::with_capacity(nodes.len());
        for node in nodes {
            let Some(parameter) = parameter::parameter(schemas, node, self.path, report) else {
                continue;
            };
            let same = |other: &Parameter| {
                other.name == parameter.name && other.location == parameter.location
            };
            match found.iter().position(same) {
                Some(index) => found[index] = parameter,
                None => found.push(parameter),
            }
        }
        parameter::fit_to_path(schemas, &mut found, self.path, operation, report);
        found
    }

    /// Returns the media type of a body that is required and not JSON.
    fn foreign_body(&self, node: &Node<'a>, parameters: &[Node<'a>]) -> Option<String> {
        if self.defaults.old {
            let is_required = |parameter: &&Node<'a>| parameter.flag("required") == Some(true);
            let place = |parameter: &Node<'a>| parameter.text("in").unwrap_or_default();
            let mut required = parameters.iter().filter(is_required);
            let place = required.find_map(|parameter| {
                let place = place(parameter).to_ascii_lowercase();
                matches!(place.as_str(), "body" | "formdata").then_some(place)
            })?;
            let consumes = self.consumes(node);
            if place == "body" && (consumes.is_empty() || consumes.iter().any(|it| is_json(it))) {
                return None;
            }
            let form = || "application/x-www-form-urlencoded".to_owned();
            let mut others = consumes.into_iter().filter(|it| !is_json(it));
            return Some(others.next().unwrap_or_else(form));
        }
        let body = self.documents.child(node, "requestBody")?;
        let content = self.documents.child(&body, "content")?;
        let mut names = content.entries().map(|(name, _)| name.to_owned());
        if content.entries().any(|(name, _)| is_json(name)) {
            return None;
        }
        // Many documents forget to say that a body is required, but not which fields are.
        let needs = content.entries().any(|(_, media)| {
            let media = self.documents.resolve(media).ok();
            let schema = media.and_then(|media| self.documents.child(&media, "schema"));
            schema.is_some_and(|schema| !schema.texts("required").is_empty())
        });
        let required = body.flag("required") == Some(true) || needs;
        names.next().filter(|_| required)
    }

    /// Returns the media types of a body in Swagger 2.0.
    fn consumes(&self, node: &Node<'a>) -> Vec<String> {
        let own = node.texts("consumes");
        match own.is_empty() {
            true => self.defaults.consumes.clone(),
            false => own,
        }
    }

    /// Reads the JSON body of a request.
    fn request_body(
        &self,
        schemas: &mut SchemaBuilder<'a>,
        node: &Node<'a>,
        parameters: &[Node<'a>],
        report: &mut Report,
    ) -> Option<SchemaId> {
        if self.defaults.old {
            let consumes = self.consumes(node);
            let json = consumes.is_empty() || consumes.iter().any(|media_type| is_json(media_type));
            let body = parameters
                .iter()
                .find(|parameter| parameter.text("in").as_deref() == Some("body"))?;
            let schema = body.child("schema").filter(|_| json)?;
            return Some(schemas.schema(schema, report));
        }
        let body = self.documents.child(node, "requestBody")?;
        let content = self.documents.child(&body, "content")?;
        let (_, media) = content
            .entries()
            .find(|(media_type, _)| is_json(media_type))?;
        let media = self.documents.resolve(media).ok()?;
        Some(schemas.schema(media.child("schema")?, report))
    }
}
