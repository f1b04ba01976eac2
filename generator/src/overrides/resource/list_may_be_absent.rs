//! `list_may_be_absent`: a response without the list stands for an empty one.

use crate::infer::facts::ResourceKind;
use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;

/// Whether a response without the list is an empty page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ListMayBeAbsent(bool);

impl Key for ListMayBeAbsent {
    const ABOUT: About = About {
        name: "list_may_be_absent",
        takes: "true or false",
        does: "`true`: a response without the list of records, such as `{\"message\": \"no members\"}`, stands for an empty \
               list. Such a list is *assumed* at best; a response that says that it is an error still fails.",
        examples: &["list_may_be_absent = true"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.flag(faults).map(ListMayBeAbsent)
    }
}

impl ResourceKey for ListMayBeAbsent {
    fn apply(&self, place: Place, on: &mut Target<'_>) {
        on.choices().list_may_be_absent = self.0;
        if self.0 && on.resource().kind == ResourceKind::Single {
            let message = format!(
                "`list_may_be_absent` is `true`, and `{}` is a single object",
                on.name()
            );
            let hint = "leave it out, or make a list of it: kind = \"list\"";
            on.faults.add(place, message).hint(hint.to_owned());
        }
    }
}
