//! `on_status`: what a run does about a response's status.

use std::collections::BTreeMap;

use etlgen_model::StatusRule;

use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;

/// The rules, by status.
#[derive(Clone, Debug, PartialEq)]
pub struct OnStatus(BTreeMap<u16, StatusRule>);

impl Key for OnStatus {
    const ABOUT: About = About {
        name: "on_status",
        takes: "a table of `\"fail\"`, `\"retry\"`, `\"skip\"` and `\"empty\"` by status",
        does: "Declares what a run does for a response's status. `skip` leaves the list out (of a child resource: that of \
               one parent), keeps its rows and counts it in the report. `empty` says that the response is an empty page: \
               the list has no records, or no more of them.",
        examples: &["on_status = { 403 = \"skip\", 423 = \"retry\", 404 = \"fail\" }"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let words = [
            ("fail", StatusRule::Fail),
            ("retry", StatusRule::Retry),
            ("skip", StatusRule::Skip),
            ("empty", StatusRule::Empty),
        ];
        let table = value.table("a table such as { 403 = \"skip\" }", faults)?;
        let mut rules = BTreeMap::new();
        for entry in table.entries() {
            let status = entry.name.parse().ok();
            let Some(status) = status.filter(|status| (100..600).contains(status)) else {
                let message = format!("`{}` is not the status of a response", entry.name);
                let hint = "statuses are the numbers from 100 to 599";
                faults.add(entry.place, message).hint(hint.to_owned());
                continue;
            };
            if let Some(rule) = entry.value.choice(&words, faults) {
                rules.insert(status, rule);
            }
        }
        Some(OnStatus(rules))
    }
}

impl ResourceKey for OnStatus {
    fn apply(&self, _place: Place, on: &mut Target<'_>) {
        on.choices().on_status.clone_from(&self.0);
    }
}
