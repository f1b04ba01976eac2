//! `primary_key`: the fields that identify a record.

use crate::overrides::about::About;
use crate::overrides::file::{At, Faults, Place};
use crate::overrides::key::{Key, ResourceKey};
use crate::overrides::subject::{Target, sure};
use crate::overrides::value::Value;

/// Dotted paths; if empty, records have no key.
#[derive(Clone, Debug, PartialEq)]
pub struct PrimaryKey(Vec<At<String>>);

impl Key for PrimaryKey {
    const ABOUT: About = About {
        name: "primary_key",
        takes: "a list of dotted paths",
        does: "Names the fields that tell a record from the others. `[]`: there are none, and every run replaces the table.",
        examples: &[
            "primary_key = [\"id\"]",
            "primary_key = [\"account.id\", \"day\"]",
            "primary_key = []",
        ],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let fields = value.texts(faults)?;
        for (at, field) in fields.iter().enumerate() {
            if fields[..at].iter().any(|known| known.value == field.value) {
                let message = format!("`{}` names `{}` twice", value.key, field.value);
                faults.add(field.place, message).hint(None);
                return None;
            }
        }
        Some(PrimaryKey(fields))
    }
}

impl ResourceKey for PrimaryKey {
    fn apply(&self, _place: Place, on: &mut Target<'_>) {
        let mut known = true;
        for field in &self.0 {
            known &= on.has_field(field.place, "primary_key", &field.value);
        }
        if known {
            let fields = self.0.iter().map(|field| field.value.clone());
            on.resource_mut().primary_key = sure(fields.collect());
        }
    }
}
