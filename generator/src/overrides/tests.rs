//! Each key does what it says, and each mistake is reported with its place.

mod mistakes;

use etlgen_model::{Deletes, EmbeddedPlace, Mode, Paginator, StatusRule, TimeFormat, Total};
use proptest::prelude::*;

use super::{Off, Overridden, Overrides, ResourceKeys, TopKeys, apply, parse};
use crate::infer::facts::{AuthFacts, ResourceFacts, ResourceKind};
use crate::infer::infer;
use crate::spec::api::{Api, Location};
use crate::spec::{Input, read};

const DOCUMENT: &str = "
openapi: 3.0.3
info: {title: Shop, version: '1', description: 'Rate limit: 100 requests per minute.'}
servers: [{url: https://shop.example}]
paths:
  /teams:
    get: &list
      parameters: [{name: page, in: query, schema: {type: integer}}, {name: limit, in: query, schema: {type: integer, maximum: 50}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Team'}}}}}}
  /teams/{team_id}/members:
    get:
      parameters: [{name: team_id, in: path, required: true, schema: {type: string}}, {name: role, in: query, schema: {type: string}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Team'}}}}}}
  /orders:
    get:
      parameters:
        - {name: cursor, in: query, schema: {type: string}}
        - {name: since, in: query, schema: {type: string, format: date-time}, description: Only orders updated since then.}
        - {name: region, in: query, required: true, schema: {type: string}}
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema:
                type: object
                properties:
                  data: {type: object, properties: {items: {type: array, items: {$ref: '#/components/schemas/Order'}}, total: {type: integer}}}
                  teams: {type: array, items: {$ref: '#/components/schemas/Team'}}
                  meta: {type: object, properties: {next: {type: string}}}
  /runs/search:
    post:
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [experiment_ids, region]
              properties:
                experiment_ids: {type: array, items: {type: string}}
                region: {type: string}
                filter: {type: object, properties: {state: {type: string}}}
                labels: {type: object, additionalProperties: {type: string}}
                page_token: {type: string}
      responses:
        '200':
          description: ok
          content:
            application/json:
              schema: {type: object, properties: {next_page_token: {type: string}, runs: {type: array, items: {$ref: '#/components/schemas/Team'}}}}
  /events:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {}}}}}}
  /account:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/Team'}}}}}
  /report:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {rows: {type: array, items: {$ref: '#/components/schemas/Team'}}}}}}}}
components:
  schemas:
    Team: {type: object, properties: {id: {type: string}, name: {type: string}, created_at: {type: string, format: date-time}}}
    Order:
      type: object
      properties:
        id: {type: string}
        updated_at: {type: string, format: date-time}
        deleted: {type: boolean}
        buyer: {type: object, properties: {id: {type: string}, 'e.mail': {type: string}}}
        extra: {}
        lines: {type: object, properties: {data: {type: array, items: {}}, url: {type: string}}}
";

fn api() -> Api {
    let (api, notes) = read(&Input::new("shop.yaml", DOCUMENT.as_bytes()));
    api.unwrap_or_else(|| panic!("{notes:?}"))
}

fn applied(text: &str) -> Overridden {
    result(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn result(text: &str) -> Result<Overridden, crate::Diagnostic> {
    let api = api();
    apply(&api, infer(&api), &parse("etlgen.toml", text)?, false)
}

impl Overridden {
    fn resource(&self, name: &str) -> &ResourceFacts {
        let mut resources = self.facts.resources.iter();
        resources.find(|resource| resource.name == name).unwrap()
    }

    fn choices(&self, name: &str) -> &super::Choices {
        let mut resources = self.facts.resources.iter();
        let at = resources.position(|resource| resource.name == name);
        &self.choices[at.unwrap()]
    }

    fn names(&self) -> Vec<&str> {
        let chosen = self.chosen.iter();
        let names = chosen.map(|at| self.facts.resources[*at].name.as_str());
        names.collect()
    }
}

fn orders(keys: &str) -> Overridden {
    applied(&format!("[resources.orders]\n{keys}\n"))
}

#[test]
fn pages_within_a_json_parameter_are_said_and_keep_its_other_fields() {
    let pages =
        "paginate = { kind = 'page_number', param = 'page', size = 'page_size', in_json = 'q' }";
    let found = orders(&format!(
        "{pages}\nquery = {{ q = '{{\"order\": \"id\"}}', page = 'x' }}"
    ));
    let expected = Paginator::page_number("page").page_size("page_size", 100);
    let orders = found.resource("orders");
    assert_eq!(orders.paginator.value, expected.in_json("q").into());
    assert!(orders.fixed.iter().any(|fixed| fixed.name == "q"));
    let text = format!("[resources.orders]\n{pages}\nquery = {{ q = '(order:id)' }}\n");
    let error = result(&text).unwrap_err().to_string();
    assert!(error.contains("`query.q` is not a JSON object"), "{error}");
}

#[test]
fn without_a_file_every_list_is_taken_as_it_is() {
    let all = applied("");
    assert_eq!(
        all.names(),
        ["teams", "members", "orders", "runs", "events", "report"]
    );
    assert_eq!(all.resource("account").kind, ResourceKind::Single);
}

#[test]
fn resources_are_selected() {
    for (text, names) in [
        ("include = [\"members\"]", &["teams", "members"][..]),
        ("include = [\"account\", \"e*\"]", &["events", "account"]),
        ("exclude = [\"*s\"]", &["report"]),
        (
            "include = [\"*\"]\nsingles = true\nexclude = [\"orders\", \"report\"]",
            &["teams", "members", "runs", "events", "account"],
        ),
        (
            "include = [\"events\"]\nsingles = [\"acc*\"]",
            &["events", "account"],
        ),
        (
            "singles = false\nexclude = [\"*r*s\"]",
            &["teams", "events", "report"],
        ),
    ] {
        assert_eq!(applied(text).names(), names, "{text}");
    }
}

#[test]
fn keys_of_the_whole_api() {
    let all = applied(
        "base_url = \"http://localhost:8080/v2/\"\nauth = \"basic\"\nname = \"my-shop\"\ncontract = \"freeze\"\nrate_limit = [{ requests = 5, seconds = 1 }]\n",
    );
    assert_eq!(all.facts.base_url, "http://localhost:8080/v2");
    assert_eq!(all.facts.auth.value, AuthFacts::Basic);
    assert_eq!(all.name.as_deref(), Some("my-shop"));
    assert_eq!(all.contract, Some(etlgen_model::Contract::freeze()));
    assert_eq!(
        (all.facts.rates[0].requests, all.facts.rates[0].seconds),
        (5, 1)
    );
    assert!(applied("rate_limit = false").facts.rates.is_empty());
    assert_eq!(applied("rate_limit = true").facts.rates.len(), 1);
    let parsed = parse("etlgen.toml", "destinations = [\"parquet\", \"sqlite\"]").unwrap();
    assert_eq!(parsed.destinations(), Some(vec!["sqlite", "parquet"]));
    let parsed = parse("etlgen.toml", "destinations = [\"postgres\"]").unwrap();
    assert_eq!(parsed.destinations(), Some(vec!["postgres"]));
    let parsed = parse("etlgen.toml", "destinations = [\"az\", \"s3\"]").unwrap();
    assert_eq!(parsed.destinations(), Some(vec!["s3", "az"]));
    let parsed = parse("etlgen.toml", "destinations = [\"duckdb\"]").unwrap();
    assert_eq!(parsed.destinations(), Some(vec!["duckdb"]));
    assert_eq!(Overrides::default().destinations(), None);
    let parsed = parse("etlgen.toml", "hosts = [\"airbyte\", \"cli\", \"singer\"]").unwrap();
    assert_eq!(parsed.hosts(), ["singer", "airbyte"]);
    assert!(Overrides::default().hosts().is_empty());
}

#[test]
fn records_elsewhere_are_other_records() {
    let all = orders("records = \"data.items\"");
    let as_inferred = applied("");
    assert_eq!(
        all.resource("orders").record,
        as_inferred.resource("orders").record
    );
    assert_eq!(all.resource("orders").records_path.confidence, 1.0);
    let teams = orders("records = \"teams\"");
    assert_eq!(teams.resource("orders").records_path.value, ["teams"]);
    assert_eq!(
        teams.resource("orders").record,
        as_inferred.resource("teams").record
    );
    assert_eq!(
        teams.resource("orders").cursor.value,
        None,
        "teams have no such field"
    );
    let events = applied("[resources.events]\nrecords = \"$\"\nprimary_key = [\"any.thing\"]\n");
    assert!(events.resource("events").records_path.value.is_empty());
}

#[test]
fn a_list_is_a_single_object_or_the_other_way_round() {
    let all = applied(
        "[resources.orders]\nkind = \"single\"\n[resources.report]\nkind = \"list\"\npaginate = \"single\"\n",
    );
    let orders = all.resource("orders");
    assert_eq!(orders.kind, ResourceKind::Single);
    assert_eq!(orders.paginator.value, Paginator::Single);
    assert_eq!(orders.records_path.value, ["data"]);
    assert_eq!(
        all.names(),
        ["teams", "members", "runs", "events", "report"]
    );
}

#[test]
fn a_single_object_that_is_a_list_asks_for_its_paginator() {
    let text = DOCUMENT.replace(
        "rows: {type: array, items: ",
        "rows: {type: array, maxItems: 3, items: ",
    );
    let (api, _) = read(&Input::new("shop.yaml", text.as_bytes()));
    let api = api.unwrap();
    let overrides = parse("etlgen.toml", "[resources.report]\nkind = \"single\"\n").unwrap();
    let once = apply(&api, infer(&api), &overrides, false).unwrap();
    let overrides = parse("etlgen.toml", "[resources.report]\nkind = \"list\"\n").unwrap();
    let twice = apply(&api, once.facts, &overrides, false).unwrap();
    let report = twice.resource("report");
    assert_eq!(report.records_path.value, ["rows"]);
    assert_eq!(report.paginator.value, Paginator::Undecided);
    assert!(
        report
            .doubts
            .iter()
            .any(|doubt| doubt.settle == "paginate = \"single\"")
    );
}

#[test]
fn pages_follow_as_the_owner_says() {
    let paginator = |keys: &str| orders(keys).resource("orders").paginator.value.clone();
    let token = paginator(
        "paginate = { kind = \"token\", param = \"cursor\", next = \"header:X-Next\", first = \"\", total = false }",
    );
    let expected = Paginator::token("cursor", "header:X-Next")
        .first("")
        .without_total();
    assert_eq!(token, expected.into());
    assert_eq!(token.total(), Some(&Total::Ignored));
    assert_eq!(paginator("paginate = \"single\""), Paginator::Single);
    let all = orders("paginate = \"single\"");
    assert!(
        all.resource("orders")
            .doubts
            .iter()
            .all(|doubt| !doubt.settle.starts_with("paginate"))
    );
}

#[test]
fn a_cursor_is_the_owners() {
    let all = orders(
        "incremental = { field = \"updated_at\", param = \"since\", until = \"until\", format = \"unix_seconds\", lookback = \"2h\", windows = { from = 2015-01-01, length = \"90d\" }, most_rows = 1000 }\nnew_rows_only = true",
    );
    let cursor = all.resource("orders").cursor.value.as_ref().unwrap();
    assert_eq!(cursor.format, TimeFormat::UnixSeconds);
    assert_eq!(cursor.until.as_deref(), Some("until"));
    let choices = all.choices("orders");
    let own = choices.incremental.as_ref().unwrap();
    assert_eq!(own.format, Some(TimeFormat::UnixSeconds));
    assert_eq!(own.lookback.unwrap().seconds(), 7_200);
    assert_eq!(own.windows.as_ref().unwrap().from(), "2015-01-01");
    assert_eq!(own.most_rows, Some(1_000));
    assert!(choices.new_rows_only);
    assert_eq!(
        orders("incremental = false")
            .resource("orders")
            .cursor
            .value,
        None
    );
}

#[test]
fn a_parent_supplies_parameters_or_leaves_them_to_settings() {
    let free = applied("[resources.members]\nparent = false\n");
    let members = free.resource("members");
    assert!(members.parent.value.is_none());
    let setting = members.settings.iter().find(|it| it.parameter == "team_id");
    assert_eq!(setting.unwrap().location, Location::Path);

    let named = applied("[resources.members]\nparent = \"teams\"\nwithin_parent = true\n");
    let members = named.resource("members");
    assert_eq!(members.parent.confidence, 1.0);
    assert!(members.key_within_parent);

    let params = applied(
        "[resources.members]\nparent = { resource = \"teams\", params = { team_id = \"name\", role = \"id\" } }\nwithin_parent = false\n",
    );
    let members = params.resource("members");
    assert!(!members.key_within_parent && members.settings.is_empty());
    let links = &members.parent.value.as_ref().unwrap().links;
    let links: Vec<_> = links
        .iter()
        .map(|it| (it.param.as_str(), it.location, it.field.as_str()))
        .collect();
    assert_eq!(
        links,
        [
            ("team_id", Location::Path, "name"),
            ("role", Location::Query, "id")
        ]
    );

    let other = applied(
        "[resources.members]\nparent = { resource = \"events\", params = { team_id = \"team\" } }\n",
    );
    assert_eq!(
        other
            .resource("members")
            .parent
            .value
            .as_ref()
            .unwrap()
            .resource,
        "events"
    );
    let setting = applied("[resources.orders]\nparent = \"teams\"\n");
    let links = &setting
        .resource("orders")
        .parent
        .value
        .as_ref()
        .unwrap()
        .links;
    assert_eq!(
        (links[0].param.as_str(), links[0].field.as_str()),
        ("region", "id")
    );
    // Nothing says that the key is unique below several parents.
    assert!(setting.resource("orders").key_within_parent);
}

#[test]
fn a_parent_that_supplies_nothing_is_a_mistake() {
    let list = |fields: &str| {
        format!(
            "responses: {{'200': {{description: ok, content: {{application/json: {{schema: {{type: array, items: {{type: object, properties: {{{fields}}}}}}}}}}}}}}}"
        )
    };
    let of = |fields: &str| {
        let document = format!(
            "openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\npaths:\n  /tasks:\n    get:\n      {}\n  /tasks/{{id}}/notes:\n    get:\n      parameters: [{{name: id, in: path, required: true, schema: {{type: string}}}}]\n      {}\n",
            list(fields),
            list("id: {type: string}")
        );
        let (api, notes) = read(&Input::new("tasks.yaml", document.as_bytes()));
        let api = api.unwrap_or_else(|| panic!("{notes:?}"));
        let facts = infer(&api);
        let names: Vec<String> = facts.resources.iter().map(|it| it.name.clone()).collect();
        let notes = names.iter().find(|name| name.ends_with("notes")).unwrap();
        let keys = format!("[resources.{notes}]\nparent = \"tasks\"\n");
        let settled = parse("etlgen.toml", &keys).and_then(|keys| apply(&api, facts, &keys, false));
        settled.map(|settled| settled.resource(notes).parent.confidence)
    };
    assert_eq!(of("id: {type: string}").ok(), Some(1.0));
    let error = of("total: {type: integer}").unwrap_err().to_string();
    assert!(error.contains("have no such field"), "{error}");
    assert!(error.contains("they have"), "{error}");
}

#[test]
fn a_fixed_parameter_is_no_setting() {
    let all = orders("query = { region = \"eu\", limit = 5, flat = true }");
    let orders = all.resource("orders");
    assert!(orders.settings.is_empty());
    let fixed: Vec<_> = orders
        .fixed
        .iter()
        .map(|it| (it.name.as_str(), it.value.as_str().unwrap()))
        .collect();
    assert_eq!(fixed, [("region", "eu"), ("limit", "5"), ("flat", "true")]);
}

#[test]
fn the_body_is_the_owners() {
    let inferred = applied("");
    let runs = inferred.resource("runs");
    assert_eq!(runs.needs, ["experiment_ids"]);
    assert_eq!(runs.settings[0].parameter, "region");
    let all = applied(
        "[resources.runs]\nbody = { experiment_ids = [\"0\"], region = \"eu\", filter.state = \"open\", labels.any = \"x\" }\n",
    );
    let runs = all.resource("runs");
    assert!(runs.settings.is_empty() && runs.needs.is_empty() && runs.doubts.is_empty());
    let body: serde_json::Map<String, serde_json::Value> = runs
        .fixed
        .iter()
        .map(|it| (it.name.clone(), it.value.clone()))
        .collect();
    let expected = serde_json::json!({
        "experiment_ids": ["0"], "region": "eu", "filter": {"state": "open"}, "labels": {"any": "x"}
    });
    assert_eq!(serde_json::Value::from(body), expected);
}

#[test]
fn values_of_the_body_keep_their_types() {
    let all = applied(
        "[resources.runs.body]\nlabels = { a = 1, b = -2.5, c = true, d = 2015-01-01, e = 0x10, f = [[1], \"x\"] }\n",
    );
    let labels = &all.resource("runs").fixed[0].value;
    let expected = serde_json::json!({"a": 1, "b": -2.5, "c": true, "d": "2015-01-01", "e": 16, "f": [[1], "x"]});
    assert_eq!(labels, &expected);
}

#[test]
fn a_body_that_is_not_complete_leaves_a_question() {
    let all = applied("[resources.runs]\nbody.region = \"eu\"\n");
    let runs = all.resource("runs");
    assert_eq!(runs.needs, ["experiment_ids"]);
    let doubts: Vec<&str> = runs.doubts.iter().map(|it| it.settle.as_str()).collect();
    assert_eq!(doubts, ["body = { experiment_ids = … }"]);
}

#[test]
fn a_field_that_pages_no_longer_use_is_supplied_otherwise() {
    let text = DOCUMENT.replace("[experiment_ids, region]", "[experiment_ids, page_token]");
    let (api, _) = read(&Input::new("shop.yaml", text.as_bytes()));
    let api = api.unwrap();
    let settings = |text: &str| {
        let overrides = parse("etlgen.toml", text).unwrap();
        let all = apply(&api, infer(&api), &overrides, false).unwrap();
        let settings = all.resource("runs").settings.iter();
        settings.map(|it| it.parameter.clone()).collect::<Vec<_>>()
    };
    assert!(settings("").is_empty());
    let single = "[resources.runs]\npaginate = \"single\"\n";
    assert_eq!(settings(single), ["page_token"]);
}

#[test]
fn the_parameter_of_a_cursor_is_where_the_document_has_it() {
    let cursor = |resource: &str, param: &str| {
        let text = format!(
            "[resources.{resource}]\nincremental = {{ field = \"created_at\", param = \"{param}\" }}\n"
        );
        applied(&text)
            .resource(resource)
            .cursor
            .value
            .clone()
            .unwrap()
    };
    for (resource, param, in_body) in [
        ("runs", "created_after", true),
        ("runs", "filter.since", true),
        ("teams", "created_after", false),
    ] {
        let found = cursor(resource, param);
        assert_eq!(
            (found.param.as_deref(), found.in_body),
            (Some(param), in_body),
            "{resource}"
        );
    }
}

#[test]
fn keys_that_no_document_can_say() {
    let all = orders(
        "name = \"sales\"\noff = \"too large\"\ndeletes = \"soft\"\ntombstone = \"deleted\"\nembedded = [{ list = \"lines\", url = \"url\" }]\non_status = { 403 = \"skip\" }\nprimary_key = [\"buyer.e.mail\"]\ncontract = { types = \"freeze\" }",
    );
    let choices = all.choices("orders");
    assert_eq!(choices.name.as_deref(), Some("sales"));
    assert_eq!(choices.off, Some(Off::Off("too large".to_owned())));
    assert_eq!(choices.deletes, Some(Deletes::Soft));
    assert_eq!(choices.tombstone.as_deref(), Some("deleted"));
    assert_eq!(
        choices.embedded.as_ref().unwrap()[0].place,
        EmbeddedPlace::Url("url".to_owned())
    );
    assert_eq!(choices.on_status[&403], StatusRule::Skip);
    assert!(!choices.list_may_be_absent && choices.whole_lists.is_empty());
    let lists = orders("list_may_be_absent = true\nwhole_lists = [\"lines\"]");
    assert!(lists.choices("orders").list_may_be_absent);
    assert_eq!(lists.choices("orders").whole_lists, ["lines"]);
    assert_eq!(
        choices.contract.unwrap().mode(etlgen_model::Entity::Types),
        Mode::Freeze
    );
    assert_eq!(all.resource("orders").primary_key.value, ["buyer.e.mail"]);
    assert_eq!(orders("off = false").choices("orders").off, Some(Off::On));
    let base =
        applied("contract = \"freeze\"\n[resources.orders]\ncontract = { types = \"evolve\" }\n");
    let contract = base.choices("orders").contract.unwrap();
    assert_eq!(
        contract.to_string(),
        "tables=freeze, columns=freeze, types=evolve"
    );
}

#[test]
fn a_path_without_end_leads_nowhere() {
    let path = "a.".repeat(200_000);
    for key in ["tombstone", "records"] {
        for resource in ["orders", "events"] {
            let _ = result(&format!("[resources.{resource}]\n{key} = \"{path}\"\n"));
        }
    }
}

#[test]
fn names_may_be_swapped() {
    let text = "[resources.orders]\nname = \"teams\"\n[resources.teams]\nname = \"orders\"\n";
    assert_eq!(
        applied(text).choices("orders").name.as_deref(),
        Some("teams")
    );
}

#[test]
fn options_of_the_command_line_stand_over_the_file_and_have_no_place() {
    let own = parse("etlgen.toml", "include = [\"orders\"]\ndocker = true\n").unwrap();
    let both = own
        .with_options(&[("include", "[\"teams\"]".to_owned())])
        .unwrap();
    assert!(both.top.has("docker"));
    let api = api();
    assert_eq!(
        apply(&api, infer(&api), &both, false).unwrap().names(),
        ["teams"]
    );
    let wrong = Overrides::default().with_options(&[("include", "[\"team\"]".to_owned())]);
    let error = apply(&api, infer(&api), &wrong.unwrap(), false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "error: the document has no resource `team`\n  hint: a similar name: `teams`; `etlgen inspect` lists all"
    );
}

#[test]
fn the_key_of_an_answer_settles_its_question() {
    let asks = |all: &Overridden| -> Vec<String> {
        let doubts = all.resource("events").doubts.iter();
        doubts.map(|doubt| doubt.settle.clone()).collect()
    };
    let before = asks(&applied(""));
    assert!(
        before.iter().any(|line| line.starts_with("primary_key")),
        "{before:?}"
    );
    let after = asks(&applied("[resources.events]\nprimary_key = [\"id\"]\n"));
    assert!(
        after.iter().all(|line| !line.starts_with("primary_key")),
        "{after:?}"
    );
}

/// Generates values of TOML.
fn value() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[a-z{}$.:/*]{0,8}".prop_map(|text| format!("\"{text}\"")),
        Just("\"id\"".to_owned()),
        Just("\"teams\"".to_owned()),
        Just("\"token\"".to_owned()),
    ];
    let leaf = prop_oneof![
        text,
        any::<i64>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        Just("1.5".to_owned()),
        Just("2015-01-01".to_owned()),
        Just("\"\\u0000\\n'\"".to_owned()),
    ];
    let names: Vec<&str> = [
        "kind", "param", "next", "first", "field", "resource", "params", "list", "url", "path",
        "from", "length", "windows", "template", "requests", "seconds", "team_id", "403",
        "\"a.b\"",
    ]
    .to_vec();
    leaf.prop_recursive(3, 12, 4, move |inner| {
        let entry = (prop::sample::select(names.clone()), inner.clone());
        let table = prop::collection::vec(entry, 0..4).prop_map(|entries| {
            let mut entries = entries;
            entries.sort_by_key(|(name, _)| *name);
            entries.dedup_by_key(|(name, _)| *name);
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, value)| format!("{name} = {value}"))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        });
        let list =
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(", ")));
        prop_oneof![table, list]
    })
}

proptest! {
    #[test]
    fn no_value_of_a_key_panics(
        top in prop::sample::select(TopKeys::KEYS),
        of_top in value(),
        keys in prop::sample::subsequence(ResourceKeys::KEYS, 1..3),
        values in prop::array::uniform2(value()),
        resource in prop::sample::select(vec!["orders", "members", "events", "account"]),
    ) {
        let _ = result(&format!("{} = {of_top}\n", top.name));
        let keys: Vec<String> = keys.iter().zip(&values).map(|(key, value)| format!("{} = {value}\n", key.name)).collect();
        let _ = result(&format!("[resources.{resource}]\n{}", keys.concat()));
    }
}

#[test]
fn a_document_without_lists_offers_its_single_objects() {
    let text = "openapi: 3.0.0
info: {title: T, version: '1'}
paths:
  /status:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {up: {type: boolean}}}}}}}
  /auth/revoke:
    get:
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {ok: {type: boolean}}}}}}}
  /cars/{plate}:
    get:
      parameters: [{name: plate, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {seats: {type: integer}}}}}}}
";
    let chosen = |config: &str| {
        let input = crate::spec::Input {
            name: "t.yaml".to_owned(),
            bytes: text.as_bytes().to_vec(),
            ..Default::default()
        };
        let api = crate::spec::read(&input).0.unwrap();
        let facts = crate::infer::infer(&api);
        let overrides = crate::overrides::parse("etlgen.toml", config).unwrap();
        let found = super::apply(&api, facts, &overrides, false);
        found.map(|found| found.chosen.len())
    };
    assert_eq!(chosen("").unwrap(), 1);
    assert_eq!(chosen("singles = \"some\"").unwrap(), 1);
    assert_eq!(chosen("singles = \"all\"").unwrap(), 3);
    assert!(chosen("singles = \"none\"").is_err());
}
