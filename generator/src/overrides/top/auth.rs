//! `auth`: how requests carry credentials.

use crate::infer::facts::AuthFacts;
use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, TopKey};
use crate::overrides::subject::{Whole, sure};
use crate::overrides::value::Value;

/// A scheme of authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    None,
    Bearer,
    Basic,
}

impl Key for Auth {
    const ABOUT: About = About {
        name: "auth",
        takes: "`\"bearer\"`, `\"basic\"` or `\"none\"`",
        does: "How requests carry credentials, for every resource.",
        examples: &["auth = \"bearer\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let words = [
            ("bearer", Auth::Bearer),
            ("basic", Auth::Basic),
            ("none", Auth::None),
        ];
        value.choice(&words, faults)
    }
}

impl TopKey for Auth {
    fn apply(&self, _place: Place, on: &mut Whole<'_>) {
        on.facts.auth = sure(match self {
            Auth::None => AuthFacts::None,
            Auth::Bearer => AuthFacts::Bearer,
            Auth::Basic => AuthFacts::Basic,
        });
        for resource in &mut on.facts.resources {
            resource.auth = None;
        }
    }
}
