//! `new_rows_only`: records never change after they are created.

use crate::infer::facts::SURE;
use crate::overrides::about::About;
use crate::overrides::file::{Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::Target;
use crate::overrides::value::Value;

/// Whether only new records are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewRowsOnly(bool);

impl Key for NewRowsOnly {
    const ABOUT: About = About {
        name: "new_rows_only",
        takes: "true or false",
        does: "Records never change after they are created: a run reads only those created since the last one. Needs an \
               incremental cursor.",
        examples: &["new_rows_only = true"],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.flag(faults).map(NewRowsOnly)
    }
}

impl ResourceKey for NewRowsOnly {
    fn apply(&self, place: Place, on: &mut Target<'_>) {
        on.choices().new_rows_only = self.0;
        if !self.0 {
            return;
        }
        let keys = on.keys();
        if keys.incremental.as_ref().is_some_and(|key| key.is_off()) {
            let message = "`new_rows_only` is `true`, and `incremental` is `false`";
            let hint = "leave out one of them: an incremental cursor identifies new rows";
            on.faults.add(place, message).hint(hint.to_owned());
            return;
        }
        let cursor = &on.resource().cursor;
        let is_usable = cursor.value.as_ref().is_some_and(|found| {
            let filters = found.param.is_some() || keys.incremental.is_some();
            filters && cursor.confidence >= SURE
        });
        // A mistake in `incremental` is already reported.
        if !is_usable && keys.incremental.is_none() {
            let message = format!(
                "`new_rows_only` is `true`, and no cursor is known for the new rows of `{}`",
                on.name()
            );
            let hint = "name it: incremental = { field = \"created_at\", param = \"since\" }";
            on.faults.add(place, message).hint(hint.to_owned());
        }
    }
}
