//! Rate limits that the document states.

use super::super::rate_limits::rate_limits;
use crate::spec::api::Api;
use crate::spec::tests::corpus::corpus;
use crate::spec::{Input, read};

fn of(description: &str) -> Vec<(u64, u64)> {
    let api = Api {
        description: description.to_owned(),
        ..Api::default()
    };
    let rates = rate_limits(&api).into_iter();
    rates.map(|rate| (rate.requests, rate.seconds)).collect()
}

#[test]
fn a_plain_statement_is_taken() {
    for (text, rate) in [
        ("Rate limit: 100 requests per minute", (100, 60)),
        (
            "You are limited to 1,000 API calls per hour and account.",
            (1000, 3600),
        ),
        (
            "# Rate limiting\n\nEach token may send at most `5` requests/second.",
            (5, 1),
        ),
        (
            "Requests are throttled.\n* 300 requests every 15 minutes",
            (300, 900),
        ),
        (
            "We rate limit at 40 calls in any 10-second window",
            (40, 10),
        ),
    ] {
        assert_eq!(of(text), [rate], "{text}");
    }
    let both = "## Rate limits\n\nThe limits are:\n\n* 5,000 requests per hour\n* 250 requests per minute (5% of it)";
    assert_eq!(of(both), [(5000, 3600), (250, 60)]);
}

#[test]
fn what_is_said_with_conditions_or_of_something_else_is_not() {
    for text in [
        "Rate limit: 60 unauthenticated requests per hour",
        "Rate limits depend on your plan: 100 requests per minute (Free), 1000 requests per minute (Pro).",
        "Rate limits\n| Silver | 10 requests per second |\n| Gold | 50 requests per second |",
        "The search endpoint is rate limited to 10 requests per minute.",
        "Rate limit: 100 requests per minute. Contact us to have more than 100 requests per minute.",
        "Our service handles 20000 requests per second.",
        "Each shard can support up to 1,000 records per second. Rate limits apply.",
        "Rate limits apply: the header says how many requests per minute are left.",
        "Rate limit: 0 requests per minute",
        "At most 50 invitations per 24 hours",
    ] {
        assert_eq!(of(text), [], "{text}");
    }
}

#[test]
fn an_extension_says_it_too() {
    let with = |value: serde_json::Value| {
        let mut api = Api::default();
        api.extensions.insert("x-ratelimit".to_owned(), value);
        let rates = rate_limits(&api).into_iter();
        rates
            .map(|rate| (rate.requests, rate.seconds))
            .collect::<Vec<_>>()
    };
    assert_eq!(with("100/minute".into()), [(100, 60)]);
    assert_eq!(with("100 requests per minute".into()), [(100, 60)]);
    assert_eq!(with("yes".into()), []);
    assert_eq!(with(100.into()), []);
}

/// Checks that only one of the real documents states an unconditional limit. The others describe
/// plans, endpoints and services.
#[test]
#[ignore = "slow without optimisation"]
fn real_documents_give_no_limit_that_they_do_not_state() {
    for path in corpus() {
        let text = std::fs::read_to_string(&path)
            .unwrap_or_default()
            .to_lowercase();
        if !text.contains("requests") {
            continue;
        }
        let input = Input::load(&path.display().to_string()).unwrap();
        let Some(api) = read(&input).0 else { continue };
        let found = rate_limits(&api);
        let found: Vec<_> = found
            .iter()
            .map(|rate| (rate.requests, rate.seconds))
            .collect();
        println!("{} {found:?}", path.display());
        let expected: &[(u64, u64)] = match api
            .servers
            .iter()
            .any(|server| server.url.contains("api.digitalocean.com"))
        {
            true => &[(5000, 3600), (250, 60)],
            false => &[],
        };
        assert_eq!(found, expected, "{}", path.display());
    }
}
