//! Snapshots of the emitted code, which show a change of generated code in review.

use std::path::{Path, PathBuf};

use etlgen::{ConfigFile, Diagnostic, Files, Generation, Input, Options, generate};

fn trap(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/fixtures/documents")
        .join(name)
}

/// Generates a crate without rustfmt.
fn generated(document: &str, overrides: &str) -> Result<Generation, Diagnostic> {
    let mut options = Options::default();
    if !overrides.is_empty() {
        options.config = ConfigFile::parse(Path::new("etlgen.toml"), overrides)?;
    }
    options.spec = Some("api.yaml".to_owned());
    options.runtime = Some("1.2.3".to_owned());
    options.skip_rustfmt = true;
    let mut input = Input::load(&trap(document).display().to_string())?;
    // A source without a title is not named after the file.
    input.name.clear();
    generate(input, &options)
}

/// Returns the error for a document with overrides.
fn refused(document: &str, overrides: &str) -> String {
    generated(document, overrides).unwrap_err().to_string()
}

/// Returns `Cargo.toml`, `etlgen.toml`, and the Rust files of a crate, concatenated.
fn emitted(document: &str, overrides: &str) -> String {
    let files = files(document, overrides);
    let shown = files
        .iter()
        .filter(|(path, _)| path.ends_with(".toml") || path.starts_with("src/"));
    shown
        .map(|(path, text)| format!("=== {path}\n{text}\n"))
        .collect()
}

/// Returns every file of a crate, without rustfmt.
fn files(document: &str, overrides: &str) -> Files {
    generated(document, overrides).unwrap().files
}

macro_rules! snapshot {
    ($test:ident, $document:literal) => {
        #[test]
        fn $test() {
            etlgen_testkit::assert_snapshot!(emitted($document, ""));
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
snapshot!(bodies_with_required_fields, "bodies.yaml");
snapshot!(what_lists_share_is_stated_once, "shared.yaml");

#[test]
fn an_owner_decides_what_is_whose_child() {
    let files = files("levels.yaml", "[resources.boards]\nparent = false\n");
    let boards = &files["src/resources/boards.rs"];
    assert!(!boards.contains("child_of"), "{boards}");
    let config = &files["src/config.rs"];
    assert!(config.contains("pub team_id:"), "{config}");
    let refused = refused(
        "levels.yaml",
        "[resources.board_cards]\nparent = \"teams\"\n",
    );
    assert!(refused.contains("it needs teamId, boardId"), "{refused}");
}

#[test]
fn what_is_guessed_or_off_is_marked_in_the_code() {
    let document = "openapi: 3.0.3
info: {title: Guessed, version: '1'}
servers: [{url: https://guessed.example}]
paths:
  /jobs/cancel:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: &items {type: array, items: {type: object, properties: {id: {type: integer}}}}}}}}
  /all/constants:
    get:
      parameters: [{name: page, in: query}]
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema: {type: object, properties: {data: {type: object, properties: {currencies: *items, beds: *items}}}}
";
    let input = etlgen::Input::new("guessed.yaml", document.as_bytes());
    let generation = etlgen::generate(input, &etlgen::Options::default()).unwrap();
    let code: String = generation.files.values().map(String::as_str).collect();
    assert!(code.contains("/// TODO off: "), "{code}");
    assert!(code.contains("/// TODO records: "), "{code}");
    assert!(
        code.contains(".unsure(\"etlgen is not sure where"),
        "{code}"
    );
    assert!(
        generation
            .off()
            .any(|(name, reason)| !name.is_empty() && reason.contains("cancel"))
    );
}

#[test]
fn a_default_that_hides_rows_is_marked_until_it_is_set() {
    let document = "openapi: 3.0.3
info: {title: Hidden, version: '1'}
servers: [{url: https://hidden.example}]
paths:
  /jobs:
    get:
      parameters:
        - {name: status, in: query, schema: {type: string, enum: [active, archived], default: active}}
        - {name: since, in: query, description: Defaults to 30 days ago, schema: {type: string, format: date}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: integer}}}}}}}}
";
    let code = |overrides: &str| -> String {
        let input = etlgen::Input::new("hidden.yaml", document.as_bytes());
        let mut options = Options::default();
        options.config = ConfigFile::parse(Path::new("etlgen.toml"), overrides).unwrap();
        let files = generate(input, &options).unwrap().files;
        files.values().map(String::as_str).collect()
    };
    let open = code("");
    assert!(open.contains("/// TODO rows: "), "{open}");
    let unsure = ".unsure(\"Without `status` the API returns only `active`\")";
    assert!(open.contains(unsure), "{open}");
    assert!(open.contains(".query(\"since\", \"1970-01-01\")"), "{open}");
    let other = code("[resources.jobs]\nquery.since = \"2020-01-01\"\n");
    assert!(other.contains(unsure), "{other}");
    let settled = code("[resources.jobs]\nquery.status = \"active\"\n");
    assert!(
        !settled.contains("unsure(") && !settled.contains("TODO rows"),
        "{settled}"
    );
}

#[test]
fn an_overridden_paginator_is_declared() {
    let code = |paginate: &str| -> String {
        let overrides = format!("[resources.teams]\npaginate = {paginate}\n");
        let code = emitted("levels.yaml", &overrides);
        code.split_whitespace().collect()
    };
    for (said, declared) in [
        (
            r#"{ kind = "token", param = "cursor", next = "meta.next", first = "" }"#,
            r#"Paginator::token("cursor","meta.next").first("")"#,
        ),
        (
            r#"{ kind = "token", param = "cursor", next = "header:X-Next", total = false }"#,
            r#"Paginator::token("cursor","header:X-Next").without_total()"#,
        ),
        (
            r#"{ kind = "last_id", param = "after", field = "uid", more = "more" }"#,
            r#"Paginator::last_id("after").field("uid").more("more")"#,
        ),
        (
            r#"{ kind = "page_number", param = "p", first = 0, pages = "pages", size = "n", page_size = 2000 }"#,
            r#"Paginator::page_number("p").starting_at(0).total_pages("pages").page_size("n",2000)"#,
        ),
        (
            r#"{ kind = "next_url", next = "links.next" }"#,
            r#"Paginator::next_url("links.next")"#,
        ),
        (r#""link_header""#, "Paginator::link_header()"),
    ] {
        let code = code(said);
        assert!(code.contains(declared), "{said}\n{code}");
    }
}

#[test]
fn a_filter_with_an_expression_is_sent() {
    let overrides = "[resources.teams]\nincremental = { field = \"name\", param = \"filter\", template = \"name>{}\" }\n";
    let code = emitted("levels.yaml", overrides);
    let code: String = code.split_whitespace().collect();
    assert!(
        code.contains(".param(\"filter\").template(\"name>{}\").exclusive()"),
        "{code}"
    );
}

#[test]
fn an_overridden_cursor_is_declared() {
    let overrides = "[resources.teams]\nincremental = { field = \"name\", param = \"from\", until = \"to\", exclusive = false, lookback = \"90m\", order = \"oldest_first\", windows = { from = \"2015-01-01\", length = \"48h\" }, most_rows = 1000 }\n";
    let code = emitted("levels.yaml", overrides);
    let code: String = code.split_whitespace().collect();
    let calls = ".until(\"to\").lookback(::std::time::Duration::from_secs(5400)).oldest_first().windows(\"2015-01-01\",days(2)).most_rows(1000)";
    assert!(code.contains(calls), "{code}");
    let overrides =
        "[resources.teams]\nincremental = { field = \"name\", order = \"newest_first\" }\n";
    let code = emitted("levels.yaml", overrides);
    let code: String = code.split_whitespace().collect();
    assert!(code.contains("NAME).newest_first()"), "{code}");
    let overrides = "[resources.teams]\nincremental = { field = \"name\", lookback = \"soon\" }\n";
    let refused = refused("levels.yaml", overrides);
    assert!(refused.contains("`soon` is not a duration"), "{refused}");
}

#[test]
fn resources_send_the_credentials_that_they_want() {
    let code = |overrides: &str| -> Vec<String> {
        let code = emitted("credentials.yaml", overrides);
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
    let overridden = code("auth = \"bearer\"\n");
    let all = overridden.iter().filter(|file| file.contains(".auth("));
    assert_eq!(all.count(), 1, "the source's own");
}

#[test]
fn page_parameters_go_where_they_stand() {
    let code = |overrides: &str| -> String {
        let code = emitted("posts.yaml", overrides);
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
    let overridden = code(
        "[resources.logs]\npaginate = { kind = \"page_number\", param = \"number\" }\n[resources.visits]\npaginate = { kind = \"offset\", param = \"page\" }\n",
    );
    for part in [
        ".paginate(Paginator::page_number(\"number\").in_body())",
        ".paginate(Paginator::offset(\"page\"))",
    ] {
        assert!(overridden.contains(part), "{part} in {overridden}");
    }
}

#[test]
fn an_owner_supplies_the_body() {
    let overrides = "[resources.runs]\nbody = { experiment_ids = [\"0\"], filter = { state = \"open\", since = -1 } }\n";
    let code = files("bodies.yaml", overrides);
    let runs = &code["src/resources/runs.rs"];
    etlgen_testkit::assert_snapshot!(runs);
    let exchange: serde_json::Value =
        serde_json::from_str(&code["tests/exchange/runs.json"]).unwrap();
    let sent = serde_json::json!({
        "experiment_ids": ["0"], "filter": {"state": "open", "since": -1}, "max_results": 1000
    });
    assert_eq!(exchange[0]["request"]["body"], sent, "{exchange}");
}

#[test]
fn a_recorded_body_holds_numbers_where_pages_are_counted() {
    let code = files("posts.yaml", "");
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
fn overrides_that_mean_nothing_are_errors() {
    for (overrides, said) in [
        (
            "[resources.nothing]\nrecords = \"x\"\n",
            "no resource `nothing`",
        ),
        (
            "[resources.teams]\npaginate = \"sideways\"\n",
            "`sideways` is not a kind of paginator",
        ),
        ("include = [\"nothing\"]\n", "no resource `nothing`"),
        (
            "[resources.teams]\nincremental = { field = \"name\", param = \"filter\", template = \"name>\" }\n",
            "is `name>`, without `{}`",
        ),
    ] {
        let error = refused("levels.yaml", overrides);
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn an_owner_says_what_becomes_of_records_that_are_gone() {
    let overrides =
        "[resources.boards]\ndeletes = \"soft\"\n[resources.labels]\ndeletes = \"hard\"\n";
    let text = emitted("levels.yaml", overrides);
    let text: String = text.split_whitespace().collect();
    for line in [".deletes(Deletes::Soft)", ".deletes(Deletes::Hard)"] {
        assert_eq!(text.matches(line).count(), 1, "{line}\n{text}");
    }
    let overrides = "[resources.boards]\ndeletes = \"yes\"\n";
    let error = refused("levels.yaml", overrides);
    assert!(
        error.contains("etlgen.toml:2:") && error.contains("soft"),
        "{error}"
    );
}

#[test]
fn an_owner_leaves_a_resource_off_and_chooses_destinations() {
    let overrides = "destinations = [\"sqlite\"]\n[resources.boards]\noff = \"too \\\"large\\\"\"\n[resources.labels]\noff = false\n";
    let text = emitted("levels.yaml", overrides);
    assert_eq!(text.matches(".off(").count(), 1, "{text}");
    assert!(text.contains(".off(\"too \\\"large\\\"\")"), "{text}");
    let line = "etlgen-runtime = { version = \"1.2.3\", default-features = false, features = [\"cli\", \"tls\", \"sqlite\"] }";
    assert!(text.contains(line), "{text}");
    let emitted = |overrides: &str| files("levels.yaml", overrides);
    for (destination, load) in [
        ("postgres", "cargo run -- sync --destination 'postgres://"),
        ("duckdb", "cargo run -- sync --destination duckdb:"),
    ] {
        let files = emitted(&format!("destinations = [\"{destination}\"]"));
        let (manifest, readme) = (&files["Cargo.toml"], &files["README.md"]);
        let features = format!("features = [\"cli\", \"tls\", \"{destination}\"] }}");
        assert!(manifest.contains(&features), "{manifest}");
        assert_eq!(readme.matches("sync --destination").count(), 1, "{readme}");
        assert!(readme.contains(load), "{readme}");
    }
    let files = emitted("destinations = [\"s3\", \"gs\", \"postgres\"]");
    let (manifest, readme) = (&files["Cargo.toml"], &files["README.md"]);
    let features = "features = [\"cli\", \"tls\", \"postgres\", \"buckets\"] }";
    assert!(manifest.contains(features), "{manifest}");
    assert!(readme.contains("--destination s3://BUCKET/"), "{readme}");
}

#[test]
fn hosts_are_features_of_the_runtime_and_have_a_place_in_the_readme() {
    let files = files("levels.yaml", "hosts = [\"airbyte\", \"cli\", \"singer\"]");
    let (manifest, readme) = (&files["Cargo.toml"], &files["README.md"]);
    let line = "etlgen-runtime = { version = \"1.2.3\", features = [\"singer\", \"airbyte\"] }";
    assert!(manifest.contains(line), "{manifest}");
    for wanted in [
        "executable: /usr/local/bin/tap-",
        "sensitive: true",
        "airbyte.get_source(",
    ] {
        assert!(readme.contains(wanted), "{readme}");
    }
    let both = emitted_with("hosts = [\"singer\"]\ndestinations = [\"emit\"]");
    let features =
        "default-features = false, features = [\"cli\", \"tls\", \"emit\", \"singer\"] }";
    assert!(both.0.contains(features), "{}", both.0);
    assert!(!both.1.contains("airbyte"), "{}", both.1);
    let none = emitted_with("hosts = [\"cli\"]");
    assert!(!none.0.contains("features = [\"cli"), "{}", none.0);
    assert!(!none.1.contains("singer"), "{}", none.1);
}

/// Returns the manifest and the README of a crate.
fn emitted_with(overrides: &str) -> (String, String) {
    let mut files = files("levels.yaml", overrides);
    let mut take = |name: &str| files.remove(name).unwrap();
    (take("Cargo.toml"), take("README.md"))
}

#[test]
fn options_are_written_into_the_file_that_is_there() {
    let mut options = Options::default();
    let own = "# Mine.\nexclude = [\"labels\"]\n\n[resources.boards]\noff = \"x\"\n";
    options.config = ConfigFile::parse(Path::new("etlgen.toml"), own).unwrap();
    options.exclude = vec!["teams".to_owned()];
    options.docker = true;
    options.skip_rustfmt = true;
    let input = Input::load(&trap("levels.yaml").display().to_string()).unwrap();
    let made = generate(input, &options).unwrap();
    let text = "# Mine.\nexclude = [\"labels\", \"teams\"]\ndocker = true\n\n[resources.boards]\noff = \"x\"\n";
    assert_eq!(made.files["etlgen.toml"], text);
    assert!(made.files.contains_key("Dockerfile"));
}

#[test]
fn an_owner_says_how_a_list_is_asked_for() {
    let overrides = r#"
        [resources.orders]
        paginate = { kind = "token", param = "after", next = "header:X-Next", first = "", total = false }
        incremental = { field = "id", param = "since", until = "until", format = "unix_seconds", lookback = "36h" }
    "#;
    let text = emitted("embedded.yaml", overrides);
    let text: String = text.split_whitespace().collect();
    for call in [
        r#"Paginator::token("after","header:X-Next").first("").without_total()"#,
        ".format(TimeFormat::UnixSeconds)",
        ".lookback(hours(36))",
    ] {
        assert_eq!(text.matches(call).count(), 1, "{call}\n{text}");
    }
}

#[test]
fn an_owner_says_what_may_become_of_the_tables() {
    let overrides = r#"
        contract = { types = "freeze" }
        [resources.boards]
        contract = "discard_row"
        [resources.labels]
        contract = { columns = "discard_value" }
    "#;
    let text: String = emitted("levels.yaml", overrides)
        .split_whitespace()
        .collect();
    for line in [
        ".contract(Contract::evolve().types(Mode::Freeze)).resource(",
        ".contract(Contract::discard_row())",
        ".contract(Contract::evolve().columns(Mode::DiscardValue).types(Mode::Freeze))",
    ] {
        assert_eq!(text.matches(line).count(), 1, "{line}\n{text}");
    }
    let error = refused("levels.yaml", "contract = \"frozen\"\n");
    assert!(
        error.contains("etlgen.toml:1:") && error.contains("discard_value"),
        "{error}"
    );
}

#[test]
fn a_field_that_the_document_does_not_know_is_an_error() {
    let overrides = "[resources.teams]\nprimary_key = [\"teamid\"]\nincremental = { field = \"changed\" }\n[resources.boards]\nprimary_key = [\"id\"]\n";
    let error = refused("levels.yaml", overrides);
    assert!(
        error.contains("etlgen.toml:2:16: `primary_key` names `teamid`"),
        "{error}"
    );
    assert!(
        error.contains("etlgen.toml:3:25: `incremental.field` names `changed`"),
        "{error}"
    );
}

/// Returns the calls that declare embedded lists, without white space.
fn embedded(overrides: &str) -> Vec<String> {
    let text = emitted("embedded.yaml", overrides);
    let text: String = text.split_whitespace().collect();
    let calls = text.split(".embedded(").skip(1);
    calls
        .map(|call| call.split("))").next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn what_says_that_a_record_is_gone_is_found_where_it_matters() {
    let calls = |overrides: &str| {
        let text = emitted("embedded.yaml", overrides);
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
    assert_eq!(own("flags.has_more"), ["\"flags.has_more\""]);
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
    let overrides = r#"
        [resources.orders]
        embedded = [{ list = "lost", path = "/v1/orders/{id}/lost" }, { list = "pages", url = "url" }]
    "#;
    assert_eq!(
        embedded(overrides),
        [
            r#"Embedded::list("lost").path("/v1/orders/{id}/lost""#,
            r#"Embedded::list("pages").url("url""#,
        ]
    );
}

#[test]
fn secrets_in_a_body_are_secret_settings_and_a_token_says_where_it_is_fetched() {
    let document = "openapi: 3.0.3
info: {title: Login, version: '1'}
servers: [{url: https://login.example}]
security: [{jwt: []}]
paths:
  /security/login:
    post:
      requestBody: {content: {application/json: {schema: {type: object, required: [username, password], properties: {username: {type: string}, password: {type: string}}}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {access_token: {type: string}}}}}}}
  /rows/search:
    post:
      requestBody: {content: {application/json: {schema: {type: object, required: [shop, client_secret, pin], properties: {shop: {type: string}, client_secret: {type: string}, pin: {type: string, format: password}}}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: integer}}}}}}}}
components: {securitySchemes: {jwt: {type: http, scheme: bearer, bearerFormat: JWT}}}
";
    let input = etlgen::Input::new("login.yaml", document.as_bytes());
    let generation = etlgen::generate(input, &etlgen::Options::default()).unwrap();
    let config = &generation.files["src/config.rs"];
    assert!(
        config.contains("`POST /security/login` returns it."),
        "{config}"
    );
    assert!(config.contains("pub client_secret: Secret"), "{config}");
    assert!(config.contains("pub pin: Secret"), "{config}");
    assert!(config.contains("pub shop: String"), "{config}");
}

#[test]
fn a_token_is_fetched_or_brought() {
    let code = |schemes: &str, login: &str, overrides: &str| -> String {
        let document = format!(
            "openapi: 3.0.3
info: {{title: Desk, version: '1'}}
servers: [{{url: https://desk.example/api/v1}}]
security: [{{bearer: []}}, {{byUser: []}}]
components: {{securitySchemes: {{{schemes}}}}}
paths:
  /tickets:
    get:
      responses: {{'200': {{description: ok, content: {{application/json: {{schema: {{type: array, items: {{type: object, properties: {{id: {{type: integer}}}}}}}}}}}}}}}}
{login}"
        );
        let input = etlgen::Input::new("desk.yaml", document.as_bytes());
        let mut options = Options::default();
        options.skip_rustfmt = true;
        if !overrides.is_empty() {
            options.config = ConfigFile::parse(Path::new("etlgen.toml"), overrides).unwrap();
        }
        let files = generate(input, &options).unwrap().files;
        format!("{}\n{}", files["src/config.rs"], files["src/lib.rs"])
    };
    let bearer = "bearer: {type: http, scheme: bearer, description: The token of a user.}";
    let user = "byUser: {type: oauth2, description: Users sign in with their names., flows: {password: {tokenUrl: /auth/token, scopes: {}}}}";
    let login = "  /security/login:
    post:
      security: []
      requestBody: {content: {application/json: {schema: {type: object, properties: {username: {type: string}, password: {type: string}, provider: {type: string, enum: [db, ldap], example: db}}}}}}
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {access_token: {type: string}}}}}}}
";
    let both = format!("{bearer}, {user}");
    etlgen_testkit::assert_snapshot!([
        code(&both, "", ""),
        code(bearer, login, ""),
        code(&both, login, "auth = \"byUser\"\n"),
        code(
            bearer,
            "",
            "auth = { login = \"/session\", user = \"user.email\", password = \"user.password\", body = { remember = true }, token = \"data.token\", header = \"X-Session\" }\n",
        ),
    ]
    .join("\n=====\n"));
}
