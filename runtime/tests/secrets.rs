//! Tests of secrets: where they are sent, and where they never appear.

use std::sync::{Arc, Mutex};

use crate::support::{InMemory, asked, page, run_by, simulated};
use etlgen_runtime::prelude::*;
use etlgen_runtime::run::{Outcome, RunOptions};
use etlgen_runtime::world::{WireRequest, WireResponse, World};
use serde_json::json;

const KEY: &str = "sk-canary/9137 =";
const TENANT: &str = "tenant+secret";

#[derive(Record)]
struct Item {
    id: Option<i64>,
}

fn items() -> Resource<Item> {
    Item::list("items", "/items")
        .records("data")
        .primary_key([Item::ID])
        .paginate(Paginator::next_url("next"))
}

/// Serves five pages of two; the link to the next page repeats the key and a secret setting. Other
/// keys are refused, and so is a second key in the query.
fn repeats(key: Arc<Mutex<String>>) -> impl Fn(&WireRequest) -> WireResponse + Send + Sync {
    move |request| {
        let key = key.lock().unwrap().clone();
        let after = asked(request, "after");
        // A token that shows no number.
        let number = after.len().max(1);
        let keys = request.url().query_pairs();
        let keys: Vec<_> = keys.filter(|(name, _)| name == "key").collect();
        let good = request.header("authorization") == Some(&format!("Bearer {key}"));
        if !good || keys.iter().any(|(_, sent)| *sent != key) || asked(request, "tenant") != TENANT
        {
            return WireResponse::new(404).body(r#"{"message": "no such page"}"#);
        }
        let mut next = request.url().clone();
        next.query_pairs_mut()
            .clear()
            .append_pair("after", &"p".repeat(number + 1))
            .append_pair("key", &key)
            .append_pair("tenant", TENANT);
        let next = (number < 5).then(|| next.to_string());
        page(json!({"data": [{"id": 2 * number}, {"id": 2 * number + 1}], "next": next}))
    }
}

fn source(key: &str, world: World) -> Source {
    Source::new("shop", "https://api.example/v1")
        .world(world)
        .auth(Auth::bearer(key))
        .hide([key.into(), TENANT.into()])
        .resource(items().query("tenant", TENANT))
}

fn forms(secret: &str) -> Vec<String> {
    let encoded = |escape: fn(u8) -> String| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let one = |byte: u8| match plain(byte) {
            true => char::from(byte).to_string(),
            false => escape(byte),
        };
        secret.bytes().map(one).collect()
    };
    vec![
        secret.to_owned(),
        encoded(|byte| format!("%{byte:02X}")),
        encoded(|byte| format!("%{byte:02x}")),
        encoded(|byte| format!("%{byte:02X}")).replace("%20", "+"),
    ]
}

#[test]
fn a_position_holds_no_secret_and_is_gone_on_from_with_the_key_of_today() {
    let key = Arc::new(Mutex::new(KEY.to_owned()));
    let answer = repeats(key.clone());
    let asked_for = Arc::new(Mutex::new(Vec::new()));
    let kept = asked_for.clone();
    let (world, clock) = simulated(1_700_000_000, move |request| {
        kept.lock().unwrap().push(asked(request, "after"));
        Ok(answer(request))
    });
    let into = InMemory::new(1);
    let limited = RunOptions::default().limit(5);
    run_by(&clock, &source(KEY, world.clone()), &into, &limited).unwrap();
    let state = format!("{:?}", into.state());
    assert!(state.contains("after=ppp"), "{state}");
    for form in forms(KEY).iter().chain(&forms(TENANT)) {
        assert!(!state.contains(form.as_str()), "{form} in {state}");
    }
    // The key has changed since the last run.
    *key.lock().unwrap() = "another key".to_owned();
    asked_for.lock().unwrap().clear();
    let all = RunOptions::default();
    let report = run_by(&clock, &source("another key", world), &into, &all).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(into.table("items").len(), 10);
    assert_eq!(*asked_for.lock().unwrap(), ["ppp", "pppp", "ppppp"]);
}

#[test]
fn a_position_that_cannot_be_opened_is_given_up() {
    // The token contains the key in base64, which cannot be restored.
    let token = "cGFnZSAyIG9mIHNrLWNhbmFyeS85MTM3ID0gZW5k";
    let (world, clock) = simulated(1_700_000_000, move |request| {
        Ok(match asked(request, "after").as_str() {
            "" => page(json!({"data": [{"id": 1}], "next": token})),
            after if after == token => page(json!({"data": [{"id": 2}]})),
            _ => WireResponse::new(500),
        })
    });
    let pages = Paginator::token("after", "next");
    let source = Source::new("shop", "https://api.example")
        .world(world)
        .auth(Auth::bearer(KEY))
        .resource(items().paginate(pages));
    let into = InMemory::new(1);
    let limited = RunOptions::default().limit(1);
    run_by(&clock, &source, &into, &limited).unwrap();
    let state = format!("{:?}", into.state());
    assert!(
        !state.contains("c2stY2FuYXJ5") && !state.contains("NrLWNhbmFyeS"),
        "{state}"
    );
    let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(into.table("items").len(), 2);
}

#[test]
fn a_link_gets_no_setting_that_the_list_does_not_send() {
    // This API knows about placeholders, and tries to obtain the other secrets.
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let (world, clock) = simulated(1_700_000_000, move |request| {
        kept.lock().unwrap().push(request.url().to_string());
        let next = (asked(request, "page") != "2")
            .then_some("/items?page=2&a=etlgen.secret.setting0.&b=etlgen.secret.setting1.");
        Ok(page(json!({"data": [{"id": 1}], "next": next})))
    });
    let source = Source::new("shop", "https://api.example")
        .world(world)
        .hide(["of another host".into(), TENANT.into()])
        .resource(items().query("tenant", TENANT));
    let into = InMemory::new(1);
    run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    let seen = seen.lock().unwrap().join("\n");
    assert!(seen.contains("b=tenant%2Bsecret"), "{seen}");
    assert!(!seen.contains("another"), "{seen}");
}

/// Runs a source at that URL with a key and one page; returns whether the key was sent, and how the
/// run ended.
fn sent_to(base: &str, auth: Auth, change: impl Fn(Source) -> Source) -> (bool, String) {
    let sent = Arc::new(Mutex::new(false));
    let kept = sent.clone();
    let (world, clock) = simulated(1_700_000_000, move |request| {
        *kept.lock().unwrap() = true;
        let token = r#"{"access_token": "t"}"#;
        Ok(match request.url().path() {
            "/token" => WireResponse::new(200).body(token),
            _ => page(json!({"data": [{"id": 1}]})),
        })
    });
    let source = Source::new("shop", base).world(world).auth(auth);
    let source = change(source.resource(items()));
    let report = run_by(&clock, &source, &InMemory::new(1), &RunOptions::default());
    let end = match report {
        Err(error) => error.report(),
        Ok(report) => match &report.resources[0].outcome {
            Outcome::Failed(_, message) => message.clone(),
            outcome => format!("{outcome:?}"),
        },
    };
    (*sent.lock().unwrap(), end)
}

#[test]
fn a_secret_goes_unencrypted_only_to_this_machine_and_private_networks() {
    let same = |source: Source| source;
    let key = || Auth::bearer(KEY);
    let (sent, end) = sent_to("http://api.example", key(), same);
    assert!(
        !sent && end.contains("--allow-http") && !end.contains(KEY),
        "{end}"
    );
    for base in [
        "http://localhost:1",
        "http://10.0.0.7",
        "https://api.example",
    ] {
        assert_eq!(
            sent_to(base, key(), same),
            (true, "Complete".into()),
            "{base}"
        );
    }
    let allowed = sent_to("http://api.example", key(), Source::allow_http);
    assert_eq!(allowed, (true, "Complete".into()));
    // Without credentials no secret can be seen, unless a setting is sent.
    assert!(sent_to("http://api.example", Auth::none(), same).0);
    let with_setting = |source: Source| {
        source
            .hide([TENANT.into()])
            .resource(Item::list("others", "/others").query("tenant", TENANT))
    };
    let (_, end) = sent_to("http://api.example", Auth::none(), with_setting);
    assert_eq!(end, "Complete");
    // The token endpoint receives the client's secret.
    let auth = Auth::oauth2_client_credentials("http://login.example/token", "id", "secret", &[]);
    let (sent, end) = sent_to("https://api.example", auth, same);
    assert!(!sent && end.contains("http://login.example"), "{end}");
}

#[test]
fn a_secret_setting_of_one_list_goes_nowhere_in_the_clear() {
    let (world, clock) = simulated(1_700_000_000, |request| {
        assert!(
            !request.url().as_str().contains("tenant"),
            "{}",
            request.url()
        );
        Ok(page(json!({"data": [{"id": 1}]})))
    });
    let source = Source::new("shop", "http://api.example")
        .world(world)
        .hide([TENANT.into()])
        .resource(items())
        .resource(Item::list("others", "/others").query("tenant", TENANT));
    let report = run_by(&clock, &source, &InMemory::new(1), &RunOptions::default()).unwrap();
    assert!(
        matches!(report.resources[0].outcome, Outcome::Complete),
        "{report:?}"
    );
    let Outcome::Failed(_, message) = &report.resources[1].outcome else {
        panic!("{report:?}")
    };
    assert!(message.contains("--allow-http"), "{message}");
}

#[test]
fn a_link_that_forgets_that_the_api_is_encrypted_is_followed_as_the_api_is() {
    let (world, clock) = simulated(1_700_000_000, |request| {
        assert_eq!(request.url().scheme(), "https");
        assert_eq!(request.url().port(), None);
        let next = (asked(request, "page") != "2").then_some("http://api.example/items?page=2");
        let id = 1 + i64::from(next.is_none());
        Ok(page(json!({"data": [{"id": id}], "next": next})))
    });
    let source = Source::new("shop", "https://api.example")
        .world(world)
        .auth(Auth::bearer(KEY))
        .resource(items());
    let into = InMemory::new(1);
    let report = run_by(&clock, &source, &into, &RunOptions::default()).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(into.table("items").len(), 2);
}

#[test]
fn an_error_shows_no_form_of_a_secret() {
    let (user, password) = ("reader", "pass word/1");
    for said in [
        "bad key pass%20word%2F1",
        "bad key pass+word%2f1",
        "bad key %70%61ss%20word/1",
        "bad pair cmVhZGVyOnBhc3Mgd29yZC8x",
        "bad token eyJwIjoicGFzcyB3b3JkLzEifQ==",
        "bad key pass word/1",
    ] {
        let (world, clock) = simulated(1_700_000_000, move |_| {
            Ok(WireResponse::new(400).body(json!({"message": said}).to_string()))
        });
        let source = Source::new("shop", "https://api.example")
            .world(world)
            .auth(Auth::basic(user, password))
            .resource(items());
        let report = run_by(&clock, &source, &InMemory::new(1), &RunOptions::default()).unwrap();
        let shown = format!("{report:?}");
        assert!(shown.contains("***"), "{said}: {shown}");
        for part in ["word", "d29yZ", "Bhc3Mgd2", "cGFzcyB3"] {
            assert!(!shown.contains(part), "{said}: {shown}");
        }
    }
}

#[test]
fn the_reason_of_a_grade_shows_no_secret() {
    let key = "sk/canary+9137==";
    let quoted = "sk%2Fcanary%2B9137%3D%3D";
    let words = format!("key {key} is old, {quoted}");
    for says in [
        json!({"errors": [{"message": words}]}),
        json!({"warnings": [words]}),
        json!({"partial": words}),
        json!({"total": words}),
        json!({"cursor": words}),
        json!({"has_more": words}),
    ] {
        let (world, clock) = simulated(1_700_000_000, move |_| {
            let mut body = json!({"data": [{"id": 1}, {"id": 2}]});
            let fields = says.as_object().unwrap().clone();
            body.as_object_mut().unwrap().extend(fields);
            Ok(page(body))
        });
        let source = Source::new("shop", "https://api.example")
            .world(world)
            .auth(Auth::query("key", key))
            .resource(items());
        let memory = InMemory::new(1);
        let report = run_by(&clock, &source, &memory, &RunOptions::default()).unwrap();
        let shown = format!("{report:?} {:?}", memory.state());
        assert!(shown.contains("***"), "{shown}");
        assert!(!shown.contains(key) && !shown.contains(quoted), "{shown}");
    }
}
