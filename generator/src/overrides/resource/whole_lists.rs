//! `whole_lists`: lists within records that are whole, whatever their objects say.

use crate::overrides::about::About;
use crate::overrides::file::{At, Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;

/// The paths of the lists.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeLists(Vec<At<String>>);

impl Key for WholeLists {
    const ABOUT: About = About {
        name: "whole_lists",
        takes: "a list of dotted paths",
        does: "Names the lists within a record that are whole, although their own object seems to say that more follows: a \
               `total` beside `items` that counts something else.",
        examples: &["whole_lists = [\"lines\"]"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.texts(faults).map(WholeLists)
    }
}

impl ResourceKey for WholeLists {
    fn apply(&self, _place: Place, on: &mut Target<'_>) {
        for list in &self.0 {
            on.has_field(list.place, "whole_lists", &list.value);
        }
        let lists = self.0.iter().map(|list| list.value.clone());
        on.choices().whole_lists = lists.collect();
    }
}
