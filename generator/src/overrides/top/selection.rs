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
    None,
    /// Those whose requests need nothing that nobody supplies and do nothing.
    Some,
    All,
    These(Vec<At<String>>),
}

impl Key for Singles {
    const ABOUT: About = About {
        name: "singles",
        takes: "`\"none\"`, `\"some\"`, `\"all\"`, true, false, or a list of resources",
        does: "Single objects besides the lists, each as a table of one row: all of them, or these. `*` stands for any \
               text. `some` are those whose requests need no setting and only read. By default `some` if the document \
               has no list, else `none`; `include` may name others.",
        examples: &[
            "singles = \"some\"",
            "singles = [\"account\", \"*_settings\"]",
        ],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        if let Some(all) = value.as_bool() {
            return Some(if all { Singles::All } else { Singles::None });
        }
        if !value.is_list() {
            let words = [
                ("none", Singles::None),
                ("some", Singles::Some),
                ("all", Singles::All),
            ];
            let word = value.as_text().unwrap_or_default();
            let found = words.into_iter().find(|(name, _)| *name == word);
            if found.is_none() {
                let takes =
                    "`\"none\"`, `\"some\"`, `\"all\"`, true, false, or a list of resources";
                value.wrong(takes, faults);
            }
            return found.map(|(_, singles)| singles);
        }
        value.texts(faults).map(Singles::These)
    }
}

impl TopKey for Singles {}
