//! `rate_limit`: how many requests a connector may send.

use crate::infer::facts::RateFacts;
use crate::overrides::about::{About, Part};
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, TopKey};
use crate::overrides::subject::Whole;
use crate::overrides::value::Value;

/// The inferred limits, or these limits, which all apply. Without any, requests are not limited.
#[derive(Clone, Debug, PartialEq)]
pub enum RateLimit {
    Inferred,
    These(Vec<Rate>),
}

/// The most requests in a number of seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    requests: u64,
    seconds: u64,
}

const TAKES: &str = "a table with `requests` and `seconds`, a list of such tables, or `false`";

impl Key for RateLimit {
    const ABOUT: About = About {
        name: "rate_limit",
        takes: TAKES,
        does: "The most requests in a number of seconds; several limits all apply. `false`: no limit. By default the \
               limits that the document states for the whole API, without conditions. Limits in the API's headers are \
               always kept.",
        examples: &[
            "rate_limit = { requests = 100, seconds = 60 }",
            "rate_limit = [{ requests = 100, seconds = 60 }, { requests = 5, seconds = 1 }]",
            "rate_limit = false",
        ],
        parts: &[
            Part {
                name: "requests",
                takes: "a number from 1 on",
                does: "So many requests.",
            },
            Part {
                name: "seconds",
                takes: "a number from 1 on",
                does: "In so many seconds.",
            },
        ],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        if let Some(on) = value.as_bool() {
            return Some(match on {
                true => RateLimit::Inferred,
                false => RateLimit::These(Vec::new()),
            });
        }
        if !value.is_list() {
            return Some(RateLimit::These(vec![rate(value, faults)?]));
        }
        let items = value.items(TAKES, faults)?;
        let rates = items.iter().map(|item| rate(item, faults));
        rates.collect::<Option<Vec<_>>>().map(RateLimit::These)
    }
}

fn rate(value: &Value<'_>, faults: &mut Faults) -> Option<Rate> {
    let table = value.table(TAKES, faults)?;
    table.refuse_other_parts(&RateLimit::ABOUT, faults);
    let (Some(requests), Some(seconds)) = (table.get("requests"), table.get("seconds")) else {
        let missing = match table.get("requests") {
            None => "requests",
            Some(_) => "seconds",
        };
        let message = format!("`rate_limit` needs `{missing}`");
        faults.add(value.place, message);
        return None;
    };
    Some(Rate {
        requests: requests.whole(1, faults)?,
        seconds: seconds.whole(1, faults)?,
    })
}

impl TopKey for RateLimit {
    fn apply(&self, _place: Place, on: &mut Whole<'_>) {
        let RateLimit::These(rates) = self else {
            return;
        };
        let rates = rates.iter().map(|rate| RateFacts {
            requests: rate.requests,
            seconds: rate.seconds,
            said: "etlgen.toml says so".to_owned(),
        });
        on.facts.rates = rates.collect();
    }
}
