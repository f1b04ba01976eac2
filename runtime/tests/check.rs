//! Tests of `check`: it requests one list and reports the response.

use crate::support::serve;
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::check;

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

fn list(name: &str, path: &str) -> Resource<Item> {
    Item::list(name, path).primary_key(Item::ID)
}

/// Serves an API that answers each path with its status; returns the source of its lists and the
/// request log.
fn api(statuses: &'static [(&'static str, u16)], auth: Auth) -> (Source, impl Fn() -> Vec<String>) {
    let (base, log) = serve(move |path, _| {
        let status = statuses.iter().find(|(known, _)| *known == path);
        (
            status.map_or(404, |(_, status)| *status),
            Vec::new(),
            "[]".into(),
        )
    });
    let lists = statuses
        .iter()
        .map(|(path, _)| list(path.trim_matches('/'), path));
    let source = Source::new("shop", &base).auth(auth);
    let source = lists.fold(source, Source::resource);
    (source, move || log.lock().unwrap().clone())
}

#[tokio::test]
async fn a_list_that_is_refused_or_absent_does_not_decide() {
    let statuses = &[
        ("/accounts", 404),
        ("/audits", 403),
        ("/events", 422),
        ("/files", 400),
        ("/orders", 200),
        ("/more", 200),
    ];
    let (source, asked) = api(statuses, Auth::bearer("sk"));
    let said = check(&source).await.unwrap();
    assert!(
        said.contains("/orders answered 200") && said.contains("credentials are good"),
        "{said}"
    );
    assert_eq!(
        asked(),
        ["/accounts", "/audits", "/events", "/files", "/orders"]
    );
}

#[tokio::test]
async fn an_answer_of_401_decides() {
    let (source, asked) = api(&[("/accounts", 401), ("/orders", 200)], Auth::bearer("sk"));
    let error = check(&source).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error:?}");
    assert_eq!(asked(), ["/accounts"]);
}

#[tokio::test]
async fn lists_that_are_all_refused_fail_as_the_refusal_says() {
    let (source, asked) = api(&[("/accounts", 404), ("/orders", 403)], Auth::bearer("sk"));
    let error = check(&source).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credentials, "{error:?}");
    assert_eq!(asked().len(), 2);
}

#[tokio::test]
async fn what_is_off_or_needs_something_is_not_asked() {
    let (base, log) = serve(|_, _| (200, Vec::new(), "[]".into()));
    let source = Source::new("shop", &base)
        .resource(list("cancel", "/cancel").off("it may do something"))
        .resource(Item::list("rows", "/rows").post().primary_key(Item::ID))
        .resource(list("orders", "/orders"));
    let said = check(&source).await.unwrap();
    assert!(
        said.contains("the API answers without credentials"),
        "{said}"
    );
    assert_eq!(*log.lock().unwrap(), ["/orders"]);

    let source = Source::new("shop", &base).resource(list("cancel", "/cancel").off("why"));
    let error = check(&source).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no resource that can be asked alone"),
        "{error}"
    );
}
