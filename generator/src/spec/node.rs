//! A value of a document with its place.

use serde_json::Value;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    pub file: usize,
    pub pointer: String,
    pub value: &'a Value,
}

impl<'a> Node<'a> {
    /// Returns the value under a key, unless it is missing or null.
    pub fn child(&self, key: &str) -> Option<Node<'a>> {
        let value = self.value.get(key)?;
        if value.is_null() {
            return None;
        }
        Some(self.at(key, value))
    }

    /// Returns the entries of an object; none for anything else.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
        let parent = Node {
            value: self.value,
            ..self.clone()
        };
        let map = self.value.as_object();
        map.into_iter().flatten().map(move |(key, value)| {
            let node = parent.at(key, value);
            (key.as_str(), node)
        })
    }

    /// Returns the items of an array; none for anything else.
    pub fn items(&self) -> impl Iterator<Item = Node<'a>> + use<'a> {
        let parent = self.clone();
        let items = self.value.as_array();
        items
            .into_iter()
            .flatten()
            .enumerate()
            .map(move |(index, value)| parent.at(&index.to_string(), value))
    }

    /// Returns the text under a key; numbers and booleans become text.
    pub fn text(&self, key: &str) -> Option<String> {
        self.value.get(key).and_then(as_text)
    }

    /// Returns the flag under a key, even if it is written as text.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.value.get(key)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
            _ => None,
        }
    }

    /// Returns the texts of a list under a key; a single text counts as a list of one.
    pub fn texts(&self, key: &str) -> Vec<String> {
        match self.value.get(key) {
            Some(Value::Array(items)) => items.iter().filter_map(as_text).collect(),
            Some(Value::String(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    }

    /// Returns the entries whose keys begin with `x-`.
    pub fn extensions(&self) -> std::collections::BTreeMap<String, Value> {
        let map = self.value.as_object().into_iter().flatten();
        map.filter(|(key, _)| key.starts_with("x-"))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// Returns the `$ref`, if the value has one.
    pub fn reference(&self) -> Option<&'a str> {
        self.value.get("$ref")?.as_str()
    }

    /// Returns the node of a value under a key of this one.
    pub fn at(&self, key: &str, value: &'a Value) -> Node<'a> {
        let mut pointer = String::with_capacity(self.pointer.len() + key.len() + 1);
        pointer.push_str(&self.pointer);
        push_token(&mut pointer, key);
        Node {
            file: self.file,
            pointer,
            value,
        }
    }
}

/// Returns a scalar as text.
pub(super) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// Appends a key to a JSON pointer.
pub(super) fn push_token(pointer: &mut String, key: &str) {
    pointer.push('/');
    if key.contains(['~', '/']) {
        pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
    } else {
        pointer.push_str(key);
    }
}

/// Decodes a token of a JSON pointer to its key.
pub(super) fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Returns a node for something that the document lacks.
pub(super) fn missing<'a>(parent: &Node<'a>, key: &str) -> Node<'a> {
    static NOTHING: Value = Value::Null;
    let mut pointer = parent.pointer.clone();
    push_token(&mut pointer, key);
    Node {
        file: parent.file,
        pointer,
        value: &NOTHING,
    }
}
