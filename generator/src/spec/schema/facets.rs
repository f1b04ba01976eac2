//! Gathers the constituents of a schema.

use std::collections::HashSet;

use super::super::document::Documents;
use super::super::node::Node;
use super::super::report::Report;
use super::types::{self, Type};

/// The deepest nesting of `allOf`s that is read.
const MAX_DEPTH: usize = 48;

/// A node that is part of a schema.
#[derive(Clone, Debug)]
pub(super) struct Root<'a> {
    pub node: Node<'a>,
    /// Whether its own `oneOf` or `anyOf` is ignored, because it is the common base of a union's
    /// arms.
    pub plain: bool,
    /// The selected type, if the node states several.
    pub only: Option<Type>,
}

impl<'a> Root<'a> {
    pub fn new(node: Node<'a>) -> Self {
        Root {
            node,
            plain: false,
            only: None,
        }
    }

    fn key(&self) -> String {
        let plain = if self.plain { "!" } else { "" };
        let only = self.only.map_or("", Type::name);
        format!("{}#{}{plain}{only}", self.node.file, self.node.pointer)
    }
}

/// Follows nodes that are only a `$ref`, and drops repetitions.
pub(super) fn normalized<'a>(
    documents: &'a Documents<'a>,
    roots: Vec<Root<'a>>,
    report: &mut Report,
) -> Vec<Root<'a>> {
    let mut seen = HashSet::new();
    let mut normal = Vec::with_capacity(roots.len());
    for mut root in roots {
        let is_alias = |node: &Node<'_>| {
            node.value.as_object().is_some_and(|map| map.len() == 1) && node.reference().is_some()
        };
        let mut hops = 0;
        while is_alias(&root.node) && hops < MAX_DEPTH {
            hops += 1;
            match follow(documents, &root.node, report) {
                Some(target) => root.node = target,
                None => break,
            }
        }
        if seen.insert(root.key()) {
            normal.push(root);
        }
    }
    normal
}

/// Returns a key for a set of roots.
pub(super) fn key(roots: &[Root<'_>]) -> String {
    let keys: Vec<String> = roots.iter().map(Root::key).collect();
    keys.join("\n")
}

fn follow<'a>(
    documents: &'a Documents<'a>,
    node: &Node<'a>,
    report: &mut Report,
) -> Option<Node<'a>> {
    let reference = node.reference()?;
    match documents.target(node, reference) {
        Ok(target) => Some(target),
        Err(reason) => {
            let detail = format!("{reference} ({reason})");
            report.warn(
                node,
                "a $ref cannot be followed, so the schema is free form",
                &detail,
            );
            None
        }
    }
}

/// The constituents of one schema.
#[derive(Debug)]
pub(super) struct Facets<'a> {
    /// Bases come first: arms of `allOf` and targets before the node that refers to them.
    pub inside_out: Vec<Facet<'a>>,
    pub nullable: bool,
    /// The `oneOf` or `anyOf` with more than one arm.
    pub union: Option<Union<'a>>,
    roots: Vec<Root<'a>>,
}

#[derive(Debug)]
pub(super) struct Facet<'a> {
    pub node: Node<'a>,
    /// The number of steps from the root; the nearest statement takes precedence.
    depth: usize,
    pub only: Option<Type>,
}

/// A choice.
#[derive(Debug)]
pub(super) struct Union<'a> {
    /// Without the null arm; at least two.
    pub arms: Vec<Node<'a>>,
}

impl<'a> Facets<'a> {
    pub fn gather(
        documents: &'a Documents<'a>,
        roots: &[Root<'a>],
        report: &mut Report,
    ) -> Facets<'a> {
        let mut facets = Facets {
            inside_out: Vec::new(),
            nullable: false,
            union: None,
            roots: roots.to_vec(),
        };
        let mut seen = HashSet::new();
        for root in roots {
            facets.add(documents, root.clone(), 0, &mut seen, report);
        }
        facets
    }

    fn add(
        &mut self,
        documents: &'a Documents<'a>,
        root: Root<'a>,
        depth: usize,
        seen: &mut HashSet<String>,
        report: &mut Report,
    ) {
        let Root { node, plain, only } = root;
        if depth > MAX_DEPTH {
            report.warn(
                &node,
                "allOf is nested too deeply, the rest is left out",
                "",
            );
            return;
        }
        // The node is known already: it is part of a circle, or a base that two arms share.
        if !seen.insert(format!("{}#{}", node.file, node.pointer)) || !node.value.is_object() {
            return;
        }
        let inner = |node| Root {
            node,
            plain,
            only: None,
        };
        if let Some(target) = follow(documents, &node, report) {
            self.add(documents, inner(target), depth + 1, seen, report);
        }
        for arm in node.child("allOf").iter().flat_map(Node::items) {
            self.add(documents, inner(arm), depth + 1, seen, report);
        }
        self.nullable |= says_nullable(&node);
        if !plain {
            for keyword in ["oneOf", "anyOf"] {
                self.add_union(documents, &node, keyword, depth, seen, report);
            }
        }
        self.inside_out.push(Facet { node, depth, only });
    }

    fn add_union(
        &mut self,
        documents: &'a Documents<'a>,
        node: &Node<'a>,
        keyword: &str,
        depth: usize,
        seen: &mut HashSet<String>,
        report: &mut Report,
    ) {
        let Some(union) = node.child(keyword) else {
            return;
        };
        let all: Vec<Node<'a>> = union.items().collect();
        let mut arms: Vec<Node<'a>> = Vec::with_capacity(all.len());
        for arm in all {
            if types::is_null(&arm) {
                self.nullable = true;
            } else {
                arms.push(arm);
            }
        }
        // `anyOf: [{required: [a]}, {required: [b]}]` next to a structure is a check, not a choice.
        if is_substantial(node) {
            arms.retain(|arm| arm.reference().is_some() || has_shape(arm));
        }
        // An arm that occurs twice, or is this schema itself, is not a choice.
        let mut keys = HashSet::new();
        arms.retain(|arm| {
            let alias = normalized(documents, vec![Root::new(arm.clone())], report);
            let key = key(&alias);
            !seen.contains(&key) && keys.insert(key)
        });
        match arms.len() {
            0 => {}
            1 => {
                let arm = Root::new(arms.remove(0));
                self.add(documents, arm, depth + 1, seen, report);
            }
            _ if self.union.is_none() => {
                self.union = Some(Union { arms });
            }
            _ => report.note(
                node,
                "a second oneOf or anyOf in one schema is left out",
                "",
            ),
        }
    }

    /// Returns the nodes, the nearest to the root first.
    pub fn outside_in(&self) -> impl Iterator<Item = &Node<'a>> {
        let mut order: Vec<&Facet<'a>> = self.inside_out.iter().collect();
        order.sort_by_key(|facet| facet.depth);
        order.into_iter().map(|facet| &facet.node)
    }

    /// Returns the value from the nearest node that has one.
    pub fn first<T>(&self, say: impl Fn(&Node<'a>) -> Option<T>) -> Option<T> {
        self.outside_in().find_map(say)
    }

    /// Returns the only constituent with a structure, if all others only annotate it. The schema is
    /// then that one.
    pub fn identity(&self) -> Option<&Node<'a>> {
        if self.union.is_some() {
            return None;
        }
        let mut substantial = self
            .inside_out
            .iter()
            .filter(|facet| is_substantial(&facet.node));
        match (substantial.next(), substantial.next()) {
            (Some(facet), None) if facet.only.is_none() => Some(&facet.node),
            _ => None,
        }
    }

    pub fn only_root(&self) -> Option<&Node<'a>> {
        match &self.roots[..] {
            [root] if root.only.is_none() && !root.plain => Some(&root.node),
            _ => None,
        }
    }

    /// Returns the roots without their unions, as the base of a union's arms; empty if they have no
    /// structure.
    pub fn base(&self) -> Vec<Root<'a>> {
        if !self
            .inside_out
            .iter()
            .any(|facet| is_substantial(&facet.node))
        {
            return Vec::new();
        }
        let plain = |root: &Root<'a>| Root {
            plain: true,
            ..root.clone()
        };
        self.roots.iter().map(plain).collect()
    }
}

fn says_nullable(node: &Node<'_>) -> bool {
    node.flag("nullable") == Some(true)
        || node.flag("x-nullable") == Some(true)
        || types::stated(node).null
        || types::enumerated(node)
            .is_some_and(|values| values.len() > 1 && values.iter().any(|value| value.is_null()))
}

/// Returns whether a node gives a schema its structure instead of annotating one.
fn is_substantial(node: &Node<'_>) -> bool {
    const KEYS: [&str; 7] = [
        "properties",
        "items",
        "prefixItems",
        "enum",
        "const",
        "additionalProperties",
        "patternProperties",
    ];
    KEYS.iter().any(|key| match node.value.get(*key) {
        None | Some(serde_json::Value::Null) => false,
        Some(value) => *key != "additionalProperties" || value.is_object(),
    })
}

fn has_shape(node: &Node<'_>) -> bool {
    const KEYS: [&str; 4] = ["type", "allOf", "oneOf", "anyOf"];
    is_substantial(node) || KEYS.iter().any(|key| node.value.get(*key).is_some())
}
