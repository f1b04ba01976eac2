//! Each mistake is reported with its place, its value, and what would be right.

use super::{parse, result};

/// Reports each mistake with its place, the value, and what would be right.
#[test]
fn mistakes() {
    let top = [
        "incldue = [\"orders\"]",
        "primary_key = [\"id\"]",
        "nothing_like_it = 1",
        "spec = 3",
        "spec = \"\"",
        "overlay = \"fix.yaml\"",
        "name = \"My Shop\"",
        "name = \"!\"",
        "include = [\"order\"]",
        "include = [\"xyz*\"]",
        "exclude = [\"ordrs\", \"*_audit\"]",
        "exclude = [\"*\"]",
        "singles = [\"orders\"]",
        "singles = \"account\"",
        "base_url = \"shop.example/v2\"",
        "base_url = \"ftp://shop.example\"",
        "auth = \"barer\"",
        "auth = \"oauth\"",
        "rate_limit = \"fast\"",
        "rate_limit = { requests = 0, seconds = 1 }",
        "rate_limit = { request = 10, seconds = 1 }",
        "contract = \"freez\"",
        "contract = { columns = \"keep\", rows = \"freeze\" }",
        "destinations = [\"oracle\"]",
        "destinations = []",
        "hosts = [\"lambda\"]",
        "runtime = true",
        "license = \"MIT/Apache-2.0\"",
        "repository = \"github.com/acme/x\"",
        "ci = \"gitlab\"",
        "docker = \"yes\"",
        "bump = 1",
        "a = 1\na = 2",
        "[resource.orders]\noff = \"slow\"",
        "[resources.orders]\noff = \"slow\"\n[resources.orders]\noff = \"slow\"",
        "[resources]\norders = 1",
        "[resources.order]\nname = \"x\"",
        "[resources.orders]\nname = \"sales\"\n[resources.members]\nparent = \"sales\"",
    ];
    let orders = [
        "new_row_only = true",
        "include = [\"a\"]",
        "name = \"Order Lines\"",
        "name = \"teams\"",
        "off = true",
        "off = \" \"",
        "kind = \"singel\"",
        "kind = \"single\"\npaginate = \"link_header\"\nincremental = { field = \"id\" }",
        "records = \"data.itms\"",
        "records = \"data\"",
        "records = 1",
        "primary_key = \"id\"",
        "primary_key = [\"uid\"]",
        "primary_key = [\"buyer.ids\"]",
        "primary_key = [\"id\", \"id\"]",
        "paginate = { kind = \"cursor_param\", param = \"cursor\", next = \"meta.next\" }",
        "paginate = \"none\"",
        "paginate = { kind = \"token\", param = \"cursor\" }",
        "paginate = { kind = \"tokn\", param = \"cursor\", next = \"meta.next\" }",
        "paginate = { kind = \"token\", parm = \"cursor\", next = \"meta.next\" }",
        "paginate = { kind = \"page_number\", param = \"page\", next = \"meta.next\" }",
        "paginate = { kind = \"link_header\", size = \"limit\", page_size = 0 }",
        "paginate = { param = \"cursor\" }",
        "paginate = \"token\"",
        "paginate = 5",
        "paginate = { kind = \"token\", param = \"curser\", next = \"meta.next\" }",
        "incremental = { field = \"updated_at\", param = \"sinc\" }",
        "incremental = true",
        "incremental = {}",
        "incremental = { field = \"updated\" }",
        "incremental = { field = \"updated_at\", parm = \"since\" }",
        "incremental = { field = \"updated_at\", param = \"since\", template = \"updated>=\" }",
        "incremental = { field = \"updated_at\", template = \"updated>={}\", exclusive = true }",
        "incremental = { field = \"updated_at\", param = \"since\", until = \"since\" }",
        "incremental = { field = \"updated_at\", param = \"since\", lookback = \"2 hours\" }",
        "incremental = { field = \"updated_at\", param = \"since\", order = \"newest\" }",
        "incremental = { field = \"updated_at\", param = \"since\", format = \"unix\" }",
        "incremental = { field = \"updated_at\", param = \"since\", most_rows = 0 }",
        "incremental = { field = \"updated_at\", param = \"since\", windows = { from = \"2015-01-01\", length = \"90d\" } }",
        "incremental = { field = \"updated_at\", param = \"since\", until = \"until\", windows = { from = \"x\", length = \"90d\" } }",
        "incremental = { field = \"updated_at\", param = \"since\", until = \"until\", windows = { from = \"2015-01-01\", length = \"0d\" } }",
        "incremental = { field = \"updated_at\", param = \"since\", until = \"until\", windows = { from = \"2015-01-01\" } }",
        "incremental = { field = \"deleted\", param = \"since\", format = \"date\" }",
        "incremental = false\nnew_rows_only = true",
        "parent = \"team\"",
        "parent = \"orders\"",
        "parent = \"events\"\n[resources.events]\nprimary_key = []",
        "parent = {}",
        "parent = { resource = \"teams\", params = { regio = \"id\", region = \"uid\" } }",
        "parent = true",
        "within_parent = true",
        "query = { cursor = \"x\" }\npaginate = { kind = \"token\", param = \"cursor\", next = \"meta.next\" }",
        "query = { since = \"x\" }\nincremental = { field = \"updated_at\", param = \"since\" }",
        "query = { region = \"x\" }\nparent = \"teams\"",
        "query = { a = [1] }",
        "on_status = { 42 = \"skip\" }",
        "on_status = { 403 = \"ignore\", forbidden = \"skip\" }",
        "list_may_be_absent = \"yes\"",
        "whole_lists = [\"line\"]",
        "whole_lists = \"lines\"",
        "embedded = [{ list = \"line\" }]",
        "embedded = [{ list = \"lines\", url = \"href\" }]",
        "embedded = [{ list = \"lines\", url = \"url\", path = \"/lines\" }]",
        "embedded = [{ list = \"lines\", path = \"orders/{id}/lines\" }]",
        "embedded = [{ list = \"lines\", path = \"/orders/{uid}/lines\" }]",
        "embedded = [{ url = \"url\" }]",
        "embedded = \"lines\"",
        "deletes = \"sotf\"",
        "deletes = \"hard\"\nprimary_key = []",
        "tombstone = \"delete\"",
        "contract = 3",
    ];
    let mut text = String::new();
    let orders = orders.map(|keys| format!("[resources.orders]\n{keys}"));
    for case in top.iter().map(|keys| (*keys).to_owned()).chain(orders) {
        let error = match result(&case) {
            Ok(_) => panic!("{case}: is taken"),
            Err(error) => error,
        };
        text.push_str(&format!("{case}\n{error}\n\n"));
    }
    for (resource, keys) in [
        ("account", "paginate = \"link_header\""),
        ("account", "incremental = { field = \"id\" }"),
        ("account", "kind = \"list\""),
        ("account", "list_may_be_absent = true"),
        ("orders", "body = { region = \"eu\" }"),
        ("runs", "body = [1]"),
        ("runs", "body = { labels.x = nan }"),
        ("runs", "body = { experiment_id = [\"0\"] }"),
        ("runs", "body = { filter.stat = \"open\" }"),
        ("runs", "body = { page_token = \"x\" }"),
        (
            "runs",
            "body.region = \"x\"\nincremental = { field = \"created_at\", param = \"region\" }",
        ),
        ("runs", "off = false"),
        ("events", "new_rows_only = true"),
        ("teams", "parent = \"members\""),
    ] {
        let case = format!("[resources.{resource}]\n{keys}");
        let error = result(&case).expect_err(&case);
        text.push_str(&format!("{case}\n{error}\n\n"));
    }
    etlgen_testkit::assert_snapshot!(text);
}

#[test]
fn several_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = "docker = 1\nbump = 2\n[resources.orders]\nkind = \"x\"\n";
    let error = parse("etlgen.toml", text).unwrap_err().to_string();
    let places: Vec<&str> = error
        .lines()
        .filter_map(|line| line.strip_prefix("error: etlgen.toml:"))
        .collect();
    assert!(places[0].starts_with("1:10:"), "{error}");
    assert!(
        places[1].starts_with("2:8:") && places[2].starts_with("4:8:"),
        "{error}"
    );
}
