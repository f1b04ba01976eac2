//! OpenAPI Overlays (1.0, and `copy` of 1.1), with which an owner changes a document without
//! editing it. They are applied to the parsed value before it is interpreted. The changes are
//! logged, so that a finding refers to the file that the part comes from.

use serde_json::Value;
use serde_json_path::{JsonPath, NormalizedPath, PathElement};

use super::load::Input;
use super::locate::locate;
use super::node::push_token;
use super::parse::{decode, parse_text};
use super::report::Report;
use crate::diagnostics::{Position, Severity};

const NO_OVERLAY: &str = "this overlay cannot be applied";
const HINT: &str = "an overlay has `overlay: 1.0.0` and `actions`, each with a `target` and an `update`, `remove` or `copy`";

/// The changes of overlays, in order.
#[derive(Debug, Default)]
pub(super) struct Edits {
    overlays: Vec<Source>,
    log: Vec<Edit>,
    /// The number of parts that were inserted.
    grown: usize,
}

/// The most parts that overlays may insert: copies of copies could grow without limit.
const MOST_PARTS: usize = 200_000;
/// The deepest nesting of a document that is read.
const DEEPEST: usize = 128;
/// The deepest nesting of the brackets in a JSONPath, and its greatest length.
const DEEPEST_PATH: usize = 32;
const LONGEST_PATH: usize = 10_000;

/// An overlay's file.
#[derive(Debug)]
struct Source {
    name: String,
    text: String,
}

#[derive(Debug)]
enum Edit {
    /// A value of an overlay, at the pointer `source`, was put into the document at `pointer`.
    Put {
        pointer: String,
        overlay: usize,
        source: String,
    },
    /// An item of a list was removed, and those behind it have moved up.
    Gone { list: String, index: usize },
}

impl Edits {
    /// Returns the pointer that a part had in the document before the overlays, or, as an error,
    /// the overlay and the place that it comes from.
    pub fn origin(&self, pointer: &str) -> Result<String, (String, Option<Position>)> {
        let mut pointer = pointer.to_owned();
        for edit in self.log.iter().rev() {
            match edit {
                Edit::Put {
                    pointer: put,
                    overlay,
                    source,
                } => {
                    let Some(rest) = within(&pointer, put) else {
                        continue;
                    };
                    let Some(file) = self.overlays.get(*overlay) else {
                        continue;
                    };
                    let place = locate(&file.text, &format!("{source}{rest}"));
                    return Err((file.name.clone(), place));
                }
                Edit::Gone { list, index } => {
                    let Some(rest) = within(&pointer, list) else {
                        continue;
                    };
                    let (token, rest) = match rest.get(1..).unwrap_or_default().split_once('/') {
                        Some((token, rest)) => (token, format!("/{rest}")),
                        None => (rest.get(1..).unwrap_or_default(), String::new()),
                    };
                    if let Ok(at) = token.parse::<usize>()
                        && at >= *index
                    {
                        pointer = format!("{list}/{}{rest}", at + 1);
                    }
                }
            }
        }
        Ok(pointer)
    }
}

/// Returns what follows the pointer `above` in a pointer below it.
fn within<'a>(pointer: &'a str, above: &str) -> Option<&'a str> {
    let rest = pointer.strip_prefix(above)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Applies the overlays of an input in their order. An invalid one is an error, and the rest is not
/// applied.
pub(super) fn apply(input: &Input, value: &mut Value, report: &mut Report) -> Edits {
    let mut edits = Edits::default();
    for overlay in &input.overlays {
        let text = decode(&overlay.bytes).into_owned();
        edits.overlays.push(Source {
            name: overlay.name.clone(),
            text,
        });
        if let Err(fault) = apply_one(&mut edits, value, report) {
            let position = fault.place.or_else(|| {
                let text = &edits.overlays.last()?.text;
                locate(text, &fault.pointer).or(Some(Position { line: 1, column: 1 }))
            });
            report.text(
                Severity::Error,
                &overlay.name,
                position,
                NO_OVERLAY,
                &fault.message,
                Some(fault.hint),
            );
            break;
        }
    }
    edits
}

/// The reason why an overlay cannot be applied.
struct Fault {
    /// In the overlay.
    pointer: String,
    place: Option<Position>,
    message: String,
    hint: &'static str,
}

impl Fault {
    fn at(pointer: impl Into<String>, message: impl Into<String>) -> Fault {
        Fault {
            pointer: pointer.into(),
            place: None,
            message: message.into(),
            hint: HINT,
        }
    }
}

fn apply_one(edits: &mut Edits, value: &mut Value, report: &mut Report) -> Result<(), Fault> {
    let overlay = edits.overlays.len() - 1;
    let Some(Source { name, text }) = edits.overlays.last() else {
        return Ok(());
    };
    let (name, text) = (name.clone(), text.clone());
    let document = parse_text(&text).map_err(|error| Fault {
        place: error.position,
        ..Fault::at("", error.message)
    })?;
    let version = match document.get("overlay") {
        Some(Value::String(version)) => version.trim().to_owned(),
        Some(Value::Number(version)) => version.to_string(),
        _ => return Err(Fault::at("", "there is no `overlay` with its version")),
    };
    if version != "1" && !version.starts_with("1.") {
        let message = format!("version {version} is not known");
        return Err(Fault::at("/overlay", message));
    }
    let Some(Value::Array(actions)) = document.get("actions") else {
        return Err(Fault::at("/actions", "there is no list of `actions`"));
    };
    for (at, action) in actions.iter().enumerate() {
        let here = format!("/actions/{at}");
        let mut action = Action {
            edits,
            overlay,
            pointer: &here,
            action,
        };
        if let Some(idle) = action.apply(value)? {
            let place = locate(&text, &here);
            report.text(Severity::Warning, &name, place, idle.0, &idle.1, None);
        }
    }
    Ok(())
}

/// The kind and detail of the warning about an action that changes nothing.
type Idle = (&'static str, String);

struct Action<'a> {
    edits: &'a mut Edits,
    overlay: usize,
    /// In the overlay.
    pointer: &'a str,
    action: &'a Value,
}

impl Action<'_> {
    fn apply(&mut self, value: &mut Value) -> Result<Option<Idle>, Fault> {
        let Some(target) = self.action.get("target").and_then(Value::as_str) else {
            return Err(Fault::at(self.pointer, "an action has no `target`"));
        };
        let path = self.path("target", target)?;
        let found: Vec<Vec<Step>> = path
            .query_located(value)
            .locations()
            .map(|location| steps(location))
            .collect();
        if found.is_empty() {
            let kind = "an overlay's target matches nothing in the document";
            return Ok(Some((kind, target.to_owned())));
        }
        if self.action.get("remove").and_then(Value::as_bool) == Some(true) {
            self.remove(value, found)?;
            return Ok(None);
        }
        let (update, source, spread) = match (self.action.get("update"), self.action.get("copy")) {
            (Some(update), _) => (update.clone(), format!("{}/update", self.pointer), true),
            (None, Some(Value::String(from))) => {
                let path = self.path("copy", from)?;
                let nodes = path.query(value).all();
                let [node] = nodes.as_slice() else {
                    let message = format!("`copy` selects {} parts, not one: {from}", nodes.len());
                    return Err(Fault::at(format!("{}/copy", self.pointer), message));
                };
                let node: Value = (*node).clone();
                // The copied parts have no places of their own in the overlay.
                (node, format!("{}/copy", self.pointer), false)
            }
            _ => {
                let kind = "an overlay's action changes nothing";
                return Ok(Some((kind, target.to_owned())));
            }
        };
        self.check_growth(&found, &update)?;
        for steps in found {
            let pointer = pointer(&steps);
            let Some(node) = value.pointer_mut(&pointer) else {
                continue;
            };
            let mut merge = Merge {
                log: &mut self.edits.log,
                overlay: self.overlay,
                spread,
            };
            // If the target is a list, a value is appended to it.
            let merged = match (node, &update) {
                (Value::Array(items), update) if !update.is_array() => {
                    merge.append(items, &pointer, update, source.clone());
                    Ok(())
                }
                (node, update) => merge.merge(node, update, &pointer, &source),
            };
            merged.map_err(|at| Fault {
                hint: "an object is merged with an object, a list with a list, a value replaces a value; to replace the rest, `remove` it first",
                ..Fault::at(at, format!("it is of another type than the value at {pointer}"))
            })?;
        }
        Ok(None)
    }

    /// Rejects a change that would make the document too large or too deep.
    fn check_growth(&mut self, found: &[Vec<Step>], update: &Value) -> Result<(), Fault> {
        let (parts, depth) = measure(update);
        let grown = parts.saturating_mul(found.len());
        self.edits.grown = self.edits.grown.saturating_add(grown);
        let deepest = found.iter().map(Vec::len).max().unwrap_or(0);
        let why = if self.edits.grown > MOST_PARTS {
            format!("the overlays put more than {MOST_PARTS} parts into the document")
        } else if deepest.saturating_add(depth) > DEEPEST {
            format!("the document would be nested deeper than {DEEPEST} levels")
        } else {
            return Ok(());
        };
        Err(Fault {
            hint: "a `copy` into a part of what it copies grows each time: name a smaller part",
            ..Fault::at(self.pointer, why)
        })
    }

    fn path(&self, key: &str, text: &str) -> Result<JsonPath, Fault> {
        if text.len() > LONGEST_PATH || nesting(text) > DEEPEST_PATH {
            let message = format!(
                "the JSONPath is longer than {LONGEST_PATH} bytes, or nested deeper than {DEEPEST_PATH} levels"
            );
            return Err(Fault::at(format!("{}/{key}", self.pointer), message));
        }
        JsonPath::parse(text).map_err(|error| Fault {
            hint: "it must be a JSONPath of RFC 9535: $.paths['/things'].get",
            ..Fault::at(
                format!("{}/{key}", self.pointer),
                format!("`{text}` is not a JSONPath: {error}"),
            )
        })
    }

    fn remove(&mut self, value: &mut Value, mut found: Vec<Vec<Step>>) -> Result<(), Fault> {
        // Items are removed from the last to the first, so that the indexes of the others stay
        // valid.
        found.sort_by(|a, b| b.cmp(a));
        found.dedup();
        for steps in found {
            let Some((last, above)) = steps.split_last() else {
                return Err(Fault::at(
                    self.pointer,
                    "the whole document cannot be removed",
                ));
            };
            let list = pointer(above);
            match (value.pointer_mut(&list), last) {
                (Some(Value::Object(map)), Step::Key(key)) => {
                    map.shift_remove(key);
                }
                (Some(Value::Array(items)), Step::Index(index)) if *index < items.len() => {
                    items.remove(*index);
                    let index = *index;
                    self.edits.log.push(Edit::Gone { list, index });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A step of a path; a later item of a list is greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(String),
    Index(usize),
}

fn steps(path: &NormalizedPath<'_>) -> Vec<Step> {
    let steps = path.iter().map(|element| match element {
        PathElement::Name(name) => Step::Key((*name).to_owned()),
        PathElement::Index(index) => Step::Index(*index),
    });
    steps.collect()
}

fn pointer(steps: &[Step]) -> String {
    let mut pointer = String::new();
    for step in steps {
        match step {
            Step::Key(key) => push_token(&mut pointer, key),
            Step::Index(index) => push_token(&mut pointer, &index.to_string()),
        }
    }
    pointer
}

struct Merge<'a> {
    log: &'a mut Vec<Edit>,
    overlay: usize,
    /// Whether the parts of the update have their own places.
    spread: bool,
}

impl Merge<'_> {
    /// Merges an update into a value; fails with the update's pointer if the kinds of the two
    /// cannot be merged.
    fn merge(
        &mut self,
        target: &mut Value,
        update: &Value,
        pointer: &str,
        source: &str,
    ) -> Result<(), String> {
        match (target, update) {
            (Value::Object(target), Value::Object(update)) => {
                for (key, value) in update {
                    let (pointer, source) = (joined(pointer, key), self.inner(source, key));
                    match target.get_mut(key) {
                        Some(inner) => self.merge(inner, value, &pointer, &source)?,
                        None => {
                            target.insert(key.clone(), value.clone());
                            self.put(pointer, source);
                        }
                    }
                }
            }
            (Value::Array(target), Value::Array(update)) => {
                for (at, item) in update.iter().enumerate() {
                    let source = self.inner(source, &at.to_string());
                    self.append(target, pointer, item, source);
                }
            }
            (target, update) if target.is_null() || !(is_tree(target) || is_tree(update)) => {
                *target = update.clone();
                self.put(pointer.to_owned(), source.to_owned());
            }
            _ => return Err(source.to_owned()),
        }
        Ok(())
    }

    fn append(&mut self, items: &mut Vec<Value>, pointer: &str, item: &Value, source: String) {
        self.put(joined(pointer, &items.len().to_string()), source);
        items.push(item.clone());
    }

    fn put(&mut self, pointer: String, source: String) {
        self.log.push(Edit::Put {
            pointer,
            overlay: self.overlay,
            source,
        });
    }

    fn inner(&self, source: &str, key: &str) -> String {
        match self.spread {
            true => joined(source, key),
            false => source.to_owned(),
        }
    }
}

/// Returns the number of parts of a value, and the depth of its nesting. The parser limits the
/// depth, so the recursion is safe.
fn measure(value: &Value) -> (usize, usize) {
    let inner: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Object(map) => Box::new(map.values()),
        Value::Array(items) => Box::new(items.iter()),
        _ => return (1, 0),
    };
    let all = inner.map(measure);
    let (parts, depth) = all.fold((1usize, 0usize), |(parts, depth), (more, inner)| {
        (parts.saturating_add(more), depth.max(inner))
    });
    (parts, depth.saturating_add(1))
}

/// Returns the depth to which the brackets of a JSONPath are nested.
fn nesting(path: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for byte in path.bytes() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn is_tree(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn joined(pointer: &str, key: &str) -> String {
    let mut pointer = pointer.to_owned();
    push_token(&mut pointer, key);
    pointer
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::{api::Api, read};

    const DOCUMENT: &str = "\
openapi: 3.0.0
info: {title: T, version: '1'}
tags:
  - a
  - b
  - c
paths:
  /things:
    get:
      parameters:
        - {name: old, in: query}
        - {name: page, in: query}
        - {name: odd, in: nowhere}
      responses: {}
";

    fn input(overlay: &str) -> Input {
        let file = |name: &str, text: &str| Input {
            name: name.to_owned(),
            bytes: text.as_bytes().to_vec(),
            ..Input::default()
        };
        Input {
            overlays: vec![file("fix.yaml", overlay)],
            ..file("api.yaml", DOCUMENT)
        }
    }

    /// Applies actions to a value.
    fn applied(mut value: Value, actions: &str) -> Value {
        let input = input(&format!("overlay: 1.0.0\nactions:\n{actions}"));
        let mut report = Report::default();
        apply(&input, &mut value, &mut report);
        assert!(!report.failed(), "{report:?}");
        value
    }

    #[test]
    fn what_grows_or_nests_without_end_is_an_error() {
        let doubling = "  - {target: $.info, copy: $}\n".repeat(200);
        let many = "  - {target: '$..*', update: {x: {y: {}}}}\n".repeat(200);
        let deep = format!(
            "  - {{target: \"$[?{}@.a{}]\", update: {{}}}}\n",
            "(".repeat(100_000),
            ")".repeat(100_000)
        );
        for (actions, value, said) in [
            (&doubling, json!({"info": {}}), "nested deeper than 128"),
            (&many, json!({"a": {"b": {}}}), "put more than"),
            (&deep, json!({"a": 1}), "the JSONPath is longer"),
        ] {
            let input = input(&format!("overlay: 1.0.0\nactions:\n{actions}"));
            let (mut report, mut value) = (Report::default(), value);
            let began = std::time::Instant::now();
            apply(&input, &mut value, &mut report);
            assert!(report.failed(), "{said}");
            let report = format!("{report:?}");
            assert!(report.contains(said), "{said}: {report}");
            assert!(began.elapsed().as_secs() < 20, "{said}");
        }
    }

    fn understood(overlay: &str) -> (Option<Api>, String) {
        let (api, diagnostics) = read(&input(overlay));
        let said: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        (api, said.join("\n"))
    }

    #[test]
    fn objects_are_merged_lists_appended_values_replaced() {
        let value = json!({"a": {"x": 1, "l": [1], "n": null}, "b": 2});
        let actions = "  - {target: $.a, update: {x: 5, y: {z: 1}, l: [2, [3]], n: {o: 1}}}\n";
        assert_eq!(
            applied(value, actions),
            json!({"a": {"x": 5, "l": [1, 2, [3]], "n": {"o": 1}, "y": {"z": 1}}, "b": 2})
        );
        let value = json!({"l": [{"n": 1}], "s": "old"});
        let actions = "  - {target: $.l, update: {n: 2}}\n  - {target: $.l, update: [3, 4]}\n  - {target: $.s, update: new}\n";
        assert_eq!(
            applied(value, actions),
            json!({"l": [{"n": 1}, {"n": 2}, 3, 4], "s": "new"})
        );
    }

    #[test]
    fn every_match_is_changed_and_actions_follow_one_another() {
        let value = json!({"p": {"/a": {"get": {}}, "/b": {"get": {}, "put": {}}}});
        let actions = "  - {target: '$.p.*.get', update: {x: 1}}\n  - {target: \"$.p['/b']\", update: {get: {y: 2}}}\n";
        assert_eq!(
            applied(value, actions),
            json!({"p": {"/a": {"get": {"x": 1}}, "/b": {"get": {"x": 1, "y": 2}, "put": {}}}})
        );
    }

    #[test]
    fn what_is_removed_is_gone_also_several_of_a_list() {
        let value = json!({"l": [{"n": "a"}, {"n": "b"}, {"n": "a"}, {"n": "c"}], "k": 1, "o": 2});
        let actions = "  - {target: \"$.l[?@.n == 'a']\", remove: true}\n  - {target: $.k, remove: true, update: 7}\n";
        assert_eq!(
            applied(value, actions),
            json!({"l": [{"n": "b"}, {"n": "c"}], "o": 2})
        );
    }

    #[test]
    fn a_part_is_copied() {
        let value = json!({"from": {"x": [1]}, "to": {"x": [0]}});
        let actions = "  - {target: $.to, copy: $.from}\n";
        assert_eq!(
            applied(value, actions),
            json!({"from": {"x": [1]}, "to": {"x": [0, 1]}})
        );
    }

    #[test]
    fn a_target_that_matches_nothing_is_a_warning() {
        let (api, said) =
            understood("overlay: 1.0.0\nactions:\n  - target: $.paths['/thing']\n    update: {}\n");
        assert!(api.is_some());
        assert!(
            said.contains("warning: fix.yaml:3:3: an overlay's target matches nothing"),
            "{said}"
        );
    }

    #[test]
    fn what_is_no_overlay_is_said_with_its_place() {
        for (overlay, place) in [
            ("actions: [\n", "fix.yaml:"),
            ("a: 1\n", "fix.yaml:1:1: "),
            ("overlay: 2.0.0\nactions: []\n", "fix.yaml:1:1: "),
            ("overlay: 1.0.0\nactions: 5\n", "fix.yaml:2:1: "),
            (
                "overlay: 1.0.0\nactions:\n  - target: $.paths\n    update: {}\n  - update: {}\n",
                "fix.yaml:5:3: ",
            ),
            (
                "overlay: 1.0.0\nactions:\n  - update: {}\n    target: $.paths./x[\n",
                "fix.yaml:4:5: ",
            ),
            (
                "overlay: 1.0.0\nactions:\n  - target: $.paths\n    update:\n      /things:\n        get: 5\n",
                "fix.yaml:6:9: ",
            ),
            (
                "overlay: 1.0.0\nactions:\n  - {target: $, remove: true}\n",
                "fix.yaml:3:3: ",
            ),
        ] {
            let (api, said) = understood(overlay);
            assert!(api.is_none(), "{overlay}");
            assert!(said.contains(&format!("error: {place}")), "{said}");
        }
    }

    #[test]
    fn findings_are_placed_in_the_file_that_the_part_comes_from() {
        // One item of the document's list is removed, and one of the overlay is added.
        let overlay = "\
overlay: 1.0.0
actions:
  - target: $.paths['/things'].get.parameters[0]
    remove: true
  - target: $.paths['/things'].get.parameters
    update:
      name: mine
      in: elsewhere
";
        let (api, said) = understood(overlay);
        let api = api.unwrap();
        assert!(
            api.operations[0]
                .parameters
                .iter()
                .all(|parameter| parameter.name != "old")
        );
        assert!(said.contains("api.yaml:13:9: "), "{said}");
        assert!(said.contains("fix.yaml:6:5: "), "{said}");
    }
}
