//! `within_parent`: whether a key identifies a record only among those of one parent.

use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;

/// Whether the parent's parameters belong to the key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WithinParent(bool);

impl Key for WithinParent {
    const ABOUT: About = About {
        name: "within_parent",
        takes: "true or false",
        does: "`true`: the key is unique only among the records of one parent, so that the parent's parameters and the \
               key together identify a row. `false`: the key is enough.",
        examples: &["within_parent = true"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.flag(faults).map(WithinParent)
    }
}

impl ResourceKey for WithinParent {
    fn apply(&self, place: Place, on: &mut Target<'_>) {
        on.resource_mut().key_within_parent = self.0;
        let resource = on.resource();
        let (why, hint) = match (
            &resource.parent.value,
            resource.primary_key.value.as_slice(),
        ) {
            _ if !self.0 => return,
            (None, _) => ("has no parent", "`parent` names it"),
            (_, []) => ("has no key", "`primary_key` names it"),
            _ => return,
        };
        let message = format!("`within_parent` is `true`, and `{}` {why}", resource.name);
        on.faults.add(place, message).hint(hint.to_owned());
    }
}
