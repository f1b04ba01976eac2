//! A resource whose request may do something is off.

use super::*;

const LIST: &str = "{type: object, properties: {next_cursor: {type: string}, jobs: {type: array, items: {type: object, properties: {id: {type: string}}}}}}";

/// Returns the reason why an operation is off; `None`: a run sends it.
fn off(method: &str, path: &str, id: &str, body: &str) -> Option<String> {
    let id = if id.is_empty() {
        String::new()
    } else {
        format!("      operationId: {id}\n")
    };
    let body = if body.is_empty() {
        String::new()
    } else {
        format!("      requestBody: {{content: {{application/json: {{schema: {body}}}}}}}\n")
    };
    let facts = facts(&format!(
        "  {path}:\n    {method}:\n{id}{body}      parameters: [{{name: cursor, in: query, schema: {{type: string}}}}]\n      \
         responses: {{'200': {{description: ok, content: {{application/json: {{schema: {LIST}}}}}}}}}\n"
    ));
    match facts.resources.first() {
        Some(resource) => {
            let settles = resource
                .doubts
                .iter()
                .any(|doubt| doubt.settle == "off = false");
            assert_eq!(settles, resource.off.is_some(), "{path}");
            resource.off.clone()
        }
        None => Some(format!("skipped: {}", facts.skipped[0].reason)),
    }
}

#[test]
fn a_get_with_a_word_of_doing_is_off() {
    for (path, id) in [
        ("/jobs/cancelAll", ""),
        ("/session/logout", "getLogout"),
        ("/tokens/revoke", ""),
        ("/cache/clear-all", ""),
        ("/items/bulk_delete", ""),
        ("/jobs/cancel/{id}", ""),
        ("/servers/start", "servers_start"),
        ("/devices/update", ""),
        ("/things", "connectThings"),
        ("/session", "logout_session_get"),
        ("/jobs:cancel", ""),
        ("/conversations.close", ""),
        ("/reports/generate", ""),
        ("/jobs/run", "runJob"),
        ("/reports/generate-now", "generateNow"),
    ] {
        let reason = off("get", path, id, "");
        assert!(
            reason.is_some_and(|reason| reason.contains("may do something")),
            "{path} {id}"
        );
    }
}

#[test]
fn a_get_of_nouns_is_read() {
    for (path, id) in [
        ("/updates", "listUpdates"),
        ("/jobs", ""),
        ("/runs", "runs_list"),
        ("/check-runs", "checks/list-for-ref"),
        ("/projects/{id}/schedule", "getSchedule"),
        ("/orders/{id}/release-notes", ""),
        ("/connections", ""),
        ("/update/{id}/items", ""),
        ("/things", "Update_List"),
        ("/users/{id}/items", "read_items_users__id__items_get"),
        ("/settings", ""),
        ("/starts", ""),
        ("/accounts/{id}/bulk_send_batch", "BulkSend_GetBatches"),
        (
            "/droplets/{id}/destroy_with_resources",
            "droplets_list_resources",
        ),
        ("/organizations/{id}/loginSecurity", "getLoginSecurity"),
    ] {
        assert_eq!(off("get", path, id, ""), None, "{path} {id}");
    }
}

#[test]
fn a_post_is_sent_only_where_it_reads() {
    for (path, id, body) in [
        ("/jobs/search", "", ""),
        ("/jobs/query", "", "{type: object}"),
        ("/jobs", "listJobs", ""),
        ("/jobs/get", "", ""),
        ("/events", "exportEvents", ""),
        // The body holds only the list's own position.
        (
            "/jobs",
            "",
            "{type: object, properties: {cursor: {type: string}}}",
        ),
    ] {
        assert_eq!(off("post", path, id, body), None, "{path} {id}");
    }
    for (path, id, body) in [
        ("/jobs/delete", "", ""),
        ("/jobs/cancelAll", "searchAndCancel", ""),
        ("/dags/{dag_id}/clearTaskInstances", "", ""),
        ("/jobs/search-and-update", "updateJobs", ""),
    ] {
        assert!(off("post", path, id, body).is_some(), "{path} {id}");
    }
}

#[test]
fn a_post_with_a_parameter_for_pages_is_off_if_a_word_of_doing_stands_anywhere() {
    for (path, id) in [
        ("/invoices/pay", ""),
        ("/orders/refund", ""),
        ("/orders/{id}/pay", "payOrder"),
        ("/payments/capture", ""),
        ("/db/drop", ""),
        ("/db/truncate", ""),
        ("/accounts/close", ""),
        ("/trash/empty", ""),
        ("/queue/pop", ""),
        ("/users/invite", ""),
        ("/carts/query", "retrieveAndDelete"),
        ("/carts", "findOrCreateCart"),
        ("/tasks/query", "closeTasks"),
        ("/tasks/query", "lockAndList"),
        ("/jobs/list-and-lock", "listJobs"),
        ("/jobs/acquire", "fetchJobs"),
    ] {
        let reason = off("post", path, id, "");
        let said = reason.as_deref().unwrap_or_default();
        assert!(said.contains("may do something"), "{path} {id}: {said}");
    }
    for (path, id) in [
        ("/orders/search", "searchOrders"),
        ("/reports/query", "runQuery"),
        ("/dagRuns/list", "get_list_dag_runs_batch"),
        ("/events", "getEvents"),
        ("/events/filter", "read_events_events_filter_post"),
    ] {
        assert_eq!(off("post", path, id, ""), None, "{path} {id}");
    }
}

#[test]
fn a_word_of_doing_before_its_trace_is_a_noun() {
    for (path, id) in [
        ("/importErrors", "importErrors"),
        ("/plugins/importErrors", ""),
        ("/users/{id}/login-history", "loginHistory"),
        ("/update-log", ""),
        ("/sync_failures", "get_failures"),
    ] {
        assert_eq!(off("get", path, id, ""), None, "{path} {id}");
    }
    for (path, id) in [
        ("/clear-log", ""),
        ("/delete-history", ""),
        ("/update-settings", ""),
        ("/importUsers", "importUsers"),
        ("/update-log", "deleteLog"),
    ] {
        assert!(off("get", path, id, "").is_some(), "{path} {id}");
    }
}

#[test]
fn a_post_with_a_token_is_off_if_its_last_word_may_be_a_verb() {
    for path in ["/payments/reconcile", "/accounts/rekey", "/ledger/balance"] {
        assert!(off("post", path, "", "").is_some(), "{path}");
    }
    for path in ["/jobs", "/payments/entries", "/teams/{team}/jobs"] {
        assert_eq!(off("post", path, "", ""), None, "{path}");
    }
}
