//! What is emitted, as snapshots: a change of the generated code is seen in a review.

use std::path::{Path, PathBuf};

use etlgen::diff::Surface;
use etlgen::emit::{Context, Files, files};
use etlgen::infer::infer;
use etlgen::plan::package::{Package, Wanted};
use etlgen::plan::{Ledger, Options, Plan, Runtime, adjust, overrides, plan, unknown_fields};
use etlgen::spec::{Input, read};

fn trap(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/documents")
        .join(name)
}

fn planned(document: &Path, wishes: &str) -> Result<Plan, String> {
    let input = Input::load(&document.display().to_string()).unwrap();
    let (api, _) = read(&input);
    let api = api.unwrap();
    let mut facts = infer(&api);
    let overrides = overrides::parse("etlgen.toml", wishes).map_err(|error| error.to_string())?;
    adjust(&api, &mut facts, &overrides).map_err(|error| error.to_string())?;
    let options = Options {
        overrides,
        ..Options::default()
    };
    plan(&api, &facts, &options).map_err(|error| error.to_string())
}

/// The Rust files of a crate before rustfmt, one after the other; `Cargo.toml` and `etlgen.toml` before them.
fn emitted(plan: &Plan) -> String {
    let files = emitted_all(plan);
    let shown = files
        .iter()
        .filter(|(path, _)| path.ends_with(".toml") || path.starts_with("src/"));
    shown
        .map(|(path, text)| format!("=== {path}\n{text}\n"))
        .collect()
}

/// Every file of a crate, before rustfmt.
fn emitted_all(plan: &Plan) -> Files {
    let context = Context {
        spec: "api.yaml".to_owned(),
        overlays: Vec::new(),
        learned: Files::new(),
        runtime: Runtime {
            version: "1.2.3".to_owned(),
            path: None,
        },
        package: Package::new(Wanted::default()).unwrap(),
        own_workspace: true,
        etlgen_toml: None,
        name: None,
        include: Vec::new(),
        exclude: Vec::new(),
        wanted: Wanted::default(),
    };
    files(plan, &context).unwrap()
}

macro_rules! snapshot {
    ($test:ident, $document:literal) => {
        #[test]
        fn $test() {
            insta::assert_snapshot!(emitted(&planned(&trap($document), "").unwrap()));
        }
    };
}

snapshot!(three_levels_two_keys_and_a_search, "levels.yaml");
snapshot!(names_of_all_kinds, "names.yaml");
snapshot!(keys_with_dots, "odata.yaml");
snapshot!(the_old_dialect, "swagger2.json");
snapshot!(a_token_that_is_renewed, "oauth.yaml");
snapshot!(unions_and_recursion, "unions.yaml");
snapshot!(types_by_examples, "examples.yaml");
snapshot!(what_lists_share_is_stated_once, "shared.yaml");

#[test]
fn an_owner_decides_what_is_whose_child() {
    let plan = planned(&trap("levels.yaml"), "[resources.boards]\nparent = false\n").unwrap();
    let boards = plan
        .resources
        .iter()
        .find(|resource| resource.name == "boards")
        .unwrap();
    assert_eq!(boards.parent, None);
    assert!(
        plan.settings
            .iter()
            .any(|setting| setting.ident == "team_id")
    );
    let refused = planned(
        &trap("levels.yaml"),
        "[resources.board_cards]\nparent = \"teams\"\n",
    );
    assert!(refused.unwrap_err().contains("it wants teamId, boardId"));
}

/// The settings of a crate for `shared.yaml`, when these names were given before.
fn settings(ledger: Ledger) -> (Vec<String>, Ledger) {
    let input = Input::load(&trap("shared.yaml").display().to_string()).unwrap();
    let (api, _) = read(&input);
    let api = api.unwrap();
    let options = Options {
        ledger,
        ..Options::default()
    };
    let plan = plan(&api, &infer(&api), &options).unwrap();
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

    // A crate of before named settings after their parameters alone, and keeps that.
    let mut old = ledger.clone();
    old.retain(|what, _| !what.starts_with("setting "));
    let (kept, told) = settings(old.clone());
    let before = ["base_url", "revision", "site", "id", "type_", "resource"];
    let before = before.map(|name| name.trim_end_matches('_').to_owned());
    assert_eq!(kept, before);
    assert_eq!(settings(told).0, before);

    // What is new in it is named as in a new crate.
    old.retain(|what, name| !(what.starts_with("resource ") && name == "icons"));
    let (mixed, _) = settings(old);
    assert!(mixed.contains(&"gallery_id".to_owned()), "{mixed:?}");
    assert!(mixed.contains(&"icon_type".to_owned()), "{mixed:?}");
    assert!(mixed.contains(&"id".to_owned()), "{mixed:?}");
}

#[test]
fn a_struct_that_exists_keeps_the_case_of_its_keys() {
    let input = Input::load(&trap("shared.yaml").display().to_string()).unwrap();
    let (api, _) = read(&input);
    let api = api.unwrap();
    let facts = infer(&api);
    let ledger = |ledger: Ledger| Options {
        ledger,
        ..Options::default()
    };
    let new = plan(&api, &facts, &Options::default()).unwrap();
    assert!(emitted(&new).contains("rename_all = \"camelCase\""));
    let mut old = new.ledger.clone();
    old.retain(|what, _| !what.starts_with("case "));
    let kept = plan(&api, &facts, &ledger(old)).unwrap();
    assert!(!emitted(&kept).contains("rename_all"));
    // The tables, and all that is offered, are the same.
    assert_eq!(Surface::from(&new), Surface::from(&kept));
    let again = plan(&api, &facts, &ledger(new.ledger.clone())).unwrap();
    assert_eq!(emitted(&again), emitted(&new));
}

#[test]
fn a_filter_with_an_expression_is_sent() {
    let wishes = "[resources.teams]\nincremental = { field = \"name\", param = \"filter\", template = \"name>{}\" }\n";
    let code = emitted(&planned(&trap("levels.yaml"), wishes).unwrap());
    let code: String = code.split_whitespace().collect();
    assert!(
        code.contains(".param(\"filter\").template(\"name>{}\").exclusive()"),
        "{code}"
    );
}

#[test]
fn what_is_wished_of_a_cursor_is_declared() {
    let wishes = "[resources.teams]\nincremental = { field = \"name\", param = \"from\", until = \"to\", exclusive = false, lookback = \"90m\", order = \"oldest_first\", windows = { from = \"2015-01-01\", length = \"48h\" }, most_rows = 1000 }\n";
    let code = emitted(&planned(&trap("levels.yaml"), wishes).unwrap());
    let code: String = code.split_whitespace().collect();
    let calls = ".until(\"to\").lookback(::std::time::Duration::from_secs(5400)).oldest_first().windows(\"2015-01-01\",days(2)).most_rows(1000)";
    assert!(code.contains(calls), "{code}");
    let wishes =
        "[resources.teams]\nincremental = { field = \"name\", order = \"newest_first\" }\n";
    let code = emitted(&planned(&trap("levels.yaml"), wishes).unwrap());
    let code: String = code.split_whitespace().collect();
    assert!(code.contains("NAME).newest_first()"), "{code}");
    let wishes = "[resources.teams]\nincremental = { field = \"name\", lookback = \"soon\" }\n";
    let refused = planned(&trap("levels.yaml"), wishes).unwrap_err();
    assert!(refused.contains("`soon` is no length of time"), "{refused}");
}

#[test]
fn resources_send_the_credentials_that_they_want() {
    let code = |wishes: &str| -> Vec<String> {
        let code = emitted(&planned(&trap("credentials.yaml"), wishes).unwrap());
        let squeezed = |file: &str| file.split_whitespace().collect::<String>();
        code.split("=== ")
            .map(|file| squeezed(file).replace(",)", ")"))
            .collect()
    };
    let files = code("");
    let file = |name: &str| -> &String {
        let path = format!("src/resources/{name}.rs");
        files.iter().find(|file| file.starts_with(&path)).unwrap()
    };
    for (name, part) in [
        (
            "audits",
            ".auth(\"admin_token\",config.admin_token.as_ref().map(Auth::bearer))",
        ),
        (
            "audit_events",
            ".auth(\"admin_token\",config.admin_token.as_ref().map(Auth::bearer))",
        ),
        (
            "reports",
            ".auth(\"report_key\",config.report_key.as_ref().map(|key|Auth::query(\"key\",key))).auth(\"report_id_api_key\",config.report_id_api_key.as_ref().map(|key|Auth::header(\"X-Report-Id\",key)))",
        ),
        (
            "invoices",
            "config.billing_username.as_ref().zip(config.billing_password.as_ref()).map(|(user,password)|Auth::basic(user,password))",
        ),
        ("partners", "config.partner_refresh_token.as_ref()"),
        (
            "machines",
            "|(id,secret)|Auth::oauth2_client_credentials(\"https://a.test/token\",id,secret,&[\"read\"])",
        ),
    ] {
        assert!(file(name).contains(part), "{part} in {}", file(name));
    }
    for name in ["things", "news", "either"] {
        assert!(!file(name).contains(".auth("), "{}", file(name));
    }
    let config = files.iter().find(|file| file.starts_with("src/config.rs"));
    for field in ["pubtoken:Secret,", "pubadmin_token:Option<Secret>,"] {
        assert!(config.unwrap().contains(field), "{config:?}");
    }
    let wished = code("auth = \"bearer\"\n");
    let all = wished.iter().filter(|file| file.contains(".auth("));
    assert_eq!(all.count(), 1, "the source's own");
}

#[test]
fn page_parameters_go_where_they_stand() {
    let code = |wishes: &str| -> String {
        let code = emitted(&planned(&trap("posts.yaml"), wishes).unwrap());
        code.split_whitespace().collect()
    };
    let inferred = code("");
    for part in [
        "Paginator::page_number(\"page\").total_pages(\"total_pages\").page_size(\"per_page\",50).in_body()",
        "Paginator::offset(\"offset\").page_size(\"limit\",100).in_body()",
        ".paginate(Paginator::page_number(\"page\"))",
    ] {
        assert!(inferred.contains(part), "{part} in {inferred}");
    }
    let wished = code(
        "[resources.logs]\npaginate = { kind = \"page_number\", param = \"number\" }\n[resources.visits]\npaginate = { kind = \"offset\", param = \"page\" }\n",
    );
    for part in [
        ".paginate(Paginator::page_number(\"number\").in_body())",
        ".paginate(Paginator::offset(\"page\"))",
    ] {
        assert!(wished.contains(part), "{part} in {wished}");
    }
}

#[test]
fn a_recorded_body_holds_numbers_where_pages_are_counted() {
    let plan = planned(&trap("posts.yaml"), "").unwrap();
    let code = emitted_all(&plan);
    let (_, exchange) = code
        .iter()
        .find(|(path, _)| path.ends_with("exchange/orders.json"))
        .unwrap();
    let exchange: serde_json::Value = serde_json::from_str(exchange).unwrap();
    assert_eq!(
        exchange[1]["request"]["body"],
        serde_json::json!({"page": 2, "per_page": 50}),
        "{exchange}"
    );
}

#[test]
fn wishes_that_mean_nothing_are_errors() {
    for (wishes, said) in [
        (
            "[resources.nothing]\nrecords = \"x\"\n",
            "no resource `nothing`",
        ),
        (
            "[resources.teams]\npaginate = \"sideways\"\n",
            "is no kind of paging",
        ),
        ("include = [\"nothing\"]\n", "no resource `nothing`"),
        (
            "[resources.teams]\nincremental = { field = \"name\", param = \"filter\", template = \"name>\" }\n",
            "has no place for the value",
        ),
    ] {
        let error = planned(&trap("levels.yaml"), wishes).unwrap_err();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn an_owner_says_what_becomes_of_records_that_are_gone() {
    let wishes = "[resources.boards]\ndeletes = \"soft\"\n[resources.labels]\ndeletes = \"hard\"\n";
    let text = emitted(&planned(&trap("levels.yaml"), wishes).unwrap());
    let text: String = text.split_whitespace().collect();
    for line in [".deletes(Deletes::Soft)", ".deletes(Deletes::Hard)"] {
        assert_eq!(text.matches(line).count(), 1, "{line}\n{text}");
    }
    let wishes = "[resources.boards]\ndeletes = \"yes\"\n";
    let error = planned(&trap("levels.yaml"), wishes).unwrap_err();
    assert!(
        error.contains("etlgen.toml:2:") && error.contains("soft"),
        "{error}"
    );
}

#[test]
fn an_owner_says_what_may_become_of_the_tables() {
    let wishes = r#"
        contract = { types = "freeze" }
        [resources.boards]
        contract = "discard_row"
        [resources.labels]
        contract = { columns = "discard_value" }
    "#;
    let plan = planned(&trap("levels.yaml"), wishes).unwrap();
    let text: String = emitted(&plan).split_whitespace().collect();
    for line in [
        ".contract(Contract::evolve().types(Mode::Freeze)).resource(",
        ".contract(Contract::discard_row())",
        ".contract(Contract::evolve().columns(Mode::DiscardValue).types(Mode::Freeze))",
    ] {
        assert_eq!(text.matches(line).count(), 1, "{line}\n{text}");
    }
    let error = planned(&trap("levels.yaml"), "contract = \"frozen\"\n").unwrap_err();
    assert!(
        error.contains("etlgen.toml:1:") && error.contains("discard_value"),
        "{error}"
    );
}

#[test]
fn a_field_that_the_document_does_not_know_is_warned_of() {
    let wishes = "[resources.teams]\nprimary_key = [\"teamid\"]\nincremental = { field = \"changed\" }\n[resources.boards]\nprimary_key = [\"id\"]\n";
    let overrides = overrides::parse("etlgen.toml", wishes).unwrap();
    let input = Input::load(&trap("levels.yaml").display().to_string()).unwrap();
    let api = read(&input).0.unwrap();
    let warnings = unknown_fields(&api, &infer(&api), &overrides);
    let said: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].contains("names `teamid`"), "{said:?}");
    assert!(said[1].contains("names `changed`"), "{said:?}");
}

/// The calls that declare embedded lists, without white space.
fn embedded(wishes: &str) -> Vec<String> {
    let text = emitted(&planned(&trap("embedded.yaml"), wishes).unwrap());
    let text: String = text.split_whitespace().collect();
    let calls = text.split(".embedded(").skip(1);
    calls
        .map(|call| call.split("))").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn what_says_that_a_record_is_gone_is_found_where_it_matters() {
    let calls = |wishes: &str| {
        let text = emitted(&planned(&trap("embedded.yaml"), wishes).unwrap());
        let text: String = text.split_whitespace().collect();
        let calls = text.split(".tombstone(").skip(1);
        let calls = calls.map(|call| call.split(')').next().unwrap_or_default().to_owned());
        calls.collect::<Vec<_>>()
    };
    assert_eq!(calls(""), [""; 0]);
    let soft = "[resources.orders]\ndeletes = \"soft\"\n";
    assert_eq!(calls(soft), ["Order::DELETED"]);
    let own = |field: &str| calls(&format!("{soft}tombstone = \"{field}\"\n"));
    assert_eq!(own("archived"), ["Order::ARCHIVED"]);
    assert_eq!(own("state.gone"), ["\"state.gone\""]);
}

#[test]
fn lists_in_records_are_told_by_the_shape_of_the_apis_own() {
    assert_eq!(
        embedded(""),
        [
            r#"Embedded::list("lines").url("url""#,
            r#"Embedded::list("lines.data.taxes").url("url""#,
            r#"Embedded::list("notes").path("/v1/orders/{id}/notes""#,
        ]
    );
}

#[test]
fn an_owner_says_which_lists_in_records_go_on() {
    assert_eq!(embedded("[resources.orders]\nembedded = []\n"), [""; 0]);
    let wishes = r#"
        [resources.orders]
        embedded = [{ list = "lost", path = "/v1/orders/{id}/lost" }, { list = "pages", url = "more.url" }]
    "#;
    assert_eq!(
        embedded(wishes),
        [
            r#"Embedded::list("lost").path("/v1/orders/{id}/lost""#,
            r#"Embedded::list("pages").url("more.url""#,
        ]
    );
}
