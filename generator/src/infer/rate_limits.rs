//! Reads the rate limit of an API, if its document states it once, for the whole API, without conditions.

use super::facts::RateFacts;
use super::rules::{among, tells};
use crate::spec::api::Api;

/// Returns the limits that the description or an extension (`x-rate-limit: 100/minute`) states;
/// none in case of doubt.
pub(super) fn rate_limits(api: &Api) -> Vec<RateFacts> {
    let named = api.extensions.iter().filter_map(|(name, value)| {
        let name = name.to_ascii_lowercase().replace('-', "");
        let text = value.as_str().filter(|_| name == "xratelimit")?;
        Some(text.to_owned())
    });
    for text in named {
        // The name of the extension says what the numbers mean.
        let text = match text.contains("request") {
            true => text,
            false => text.replace('/', " requests per "),
        };
        let found = stated(&format!("rate limit: {text}"));
        if !found.is_empty() {
            return found;
        }
    }
    stated(&api.description)
}

/// Returns the limits that a text states.
fn stated(text: &str) -> Vec<RateFacts> {
    let mut found: Vec<RateFacts> = Vec::new();
    // The words before a list of numbers say what they mean.
    let mut about = 0;
    for piece in pieces(text) {
        let lower = piece.to_lowercase();
        let here = [
            "rate limit",
            "rate-limit",
            "ratelimit",
            "limited to",
            "throttl",
            "at most",
            "no more than",
        ];
        about = match tells("said of a rate", &lower, &here) {
            true => 6,
            false => u32::saturating_sub(about, 1),
        };
        for (requests, seconds) in phrases(&lower) {
            let known = found.iter().find(|known| known.seconds == seconds);
            // Higher plans have higher limits, and a limit of some endpoints does not apply to others.
            if known.is_some_and(|known| known.requests != requests)
                || about > 0 && conditions(&lower)
            {
                return Vec::new();
            }
            if about > 0 && known.is_none() {
                found.push(RateFacts {
                    requests,
                    seconds,
                    said: piece.trim().to_owned(),
                });
            }
        }
    }
    found
}

/// Splits a text into sentences, bullets and cells.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split(['\n', '|']).flat_map(|line| line.split("<br"));
    let pieces = lines.flat_map(|line| line.split(". "));
    pieces.filter(|piece| !piece.trim().is_empty())
}

/// Returns whether the limit applies only to some callers, times or endpoints.
fn conditions(text: &str) -> bool {
    const WORDS: [&str; 31] = [
        "anonymous",
        "authenticated",
        "unauthenticated",
        "basic",
        "burst",
        "contact",
        "default",
        "endpoint",
        "endpoints",
        "enterprise",
        "example",
        "free",
        "higher",
        "increase",
        "ip",
        "operation",
        "paid",
        "per-ip",
        "plan",
        "plans",
        "post",
        "premium",
        "pro",
        "sandbox",
        "search",
        "some",
        "tier",
        "tiers",
        "trial",
        "upload",
        "write",
    ];
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    words.any(|word| among("conditions of a rate", &WORDS, word))
}

/// Reads `(100, 60)` from `100 requests per minute`.
fn phrases(text: &str) -> Vec<(u64, u64)> {
    let spaced = text.replace('/', " per ").replace('-', " ");
    let trim = |word: &str| -> String {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric());
        word.replace(',', "")
    };
    let words: Vec<String> = spaced
        .split_whitespace()
        .map(trim)
        .filter(|word| !word.is_empty())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let found = (0..words.len()).filter_map(|at| phrase(&words[at..]));
    found.collect()
}

fn phrase(words: &[&str]) -> Option<(u64, u64)> {
    let (requests, rest) = words.split_first()?;
    let requests: u64 = requests.parse().ok()?;
    let rest = skip(rest, &["api", "http", "rest"]);
    let rest = one_of(
        rest,
        &["requests", "request", "calls", "queries", "reqs", "req"],
    )?;
    let rest = one_of(rest, &["per", "every", "each", "a", "an", "in", "within"])?;
    let rest = skip(rest, &["a", "an", "any", "each", "every", "one", "the"]);
    let (count, rest) = match rest.split_first() {
        Some((number, behind)) if number.parse::<u64>().is_ok() => (number.parse().ok()?, behind),
        _ => (1, rest),
    };
    let unit: u64 = match *rest.first()? {
        "second" | "seconds" | "sec" | "s" => 1,
        "minute" | "minutes" | "min" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 86_400,
        _ => return None,
    };
    let seconds = unit.checked_mul(count)?;
    ((1..=1_000_000).contains(&requests) && (1..=31 * 86_400).contains(&seconds))
        .then_some((requests, seconds))
}

fn skip<'a, 'b>(words: &'a [&'b str], fillers: &[&str]) -> &'a [&'b str] {
    match words.split_first() {
        Some((word, rest)) if fillers.contains(word) => rest,
        _ => words,
    }
}

fn one_of<'a, 'b>(words: &'a [&'b str], wanted: &[&str]) -> Option<&'a [&'b str]> {
    let (word, rest) = words.split_first()?;
    wanted.contains(word).then_some(rest)
}
