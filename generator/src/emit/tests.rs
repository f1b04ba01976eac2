//! Tests of the names that an existing crate keeps.

use super::{Context, EtlgenToml, Files, files};
use crate::diff::Surface;
use crate::infer::infer;
use crate::overrides::{Overridden, Overrides, apply};
use crate::plan::package::{Package, Wanted};
use crate::plan::{Ledger, Options, Plan, Runtime, plan};
use crate::spec::api::Api;
use crate::spec::{Input, read};

fn shared() -> Input {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/documents");
    Input::load(&format!("{folder}/shared.yaml")).unwrap()
}

/// Returns the Rust files of a crate, concatenated.
fn rust(plan: &Plan) -> String {
    let context = Context {
        spec: "api.yaml".to_owned(),
        learned: Files::new(),
        runtime: Runtime {
            version: "1.2.3".to_owned(),
            path: None,
        },
        destinations: None,
        hosts: Vec::new(),
        package: Package::new(Wanted::default()).unwrap(),
        own_workspace: true,
        etlgen_toml: EtlgenToml::First(Vec::new()),
    };
    let files = files(plan, &context).unwrap();
    let rust = files.into_iter().filter(|(path, _)| path.ends_with(".rs"));
    rust.map(|(_, text)| text).collect()
}

/// Returns the facts of an API without overrides.
fn overridden(api: &Api) -> Overridden {
    apply(api, infer(api), &Overrides::default(), false).unwrap()
}

/// Returns the settings of a crate for `shared.yaml`, if these names were given earlier.
fn settings(ledger: Ledger) -> (Vec<String>, Ledger) {
    let input = shared();
    let (api, _) = read(&input);
    let api = api.unwrap();
    let options = Options {
        ledger,
        ..Options::default()
    };
    let plan = plan(&api, &overridden(&api), &options);
    let idents = plan.settings.iter().map(|setting| setting.ident.clone());
    (idents.collect(), plan.ledger)
}

#[test]
fn settings_are_named_after_what_wants_them_and_keep_their_names() {
    let (new, ledger) = settings(Ledger::new());
    let named = [
        "base_url",
        "revision",
        "site",
        "attachment_id",
        "gallery_id",
        "icon_type",
        "event_resource",
        "event_type",
    ];
    assert_eq!(new, named);
    assert_eq!(settings(ledger.clone()).0, named);

    // An older crate named settings after their parameters alone, and keeps these names.
    let mut old = ledger.clone();
    old.retain(|what, _| !what.starts_with("setting "));
    let (kept, told) = settings(old.clone());
    let before = ["base_url", "revision", "site", "id", "type_", "resource"];
    let before = before.map(|name| name.trim_end_matches('_').to_owned());
    assert_eq!(kept, before);
    assert_eq!(settings(told).0, before);

    // New settings of an old crate are named as in a new crate.
    old.retain(|what, name| !(what.starts_with("resource ") && name == "icons"));
    let (mixed, _) = settings(old);
    assert!(mixed.contains(&"gallery_id".to_owned()), "{mixed:?}");
    assert!(mixed.contains(&"icon_type".to_owned()), "{mixed:?}");
    assert!(mixed.contains(&"id".to_owned()), "{mixed:?}");
}

#[test]
fn a_struct_that_exists_keeps_the_case_of_its_keys() {
    let input = shared();
    let (api, _) = read(&input);
    let api = api.unwrap();
    let facts = overridden(&api);
    let ledger = |ledger: Ledger| Options {
        ledger,
        ..Options::default()
    };
    let new = plan(&api, &facts, &Options::default());
    assert!(rust(&new).contains("rename_all = \"camelCase\""));
    let mut old = new.ledger.clone();
    old.retain(|what, _| !what.starts_with("case "));
    let kept = plan(&api, &facts, &ledger(old));
    assert!(!rust(&kept).contains("rename_all"));
    // The tables and the surface are the same.
    assert_eq!(Surface::from(&new), Surface::from(&kept));
    let again = plan(&api, &facts, &ledger(new.ledger.clone()));
    assert_eq!(rust(&again), rust(&new));
}

/// Returns the declaration of the only resource of a document with this operation, below these keys.
fn declared(operation: &str, keys: &str) -> String {
    let document = format!(
        "openapi: 3.0.3\ninfo: {{title: t, version: '1'}}\npaths:\n  /runs/search:\n    {operation}\n"
    );
    let (api, _) = read(&Input::new("api.yaml", document.as_bytes()));
    let api = api.unwrap();
    let text = format!("[resources.runs]\n{keys}\n");
    let overrides = crate::overrides::parse("etlgen.toml", &text).unwrap();
    let own = apply(&api, infer(&api), &overrides, false).unwrap();
    let rust = rust(&plan(&api, &own, &Options::default()));
    rust.split_whitespace().collect()
}

#[test]
fn the_owners_words_about_lists_and_the_place_of_a_bound_are_in_the_code() {
    const RECORD: &str = "{type: object, properties: {id: {type: string}, at: {type: string, format: date-time}, lines: {type: object, properties: {items: {type: array, items: {type: string}}, total: {type: integer}}}}}";
    let post = |body: &str| {
        format!(
            "post: {{requestBody: {body}, responses: {{'200': {{description: ok, content: {{application/json: {{schema: {{type: object, properties: {{runs: {{type: array, items: {RECORD}}}}}}}}}}}}}}}}}"
        )
    };
    let json = post(
        "{content: {application/json: {schema: {type: object, properties: {since: {type: string}}}}}}",
    );
    let rust = declared(
        &json,
        "list_may_be_absent = true\nwhole_lists = [\"lines\"]\nincremental = { field = \"at\", param = \"since\" }",
    );
    for call in [
        ".list_may_be_absent()",
        ".whole_list(\"lines\")",
        ".param(\"since\").in_body()",
    ] {
        assert!(rust.contains(call), "{call}: {rust}");
    }
    let pages = "paginate = { kind = \"offset\", param = \"offset\", in_pairs = \"page\" }";
    assert!(declared(&json, pages).contains(".in_pairs(\"page\")"));
    let form = post(
        "{required: true, content: {application/x-www-form-urlencoded: {schema: {type: object}}}}",
    );
    let rust = declared(&form, "");
    assert!(
        rust.contains(".unsendable(\"itsrequestneedsabody"),
        "{rust}"
    );
}
