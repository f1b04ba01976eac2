//! Tests of `etlgen diff`: each kind of change, its level, and its text.

mod judged;
mod told;

use std::path::Path;

use super::{Change, Diff, Kind, Surface, diff};
use crate::infer::infer;
use crate::overrides::{self, Overrides};
use crate::plan::{Ledger, Options, Plan, plan};
use crate::spec::{Input, read};

/// A small API. One list holds objects, lists and a struct that another list has, too.
const API: &str = "\
openapi: 3.0.3
info: {title: Shop, version: '1'}
servers: [{url: https://shop.example}]
security: [{key: []}]
paths:
  /orders:
    get:
      parameters:
        - {name: page, in: query, schema: {type: integer}}
        - {name: per_page, in: query, schema: {type: integer, maximum: 50}}
        - {name: updated_since, in: query, schema: {type: string, format: date-time}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Order'}}}}}}
  /orders/{order_id}/notes:
    get:
      parameters:
        - {name: order_id, in: path, required: true, schema: {type: integer}}
        - {name: page, in: query, schema: {type: integer}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Note'}}}}}}
  /users:
    get:
      parameters:
        - {name: page, in: query, schema: {type: integer}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/User'}}}}}}
components:
  securitySchemes:
    key: {type: http, scheme: bearer}
  schemas:
    Order:
      type: object
      properties:
        id: {type: integer}
        updated_at: {type: string, format: date-time}
        total: {type: integer}
        due: {type: string, format: date}
        tags: {type: array, items: {type: string}}
        shipTo: {$ref: '#/components/schemas/Address'}
        lines: {type: array, items: {$ref: '#/components/schemas/Line'}}
    Line:
      type: object
      properties:
        sku: {type: string}
        amount: {type: integer}
    Note:
      type: object
      properties:
        id: {type: integer}
        text: {type: string}
    User:
      type: object
      properties:
        id: {type: integer}
        code: {type: string}
        home: {$ref: '#/components/schemas/Address'}
    Address:
      type: object
      properties:
        street: {type: string}
        zip: {type: string}
";

/// Plans a document with the names given earlier.
fn planned(name: &str, text: &str, wishes: &str, ledger: &Ledger) -> Plan {
    let input = Input {
        name: name.to_owned(),
        bytes: text.as_bytes().to_vec(),
        ..Input::default()
    };
    let (api, said) = read(&input);
    let api = api.unwrap_or_else(|| panic!("{name}: {said:?}"));
    let overrides = overrides::parse("etlgen.toml", wishes).unwrap();
    let overridden = overrides::apply(&api, infer(&api), &overrides, false);
    let overridden = overridden.unwrap_or_else(|error| panic!("{name}: {error}"));
    let options = Options {
        ledger: ledger.clone(),
        ..Options::default()
    };
    plan(&api, &overridden, &options)
}

fn compared(old: (&str, &str), new: (&str, &str)) -> Diff {
    let old = planned("old.yaml", old.0, old.1, &Ledger::new());
    let new = planned("new.yaml", new.0, new.1, &old.ledger);
    diff(&Surface::from(&old), &Surface::from(&new))
}

/// Returns the API with some texts replaced by others.
fn with(changes: &[(&str, &str)]) -> String {
    let mut text = API.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old:?} does not stand there");
        text = text.replacen(old, new, 1);
    }
    text
}

/// Returns the only change that results from a change of the document.
fn one(changes: &[(&str, &str)]) -> Change {
    let found = compared((API, ""), (&with(changes), ""));
    let [change] = found.changes.as_slice() else {
        panic!("{:#?}", found.changes);
    };
    change.clone()
}

/// Returns the only change that results from an override.
fn wished(wishes: &str) -> Change {
    let found = compared((API, ""), (API, wishes));
    let [change] = found.changes.as_slice() else {
        panic!("{:#?}", found.changes);
    };
    change.clone()
}

fn of(found: &Diff, kind: Kind) -> &Change {
    let change = found.changes.iter().find(|change| change.kind == kind);
    change.unwrap_or_else(|| panic!("no {kind:?} in {:#?}", found.changes))
}

/// Returns all documents of this repository, and those next to it.
fn documents() -> Vec<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    let mut folders = vec![
        root.join("tests/fixtures/documents"),
        root.join("generated-examples/specs"),
    ];
    match etlgen_testkit::shared::specs().join("Deployed") {
        folder if folder.exists() => folders.push(folder),
        _ => etlgen_testkit::skip(
            etlgen_testkit::Kind::Shared,
            "real documents are not next to the repository",
        ),
    }
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).into_iter().flatten();
        for path in entries.map(|entry| entry.unwrap().path()) {
            let kind = path.extension().and_then(|kind| kind.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if matches!(kind, Some("yaml" | "yml" | "json")) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn nothing_differs_from_itself() {
    let mut seen = 0;
    for path in documents() {
        let input = Input::load(&path.display().to_string()).unwrap();
        let (Some(api), _) = read(&input) else {
            continue;
        };
        let overrides = Overrides::default();
        let Ok(overridden) = overrides::apply(&api, infer(&api), &overrides, false) else {
            continue;
        };
        let plan_with = |ledger: &Ledger| {
            let options = Options {
                ledger: ledger.clone(),
                fallback_name: "x".to_owned(),
                ..Options::default()
            };
            plan(&api, &overridden, &options)
        };
        let first = plan_with(&Ledger::new());
        let again = plan_with(&first.ledger);
        let (old, new) = (Surface::from(&first), Surface::from(&again));
        assert_eq!(diff(&old, &new), Diff::default(), "{}", path.display());
        // The surface survives a round trip through the lock.
        let text = serde_json::to_string(&old).unwrap();
        let kept: Surface = serde_json::from_str(&text).unwrap();
        assert_eq!(kept, new, "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 12, "only {seen} documents could be planned");
}

#[test]
fn structs_of_one_place_keep_their_names() {
    let meta = "        meta: {type: object, properties: {a: {type: string}}}\n";
    let same = |said: &str| {
        format!(
            "        meta: {{description: {said}, allOf: [{{$ref: '#/components/schemas/Order/properties/meta'}}]}}\n"
        )
    };
    let before = |line: &str, text: &str| (line.to_owned(), format!("{text}{line}"));
    let changes = [
        before("        total: {type: integer}\n", meta),
        before("        text: {type: string}\n", &same("One.")),
        before("        code: {type: string}\n", &same("Another.")),
    ];
    let changes: Vec<(&str, &str)> = changes
        .iter()
        .map(|(old, new)| (old.as_str(), new.as_str()))
        .collect();
    let text = with(&changes);
    let first = planned("one.yaml", &text, "", &Ledger::new());
    let again = planned("one.yaml", &text, "", &first.ledger);
    assert_eq!(first.ledger, again.ledger);
    let surface = Surface::from(&first);
    let several = surface.structs.keys().filter(|name| name.ends_with("Meta"));
    assert!(several.count() > 1, "{:#?}", first.ledger);
    assert_eq!(diff(&surface, &Surface::from(&again)), Diff::default());
}
