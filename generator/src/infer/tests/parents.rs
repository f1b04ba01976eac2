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
