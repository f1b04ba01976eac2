//! `include`, `exclude` and `singles`: which resources are wanted.

use crate::overrides::about::About;
use crate::overrides::file::{At, Faults};
use crate::overrides::key::{Key, TopKey};
use crate::overrides::value::Value;

/// The only resources that are wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Include(pub Vec<At<String>>);

impl Key for Include {
    const ABOUT: About = About {
        name: "include",
        takes: "a list of resources",
        does: "Only these resources, and the parents that they need. `*` stands for any text. By default every list.",
        examples: &["include = [\"orders\", \"customer*\"]"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.texts(faults).map(Include)
    }
}

impl TopKey for Include {}

/// The resources that are not wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Exclude(pub Vec<At<String>>);

impl Key for Exclude {
    const ABOUT: About = About {
        name: "exclude",
        takes: "a list of resources",
        does: "Not these resources. `*` stands for any text.",
        examples: &["exclude = [\"*_audit\", \"orders\"]"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.texts(faults).map(Exclude)
    }
}

impl TopKey for Exclude {}

/// The single objects that are wanted besides the lists.
#[derive(Clone, Debug, PartialEq)]
pub enum Singles {
    All(bool),
    These(Vec<At<String>>),
}

impl Key for Singles {
    const ABOUT: About = About {
        name: "singles",
        takes: "true, false, or a list of resources",
        does: "Single objects besides the lists: all of them, or these. `*` stands for any text. By default none but those \
               that `include` names.",
        examples: &["singles = true", "singles = [\"account\", \"*_settings\"]"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        if let Some(all) = value.as_bool() {
            return Some(Singles::All(all));
        }
        if !value.is_list() {
            value.wrong("true, false, or a list of resources", faults);
            return None;
        }
        value.texts(faults).map(Singles::These)
    }
}

impl TopKey for Singles {}
