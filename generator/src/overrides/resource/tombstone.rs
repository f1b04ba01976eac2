//! `tombstone`: the field that marks a record as deleted.

use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;

/// The dotted path of the field.
#[derive(Clone, Debug, PartialEq)]
pub struct Tombstone(String);

impl Key for Tombstone {
    const ABOUT: About = About {
        name: "tombstone",
        takes: "a dotted path",
        does: "Names the field that marks a record as deleted: a flag, or the time of the deletion. `deletes` decides \
               what happens then.",
        examples: &["tombstone = \"deleted_at\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.text(faults).map(Tombstone)
    }
}

impl ResourceKey for Tombstone {
    fn apply(&self, place: Place, on: &mut Target<'_>) {
        if on.has_field(place, "tombstone", &self.0) {
            on.choices().tombstone = Some(self.0.clone());
        }
    }
}
