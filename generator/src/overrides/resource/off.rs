//! `off`: whether a run reads a resource that `--resources` does not name.

use std::collections::BTreeMap;

use crate::infer::body;
use crate::infer::facts::{Facts, ResourceFacts};
use crate::overrides::ResourceKeys;
use crate::overrides::about::About;
use crate::overrides::decided::Off;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;

impl Key for Off {
    const ABOUT: About = About {
        name: "off",
        takes: "a reason, or `false`",
        does: "Leaves the resource out of every run that does not name it; plans and reports give the reason. `false` \
               switches on what etlgen leaves off.",
        examples: &[
            "off = \"the archive is loaded once, by hand\"",
            "off = false",
        ],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        match value.as_bool() {
            Some(false) => Some(Off::On),
            Some(true) => {
                let message = format!("`{}` is `true`, without a reason", value.key);
                let hint = "write why: off = \"the archive is loaded once, by hand\"";
                faults.add(value.place, message).hint(hint.to_owned());
                None
            }
            None => match value.as_text().map(str::trim) {
                Some(reason) if !reason.is_empty() => Some(Off::Off(reason.to_owned())),
                _ => {
                    value.wrong("a reason, or `false`", faults);
                    None
                }
            },
        }
    }
}

/// Adds a mistake for each resource that is switched on although its requests cannot be sent, or
/// nothing supplies a field that its body requires.
pub fn refuse_needy(facts: &Facts, all: &BTreeMap<String, ResourceKeys>, faults: &mut Faults) {
    for resource in &facts.resources {
        let off = all.get(&resource.name).and_then(|keys| keys.off.as_ref());
        if let Some(off) = off.filter(|off| off.value == Off::On)
            && let Some((reason, hint)) = refusal(resource)
        {
            let message = format!(
                "`off = false` cannot switch on `{}`: {reason}",
                resource.name
            );
            faults.add(off.place, message).hint(hint);
        }
    }
}

/// Returns why a resource cannot be switched on, and the way out.
fn refusal(resource: &ResourceFacts) -> Option<(String, String)> {
    if let Some(reason) = &resource.unsendable {
        let hint = "an overlay can give the operation a JSON body, if the API accepts one";
        return Some((reason.clone(), hint.to_owned()));
    }
    let reason = body::reason(&resource.needs)?;
    Some((
        reason,
        format!("supply it: {}", body::line(&resource.needs)),
    ))
}

impl ResourceKey for Off {
    fn apply(&self, _place: Place, on: &mut Target<'_>) {
        on.choices().off = Some(self.clone());
    }
}
