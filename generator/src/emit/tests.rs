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
