//! Parents and their fields.

use super::*;

/// Returns the parent's name, and `parameter <- field` of each link.
fn parent(facts: &Facts, name: &str) -> (String, Vec<String>) {
    let parent = resource(facts, name)
        .parent
        .value
        .clone()
        .unwrap_or_else(|| panic!("no parent of {name}"));
    let links = parent
        .links
        .iter()
        .map(|link| format!("{} <- {}", link.param, link.field));
    (parent.resource, links.collect())
}

fn list(fields: &str) -> String {
    format!("{{type: array, items: {{type: object, properties: {{{fields}}}}}}}")
}

const TEXT: &str = "{type: string}";

#[test]
fn the_path_goes_on_from_its_parent() {
    let mut paths = get("/v1/invoices", "[]", &list(&format!("id: {TEXT}")));
    paths += &get(
        "/v1/invoices/{invoice}/lines",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    let facts = facts(&paths);
    assert_eq!(
        parent(&facts, "invoice_lines"),
        ("invoices".to_owned(), vec!["invoice <- id".to_owned()])
    );
    assert!(resource(&facts, "invoice_lines").settings.is_empty());
}

/// Lists of tasks of which one says nothing about its records, and the annotations of a task.
const TASKS: &str = "{type: object, properties: {tasks: {type: array, items: {type: object, properties: {total: {type: integer}}}}}}";

#[test]
fn a_parent_that_lacks_the_field_gives_way_to_another_list_of_such_things() {
    let item = list(&format!("id: {TEXT}"));
    let id = "[{name: id, in: path, required: true, schema: {type: string}}]";
    let lists = |others: &str| {
        get("/api/tasks", "[]", TASKS) + others + &get("/api/tasks/{id}/annotations", id, &item)
    };
    let projects = get("/api/projects", "[]", &item);
    let with = projects.clone() + &get("/api/projects/{id}/tasks", id, &item);
    let found = facts(&lists(&with));
    let annotations = resource(&found, "annotations");
    let wanted = ("project_tasks".to_owned(), vec!["id <- id".to_owned()]);
    assert_eq!(parent(&found, "annotations"), wanted);
    assert!(annotations.parent.confidence < SURE);
    let mut lines = annotations.doubts.iter().map(|doubt| doubt.settle.as_str());
    assert!(
        lines.any(|line| line == "parent = \"project_tasks\""),
        "{:?}",
        annotations.doubts
    );

    // Without such a list, and with one of other things, the guess stays.
    for others in [
        String::new(),
        projects + &get("/api/projects/{id}/notes", id, &item),
    ] {
        let found = facts(&lists(&others));
        assert_eq!(parent(&found, "annotations").0, "tasks");
        assert!(resource(&found, "annotations").parent.confidence < SURE);
    }
}

#[test]
fn a_field_that_is_not_the_key() {
    let mut paths = get(
        "/orgs/{org}/teams",
        "[]",
        &list(&format!("id: {TEXT}, slug: {TEXT}")),
    );
    paths += &get(
        "/orgs/{org}/teams/{team_slug}/members",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    let facts = facts(&paths);
    assert_eq!(parent(&facts, "members").1, ["team_slug <- slug"]);
    let settings = &resource(&facts, "members").settings;
    assert_eq!(settings.len(), 1, "{settings:?}");
}

#[test]
fn two_parameters_of_a_list_elsewhere() {
    let owner = format!("{{type: object, properties: {{login: {TEXT}}}}}");
    let mut paths = get(
        "/orgs/{org}/repos",
        "[]",
        &list(&format!("id: {TEXT}, name: {TEXT}, owner: {owner}")),
    );
    paths += &get(
        "/repos/{owner}/{repo}/pulls",
        "[]",
        &list(&format!("id: {TEXT}, number: {{type: integer}}")),
    );
    paths += &get(
        "/repos/{owner}/{repo}/pulls/{pull_number}/reviews",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    let facts = facts(&paths);
    let (resource_name, links) = parent(&facts, "pulls");
    assert_eq!(resource_name, "repos");
    assert_eq!(links, ["owner <- owner.login", "repo <- name"]);
    assert_eq!(parent(&facts, "reviews").1, ["pull_number <- number"]);
    let reviews = resource(&facts, "reviews");
    assert_eq!(reviews.parent.value.as_ref().unwrap().inherited.len(), 2);
    assert!(reviews.settings.is_empty(), "{:?}", reviews.settings);
}

#[test]
fn a_required_query_parameter() {
    let mut paths = get("/projects", "[]", &list(&format!("id: {TEXT}")));
    paths += &get(
        "/tasks",
        "[{name: project_id, in: query, required: true, schema: {type: string}}]",
        &list(&format!("id: {TEXT}")),
    );
    let facts = facts(&paths);
    assert_eq!(
        parent(&facts, "tasks"),
        ("projects".to_owned(), vec!["project_id <- id".to_owned()])
    );
}

#[test]
fn nothing_hangs_below_itself() {
    let mut paths = get(
        "/boards/{idBoard}/members",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    paths += &get(
        "/members/{idMember}/boards",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    let facts = facts(&paths);
    let with_parent = facts
        .resources
        .iter()
        .filter(|resource| resource.parent.value.is_some());
    assert!(with_parent.count() <= 1);
}

#[test]
fn members_may_stand_below_several_teams() {
    let mut paths = get("/teams", "[]", &list(&format!("id: {TEXT}")));
    paths += &get(
        "/teams/{team_id}/members",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    paths += &get(
        "/teams/{team_id}/notes",
        "[]",
        &list(&format!("id: {TEXT}, team_id: {TEXT}")),
    );
    let facts = facts(&paths);
    assert!(resource(&facts, "members").key_within_parent);
    assert!(!resource(&facts, "team_notes").key_within_parent);
}

#[test]
fn a_key_is_one_below_the_parent_where_nothing_says_that_it_is_one_everywhere() {
    let below = |fields: &str, item: &str| {
        let mut paths = get("/dags", "[]", &list(&format!("dag_id: {TEXT}")));
        let tasks = "/dags/{dag_id}/tasks";
        paths += &get(tasks, "[]", &list(fields));
        if !item.is_empty() {
            let record = format!("{{type: object, properties: {{{fields}}}}}");
            paths += &get(&format!("{tasks}/{{{item}}}"), "[]", &record);
        }
        let facts = facts(&paths);
        let tasks = facts
            .resources
            .iter()
            .find(|resource| resource.parent.value.is_some());
        tasks.unwrap().key_within_parent
    };
    // The record does not name its parent.
    assert!(below(&format!("id: {TEXT}, owner: {TEXT}"), ""));
    assert!(!below(&format!("id: {TEXT}, dag_id: {TEXT}"), ""));
    assert!(!below(&format!("id: {TEXT}, dag: {TEXT}"), ""));
    // A number is one below the parent that the record names.
    assert!(below(
        &format!("revision_number: {TEXT}, dag_id: {TEXT}"),
        "revision_number"
    ));
    // One record is requested by the parent's parameters and its key.
    assert!(below(
        &format!("task_id: {TEXT}, dag_id: {TEXT}"),
        "task_id"
    ));
}

#[test]
fn a_fixed_value_in_the_path_ends_the_parent() {
    let mut paths = get("/dags", "[]", &list(&format!("dag_id: {TEXT}")));
    let all = "[{name: dag_id, in: path, required: true, schema: {type: string, enum: ['~']}}]";
    paths += &get("/dags/{dag_id}/runs", all, &list(&format!("id: {TEXT}")));
    let facts = facts(&paths);
    let runs = facts
        .resources
        .iter()
        .find(|resource| !resource.fixed.is_empty())
        .unwrap();
    assert_eq!(runs.parent.value, None);
    assert_eq!(runs.fixed[0].value, "~");
}

#[test]
fn of_two_lists_the_one_in_the_same_branch_is_the_parent() {
    let record = list(&format!("id: {TEXT}"));
    let mut paths = String::new();
    for branch in ["language", "vision"] {
        paths += &get(&format!("/{branch}/datasets"), "[]", &record);
        paths += &get(
            &format!("/{branch}/datasets/{{datasetId}}/models"),
            "[]",
            &record,
        );
    }
    paths += &get("/vision/models/{modelId}/curves", "[]", &record);
    let facts = facts(&paths);
    let parent = resource(&facts, "curves").parent.value.clone().unwrap();
    assert_eq!(parent.path, "/vision/datasets/{datasetId}/models");
}

#[test]
fn a_list_asked_for_by_one_thing_holds_no_items_of_it() {
    let transactions = format!(
        "{{type: object, properties: {{transactions: {}, continuation: {TEXT}}}}}",
        list(&format!("hash: {TEXT}, token_id: {TEXT}"))
    );
    let parameters = format!("[{}]", query("continuation", "string"));
    let mut paths = get("/transactions/nfts/{contract}", &parameters, &transactions);
    paths += &get(
        "/transactions/nfts/{contract}/{token_id}",
        &parameters,
        &transactions,
    );
    let facts = facts(&paths);
    let parents = facts
        .resources
        .iter()
        .filter(|resource| resource.parent.value.is_some());
    assert_eq!(parents.count(), 0);
    let keys = &resource(&facts, "transactions").primary_key.value;
    assert!(!keys.contains(&"token_id".to_owned()), "{keys:?}");
}

#[test]
fn a_link_to_a_field_that_does_not_exist_is_a_question() {
    let mut paths = get(
        "/versions",
        "[]",
        &list(&format!("status: {TEXT}, notes: {TEXT}")),
    );
    paths += &get(
        "/versions/{version}/changes",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    let facts = facts(&paths);
    let changes = resource(&facts, "changes");
    assert!(changes.parent.confidence < SURE, "{:?}", changes.parent);
    assert!(
        changes
            .doubts
            .iter()
            .any(|doubt| doubt.settle.starts_with("parent"))
    );
}

#[test]
fn the_last_word_of_a_parameter_may_name_the_field() {
    let mut paths = get(
        "/floating_ips",
        "[]",
        &list(&format!("ip: {TEXT}, locked: {TEXT}")),
    );
    paths += &get(
        "/floating_ips/{floating_ip}/actions",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    paths += &get(
        "/versions",
        "[]",
        &list(&format!("number: {TEXT}, notes: {TEXT}")),
    );
    paths += &get(
        "/versions/{setVersion}/changes",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    let facts = facts(&paths);
    assert_eq!(parent(&facts, "actions").1, ["floating_ip <- ip"]);
    assert_eq!(resource(&facts, "floating_ips").primary_key.value, ["ip"]);
    assert_eq!(parent(&facts, "changes").1, ["setVersion <- number"]);
}

#[test]
fn a_segment_that_says_nothing_stands_behind_its_parents_name() {
    let list = format!("{{type: array, items: {ITEM}}}");
    let paths = [
        "/projects",
        "/projects/{id}/keys",
        "/projects/{id}/search",
        "/orders/{id}/items",
        "/lists/{list}/values/{value}/parts",
        "/time-off/types",
        "/events",
        "/incidents/{id}/events",
        "/incidents/{id}/alerts",
        "/items",
    ];
    let document: String = paths.iter().map(|path| get(path, "[]", &list)).collect();
    let mut names: Vec<String> = facts(&document)
        .resources
        .into_iter()
        .map(|resource| resource.name)
        .collect();
    names.sort();
    let wanted = [
        "alerts",
        "events",
        "incident_events",
        "items",
        "list_value_parts",
        "order_items",
        "project_keys",
        "project_search",
        "projects",
        "time_off_types",
    ];
    assert_eq!(names, wanted);
}

/// Writes a list by POST whose body may hold a limit.
fn filter(path: &str, record: &str) -> String {
    let body = "{type: object, properties: {limit: {type: integer}, offset: {type: integer}}}";
    format!(
        "  {path}:\n    post:\n      requestBody: {{content: {{application/json: {{schema: {body}}}}}}}\n      \
         responses: {{'200': {{description: ok, content: {{application/json: {{schema: {record}}}}}}}}}\n"
    )
}

fn required(name: &str, kind: &str) -> String {
    format!("[{{name: {name}, in: query, required: true, schema: {{type: {kind}}}}}]")
}

#[test]
fn a_post_that_lists_is_named_after_its_path_and_may_be_a_parent() {
    let pools = list(&format!("id: {TEXT}, name: {TEXT}"));
    let mut paths = filter("/work_pools/filter", &pools);
    paths += &get(
        "/work_pools/{work_pool_name}/queues",
        "[{name: work_pool_name, in: path, required: true, schema: {type: string}}]",
        &list(&format!("id: {TEXT}")),
    );
    let lines = required("work_pool_name", "string");
    paths += &get("/lines", &lines, &list(&format!("id: {TEXT}")));
    let facts = facts(&paths);
    let names = (
        "work_pools".to_owned(),
        vec!["work_pool_name <- name".to_owned()],
    );
    assert_eq!(parent(&facts, "queues"), names);
    assert_eq!(parent(&facts, "lines"), names);
    let parent = resource(&facts, "lines").parent.value.as_ref().unwrap();
    assert_eq!(parent.path, "/work_pools/filter");
}

#[test]
fn a_post_that_needs_more_is_no_parent() {
    let tasks = list(&format!("id: {TEXT}"));
    let below = get("/tasks/{task_id}/logs", "[]", &tasks);
    let needy = "{type: object, required: [ids], properties: {ids: {type: array, items: {}}}}";
    let path = format!(
        "  /tasks/list:\n    post:\n      requestBody: {{content: {{application/json: {{schema: {needy}}}}}}}\n      \
         responses: {{'200': {{description: ok, content: {{application/json: {{schema: {tasks}}}}}}}}}\n"
    );
    let found = facts(&(path + &below));
    assert!(found.resources.iter().all(|it| it.parent.value.is_none()));
}

#[test]
fn a_required_parameter_may_be_called_like_the_records_of_a_list() {
    let mut paths = get("/projects", "[]", &list("id: {type: integer}"));
    paths += &get(
        "/storages",
        &required("project", "integer"),
        &list("id: {type: integer}"),
    );
    let found = facts(&paths);
    let wanted = ("projects".to_owned(), vec!["project <- id".to_owned()]);
    assert_eq!(parent(&found, "storages"), wanted);
    let storages = resource(&found, "storages");
    assert!(storages.parent.confidence >= SURE && storages.settings.is_empty());
}

#[test]
fn a_required_parameter_of_another_type_is_a_question_with_its_line() {
    let mut paths = get("/projects", "[]", &list("id: {type: integer}"));
    paths += &get(
        "/storages",
        &required("project", "string"),
        &list("id: {type: integer}"),
    );
    let found = facts(&paths);
    let storages = resource(&found, "storages");
    assert!(storages.parent.confidence < SURE);
    let line = r#"parent = { resource = "projects", params = { project = "id" } }"#;
    assert!(storages.doubts.iter().any(|doubt| doubt.settle == line));
    let reason = super::super::open_questions::unsupplied(storages);
    assert!(reason.is_some_and(|reason| reason.contains("`project`")));
}

#[test]
fn a_required_parameter_with_values_or_in_the_plural_is_a_setting() {
    for parameter in [
        "[{name: project, in: query, required: true, schema: {type: string, enum: [a, b]}}]",
        "[{name: project, in: query, required: true, schema: {type: string, default: a}}]",
        "[{name: projects, in: query, required: true, schema: {type: string}}]",
        "[{name: project, in: query, schema: {type: string}}]",
        "[{name: subject, in: query, required: true, schema: {type: string}}]",
    ] {
        let mut paths = get("/projects", "[]", &list(&format!("id: {TEXT}")));
        paths += &get("/storages", parameter, &list(&format!("id: {TEXT}")));
        let found = facts(&paths);
        assert_eq!(
            resource(&found, "storages").parent.value,
            None,
            "{parameter}"
        );
    }
}

#[test]
fn a_path_may_name_the_field_of_its_parent() {
    let types = list(&format!("id: {TEXT}, slug: {TEXT}"));
    let mut paths = filter("/block_types/filter", &types);
    paths += &get(
        "/block_types/slug/{slug}/documents",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    assert_eq!(
        parent(&facts(&paths), "documents"),
        ("block_types".to_owned(), vec!["slug <- slug".to_owned()])
    );
}

#[test]
fn a_second_placeholder_takes_the_field_of_its_name() {
    let mut paths = get(
        "/runs",
        "[]",
        &list(&format!(
            "task_id: {TEXT}, map_index: {{type: integer}}, id: {TEXT}"
        )),
    );
    paths += &get(
        "/runs/{task_id}/{map_index}/tries",
        "[]",
        &list(&format!("id: {TEXT}")),
    );
    let found = facts(&paths);
    let tries = found
        .resources
        .iter()
        .find(|it| it.parent.value.is_some())
        .unwrap();
    assert_eq!(
        parent(&found, &tries.name).1,
        ["task_id <- task_id", "map_index <- map_index"]
    );
    assert!(tries.settings.is_empty(), "{:?}", tries.settings);
}

#[test]
fn the_id_of_something_else_is_no_key() {
    let warnings = list(&format!(
        "dag_id: {TEXT}, warning_type: {TEXT}, message: {TEXT}"
    ));
    let dags = get("/dags", "[]", &list(&format!("dag_id: {TEXT}")));
    let found = facts(&(dags.clone() + &get("/dagWarnings", "[]", &warnings)));
    assert!(
        resource(&found, "dag_warnings")
            .primary_key
            .value
            .is_empty()
    );
    assert_eq!(resource(&found, "dags").primary_key.value, ["dag_id"]);
    // All records below one DAG have its id.
    let found = facts(&(dags + &get("/dags/{dag_id}/warnings", "[]", &warnings)));
    assert!(resource(&found, "warnings").primary_key.value.is_empty());
    // The placeholder `{id}` is not the record's `id`.
    let mut paths = get("/users", "[]", &list(&format!("id: {TEXT}")));
    paths += &get("/users/{id}/posts", "[]", &list(&format!("id: {TEXT}")));
    assert_eq!(resource(&facts(&paths), "posts").primary_key.value, ["id"]);
}

#[test]
fn what_is_asked_for_all_parents_has_their_ids_in_its_key() {
    let all = "[{name: dag_id, in: path, required: true, schema: {type: string, enum: ['~']}}]";
    let key = |fields: &str| {
        let mut paths = get("/dags", "[]", &list(&format!("dag_id: {TEXT}")));
        paths += &get("/dags/{dag_id}/runs", all, &list(fields));
        let record = format!("{{type: object, properties: {{{fields}}}}}");
        paths += &get("/dags/{dag_id}/runs/{run_id}", "[]", &record);
        let found = facts(&paths);
        let runs = found.resources.iter().find(|it| !it.fixed.is_empty());
        runs.unwrap().primary_key.value.clone()
    };
    assert_eq!(
        key(&format!("run_id: {TEXT}, dag_id: {TEXT}")),
        ["dag_id", "run_id"]
    );
    assert!(key(&format!("run_id: {TEXT}, state: {TEXT}")).is_empty());
}
