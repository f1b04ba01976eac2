//! `deletes`: what a run does with rows whose records the API no longer has.

use etlgen_model::Deletes;

use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;

impl Key for Deletes {
    const ABOUT: About = About {
        name: "deletes",
        takes: "`\"keep\"`, `\"soft\"` or `\"hard\"`",
        does: "Decides what happens to rows whose records the API no longer has: they are kept, marked or removed \
               ([state](state.md)). Needs a primary key.",
        examples: &["deletes = \"soft\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let words = [
            ("keep", Deletes::Keep),
            ("soft", Deletes::Soft),
            ("hard", Deletes::Hard),
        ];
        value.choice(&words, faults)
    }
}

impl ResourceKey for Deletes {
    fn apply(&self, place: Place, on: &mut Target<'_>) {
        on.choices().deletes = Some(*self);
        if *self != Deletes::Keep && on.resource().primary_key.value.is_empty() {
            let message = format!(
                "`deletes` needs a key, and the records of `{}` have none",
                on.name()
            );
            let hint = "`primary_key` names its fields";
            on.faults.add(place, message).hint(hint.to_owned());
        }
    }
}
