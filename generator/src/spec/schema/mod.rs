//! Turns schemas of every dialect into [`Schema`]s: each once, and only those that operations reach.
//!
//! A schema consists of *constituents*: the node itself, the targets of its `$ref` and `allOf`, and the only arm of a
//! union that remains without the null arm. They are collected before anything is lowered, and children are lowered
//! later, from a queue; so recursion of any kind needs neither special care nor stack.

mod facets;
mod kind;
mod types;

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use self::facets::{Facets, Root};
use super::api::{Schema, SchemaId, SchemaKind, Schemas};
use super::document::Documents;
use super::node::Node;
use super::report::Report;

/// The most schemas that are created; real documents have fewer.
const MAX_SCHEMAS: usize = 400_000;

/// Creates schemas from nodes.
pub(super) struct SchemaBuilder<'a> {
    documents: &'a Documents<'a>,
    schemas: Vec<Schema>,
    /// Constituents -> schema.
    made: HashMap<String, SchemaId>,
    queue: VecDeque<(SchemaId, Vec<Root<'a>>)>,
}

impl<'a> SchemaBuilder<'a> {
    pub fn new(documents: &'a Documents<'a>) -> Self {
        SchemaBuilder {
            documents,
            schemas: Vec::new(),
            made: HashMap::new(),
            queue: VecDeque::new(),
        }
    }

    /// Returns the id of the schema that a node is or refers to.
    pub fn schema(&mut self, node: Node<'a>, report: &mut Report) -> SchemaId {
        let site = self.documents.full_pointer(&node);
        let root = Root::new(node);
        self.of_roots(vec![root], site, report)
    }

    /// Returns the id of the schema that several nodes form together. Its place is `site`, unless
    /// it turns out to be one of them alone.
    fn of_roots(&mut self, roots: Vec<Root<'a>>, site: String, report: &mut Report) -> SchemaId {
        let roots = facets::normalized(self.documents, roots, report);
        let key = facets::key(&roots);
        if let Some(id) = self.made.get(&key) {
            return *id;
        }
        let id = SchemaId(self.schemas.len());
        // A single node has been followed to its own place.
        let pointer = match &roots[..] {
            [root] => self.documents.full_pointer(&root.node),
            _ => site,
        };
        self.schemas.push(free_form(pointer));
        self.made.insert(key, id);
        if self.schemas.len() < MAX_SCHEMAS {
            self.queue.push_back((id, roots));
        } else if let [root, ..] = &roots[..] {
            report.warn(&root.node, "too many schemas: the rest is free form", "");
        }
        id
    }

    /// Lowers the queued schemas, and those that they queue.
    pub fn drain(&mut self, report: &mut Report) {
        while let Some((id, roots)) = self.queue.pop_front() {
            let facets = Facets::gather(self.documents, &roots, report);
            let site = std::mem::take(&mut self.schemas[id.0].pointer);
            let kind = self.kind(&facets, &site, id, report);
            let schema = self.describe(&facets, site, kind);
            self.schemas[id.0] = schema;
        }
    }

    pub fn finish(self) -> Schemas {
        Schemas(self.schemas)
    }

    /// Fills in everything but the kind.
    fn describe(&self, facets: &Facets<'a>, site: String, kind: SchemaKind) -> Schema {
        let identity = facets.identity();
        let pointer = identity.map_or(site, |node| self.documents.full_pointer(node));
        let component = identity
            .or(facets.only_root())
            .and_then(|node| self.documents.component_name(node));
        let mut extensions = std::collections::BTreeMap::new();
        for node in facets.outside_in() {
            for (key, value) in node.extensions() {
                extensions.entry(key).or_insert(value);
            }
        }
        Schema {
            component,
            pointer,
            description: facets
                .first(|node| node.text("description"))
                .unwrap_or_default(),
            nullable: facets.nullable,
            deprecated: facets.first(|node| node.flag("deprecated")) == Some(true),
            default: facets.first(|node| node.child("default").map(|node| node.value.clone())),
            examples: facets.first(examples).unwrap_or_default(),
            kind,
            extensions,
        }
    }
}

/// Returns `example`, and the items of `examples`. Some 3.0 documents have a map there, which is
/// ignored.
fn examples(node: &Node<'_>) -> Option<Vec<Value>> {
    let mut found: Vec<Value> = node
        .child("example")
        .or_else(|| node.child("x-example"))
        .map(|example| example.value.clone())
        .into_iter()
        .collect();
    if let Some(examples) = node.child("examples") {
        found.extend(examples.items().map(|item| item.value.clone()));
    }
    (!found.is_empty()).then_some(found)
}

/// Returns a free-form schema.
pub(super) fn free_form(pointer: String) -> Schema {
    Schema {
        component: None,
        pointer,
        description: String::new(),
        nullable: false,
        deprecated: false,
        default: None,
        examples: Vec::new(),
        kind: SchemaKind::Any,
        extensions: std::collections::BTreeMap::new(),
    }
}
