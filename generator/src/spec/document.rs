//! The document and the files it refers to: nodes with their places, and targets of `$ref`s.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::load::{Input, read_file};
use super::locate::locate;
use super::node::{Node, unescape};
use super::overlay::Edits;
use super::parse::{decode, parse_text};
use crate::diagnostics::Position;

/// The most files that are read.
const MAX_FILES: usize = 2000;
/// A longer chain of `$ref`s counts as a circle.
const MAX_HOPS: usize = 64;

/// The document (file 0) and all readable files that it refers to.
#[derive(Debug, Default)]
pub(super) struct Documents<'a> {
    files: Vec<File<'a>>,
    /// Files by their path relative to the base, or the reasons why they cannot be read.
    by_path: HashMap<PathBuf, Result<usize, String>>,
    /// The changes that overlays made in the document itself.
    edits: Edits,
}

#[derive(Debug)]
struct File<'a> {
    /// The name in messages.
    name: String,
    /// The path relative to the base; empty for the document itself.
    path: PathBuf,
    text: Cow<'a, str>,
    value: Value,
}

impl<'t> Documents<'t> {
    /// Takes the document and reads every file that it refers to, directly or indirectly.
    pub fn gather(input: &Input, text: Cow<'t, str>, value: Value, edits: Edits) -> Documents<'t> {
        let mut documents = Documents {
            files: vec![File {
                name: input.name.clone(),
                path: PathBuf::new(),
                text,
                value,
            }],
            by_path: HashMap::new(),
            edits,
        };
        let mut next = 0;
        while let Some(file) = documents.files.get(next) {
            let mut wanted = Vec::new();
            external_references(&file.value, &mut wanted);
            let from = file.path.clone();
            for reference in wanted {
                if let Ok(path) = relative_path(&from, &reference) {
                    documents.read(input, path);
                }
            }
            next += 1;
        }
        documents
    }

    fn read(&mut self, input: &Input, path: PathBuf) {
        if self.by_path.contains_key(&path) {
            return;
        }
        let file = match &input.base {
            None => Err("the files next to this document are not known".to_owned()),
            Some(_) if self.files.len() >= MAX_FILES => Err("too many files".to_owned()),
            Some(base) => read_file(&base.join(&path)).and_then(|bytes| {
                let text = decode(&bytes).into_owned();
                let value = parse_text(&text).map_err(|error| error.message)?;
                Ok(File {
                    name: base.join(&path).display().to_string(),
                    path: path.clone(),
                    text: Cow::Owned(text),
                    value,
                })
            }),
        };
        let index = file.map(|file| {
            self.files.push(file);
            self.files.len() - 1
        });
        self.by_path.insert(path, index);
    }

    /// Returns the whole document.
    pub fn root(&self) -> Option<Node<'_>> {
        self.file(0)
    }

    fn file(&self, index: usize) -> Option<Node<'_>> {
        Some(Node {
            file: index,
            pointer: String::new(),
            value: &self.files.get(index)?.value,
        })
    }

    /// Returns the file and place of a part: in a file of the document, or in an overlay.
    pub fn place(&self, file: usize, pointer: &str) -> (String, Option<Position>) {
        let pointer = match file {
            0 => match self.edits.origin(pointer) {
                Ok(pointer) => pointer,
                Err(place) => return place,
            },
            _ => pointer.to_owned(),
        };
        match self.files.get(file).or(self.files.first()) {
            Some(file) => (file.name.clone(), locate(&file.text, &pointer)),
            None => (String::new(), None),
        }
    }

    /// Returns a pointer that is unique among all files.
    pub fn full_pointer(&self, node: &Node<'_>) -> String {
        match self.files.get(node.file) {
            Some(file) if node.file > 0 => format!("{}#{}", file.path.display(), node.pointer),
            _ => node.pointer.clone(),
        }
    }

    /// Returns the component name of a node, if it is a component.
    pub fn component_name(&self, node: &Node<'_>) -> Option<String> {
        let name = ["/components/schemas/", "/definitions/"]
            .into_iter()
            .find_map(|prefix| node.pointer.strip_prefix(prefix));
        if let Some(name) = name {
            return (!name.contains('/')).then(|| unescape(name));
        }
        if node.file == 0 {
            return None;
        }
        if node.pointer.is_empty() {
            let stem = self.files.get(node.file)?.path.file_stem()?;
            return stem.to_str().map(str::to_owned);
        }
        let name = node.pointer.strip_prefix("/schemas/");
        let name = name.or_else(|| node.pointer.strip_prefix('/'))?;
        (!name.contains('/')).then(|| unescape(name))
    }

    /// Follows `$ref`s to their target, or returns the reason why that fails.
    pub fn resolve<'a>(&'a self, node: Node<'a>) -> Result<Node<'a>, String> {
        let mut node = node;
        for _ in 0..MAX_HOPS {
            match node.reference() {
                Some(reference) => node = self.target(&node, reference)?,
                None => return Ok(node),
            }
        }
        Err("it leads in a circle".to_owned())
    }

    /// Returns the child of a node below this key, with its `$ref`s followed; `None` if it is
    /// absent, or one of them leads nowhere.
    pub fn child<'a>(&'a self, node: &Node<'a>, key: &str) -> Option<Node<'a>> {
        self.resolve(node.child(key)?).ok()
    }

    /// Returns the target of one `$ref`, without following further ones.
    pub fn target<'a>(&'a self, from: &Node<'a>, reference: &str) -> Result<Node<'a>, String> {
        let (path, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let root = if path.is_empty() {
            self.file(from.file)
        } else if reference.starts_with("http:") || reference.starts_with("https:") {
            return Err("other documents on the web are not fetched".to_owned());
        } else if let Some(named) = self.by_name(from.file, reference) {
            return Ok(named);
        } else {
            let base = self.files.get(from.file).map(|file| file.path.as_path());
            let path = relative_path(base.unwrap_or(Path::new("")), reference)?;
            match self.by_path.get(&path) {
                Some(Ok(index)) => self.file(*index),
                Some(Err(reason)) => return Err(reason.clone()),
                None if path.as_os_str().is_empty() => self.file(0),
                None => return Err("the file does not exist".to_owned()),
            }
        };
        let root = root.ok_or("the file does not exist")?;
        let fragment = percent_decode(fragment);
        self.descend(root.clone(), &fragment)
            .or_else(|| self.by_last_name(root.file, &fragment))
            .ok_or_else(|| "the target does not exist".to_owned())
    }

    /// Follows a JSON pointer, including `$ref`s along the path.
    fn descend<'a>(&'a self, root: Node<'a>, fragment: &str) -> Option<Node<'a>> {
        let mut node = root;
        for token in fragment.split('/').skip(1) {
            let key = unescape(token);
            let mut hops = 0;
            node = loop {
                let next = match node.value {
                    Value::Array(items) => key
                        .parse::<usize>()
                        .ok()
                        .and_then(|index| items.get(index))
                        .map(|value| node.at(&key, value)),
                    value => value.get(&key).map(|value| node.at(&key, value)),
                };
                if let Some(next) = next {
                    break next;
                }
                // A missing step may exist in the target of this node's own `$ref`. This must not
                // call `target` recursively: a pointer through itself would hang.
                let (path, fragment) = node.reference()?.split_once('#')?;
                hops += 1;
                if !path.is_empty() || hops > MAX_HOPS {
                    return None;
                }
                let value = self
                    .file(node.file)?
                    .value
                    .pointer(&percent_decode(fragment))?;
                node = Node {
                    file: node.file,
                    pointer: percent_decode(fragment),
                    value,
                };
            };
        }
        let plain = fragment.is_empty() || fragment.starts_with('/');
        plain.then_some(node)
    }

    /// Resolves a reference by bare name (`Pet`), which some documents use.
    fn by_name<'a>(&'a self, file: usize, name: &str) -> Option<Node<'a>> {
        if name.contains(['/', '.', '#']) {
            return None;
        }
        self.component(file, name)
    }

    /// Finds the component that a broken pointer names in its last step (`#/definitions/Pet` in an
    /// OpenAPI 3 document).
    fn by_last_name<'a>(&'a self, file: usize, fragment: &str) -> Option<Node<'a>> {
        let steps: Vec<&str> = fragment.split('/').skip(1).collect();
        match steps[..] {
            ["definitions" | "schemas" | "models", name] => self.component(file, &unescape(name)),
            ["components", "schemas" | "models", name] => self.component(file, &unescape(name)),
            _ => None,
        }
    }

    fn component<'a>(&'a self, file: usize, name: &str) -> Option<Node<'a>> {
        let root = self.file(file)?;
        let schemas = root.child("components").and_then(|c| c.child("schemas"));
        [schemas, root.child("definitions")]
            .into_iter()
            .flatten()
            .find_map(|group| group.child(name))
    }
}

/// Collects all `$ref`s to other files.
fn external_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get("$ref")
                && !reference.starts_with('#')
            {
                found.push(reference.clone());
            }
            map.values()
                .for_each(|value| external_references(value, found));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| external_references(value, found)),
        _ => {}
    }
}

/// Returns the path of a reference in a file, relative to the base and without `.` and `..` where
/// possible.
fn relative_path(from: &Path, reference: &str) -> Result<PathBuf, String> {
    let path = percent_decode(reference.split(['#', '?']).next().unwrap_or(""));
    if path.contains(':') || path.starts_with(['/', '\\', '~']) {
        return Err("only files next to this document are read".to_owned());
    }
    let mut clean = PathBuf::new();
    let directory = from.parent().unwrap_or(Path::new(""));
    for part in directory.join(path).components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir if clean.pop() => {}
            Component::ParentDir => {
                return Err("it is outside of the document's directory".to_owned());
            }
            _ => {}
        }
    }
    Ok(clean)
}

fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let escaped = (*byte == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn documents(value: Value) -> Documents<'static> {
        Documents::gather(
            &Input::default(),
            Cow::Borrowed(""),
            value,
            Edits::default(),
        )
    }

    fn target(value: Value, reference: &str) -> Result<String, String> {
        let documents = documents(value);
        let root = documents.root().unwrap();
        documents.target(&root, reference).map(|node| node.pointer)
    }

    #[test]
    fn pointers_are_unescaped() {
        let value = json!({"paths": {"/a~b": {"get": 1}}});
        assert_eq!(
            target(value, "#/paths/~1a~0b/get"),
            Ok("/paths/~1a~0b/get".to_owned())
        );
        assert_eq!(target(json!({"a b": 1}), "#/a%20b"), Ok("/a b".to_owned()));
        assert_eq!(target(json!({"a": [1, 2]}), "#/a/1"), Ok("/a/1".to_owned()));
    }

    #[test]
    fn a_pointer_may_lead_through_a_reference() {
        let value = json!({"a": {"$ref": "#/b"}, "b": {"c": 1}});
        assert_eq!(target(value, "#/a/c"), Ok("/b/c".to_owned()));
        assert!(target(json!({"a": {"$ref": "#/a"}}), "#/a/c").is_err());
    }

    #[test]
    fn misplaced_components_are_found() {
        let value = json!({"components": {"schemas": {"Pet": {}}}});
        let pet = Ok("/components/schemas/Pet".to_owned());
        assert_eq!(target(value.clone(), "#/definitions/Pet"), pet);
        assert_eq!(target(value.clone(), "Pet"), pet);
        assert!(target(value, "#/definitions/Dog").is_err());
    }

    #[test]
    fn circles_end() {
        let documents = documents(json!({"a": {"$ref": "#/b"}, "b": {"$ref": "#/a"}}));
        let node = documents.root().unwrap().child("a").unwrap();
        assert!(documents.resolve(node).is_err());
    }

    #[test]
    fn only_files_beside_the_document_are_read() {
        let path = |from: &str, reference: &str| relative_path(Path::new(from), reference);
        assert_eq!(path("a/b.yaml", "../c.yaml#/X"), Ok("c.yaml".into()));
        assert_eq!(path("", "./s/c.yaml"), Ok("s/c.yaml".into()));
        assert!(path("", "../c.yaml").is_err());
        assert!(path("", "/etc/passwd").is_err());
        assert!(path("", "file:///etc/passwd").is_err());
    }
}
