//! The trait of a key: its entry in the reference, how its value is read, and what it changes.

use super::about::About;
use super::file::{At, Faults, Place};
use super::subject::{Target, Whole};
use super::value::{Table, Value};

/// A key of `etlgen.toml`.
pub trait Key: Sized {
    const ABOUT: About;

    /// Reads its value; `None`: the mistakes are added to `faults`.
    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self>;
}

/// Reads a key of a table. Mistakes without a hint get an example.
pub fn read<T: Key>(table: &Table<'_>, faults: &mut Faults) -> Option<At<T>> {
    let value = table.get(T::ABOUT.name)?;
    let before = faults.len();
    let read = T::read(value, faults);
    if let Some(example) = T::ABOUT.examples.first() {
        faults.hint_since(before, &format!("for example: {example}"));
    }
    Some(At {
        value: read?,
        place: value.place,
    })
}

/// A key at the top of the file.
pub trait TopKey: Key {
    /// Applies the key to the whole API. Keys that other phases read do nothing here.
    fn apply(&self, _place: Place, _on: &mut Whole<'_>) {}
}

/// A key of `[resources.NAME]`.
pub trait ResourceKey: Key {
    /// Applies the key to a resource, or adds the reason why it cannot.
    fn apply(&self, place: Place, on: &mut Target<'_>);
}

/// Declares a struct of keys. They are listed and applied in the declared order.
macro_rules! keys {
    (
        $(#[$doc:meta])*
        $name:ident as $kind:ident on $target:ty {
            $($key:ident: $type:ty,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $name {
            $(#[doc = concat!("`", stringify!($key), "`")] pub $key: Option<At<$type>>,)*
        }

        impl $name {
            /// The entries of the reference.
            pub const KEYS: &'static [About] = &[$(<$type as Key>::ABOUT,)*];

            /// What each key does.
            const STEPS: &'static [fn(&$name, &mut $target)] = &[$(|keys, on| {
                if let Some(key) = &keys.$key {
                    <$type as $kind>::apply(&key.value, key.place, on);
                }
            },)*];

            /// Reads the keys of a table.
            fn read(table: &Table<'_>, faults: &mut Faults) -> Self {
                $name { $($key: key::read(table, faults),)* }
            }

            /// Returns whether a key is set.
            pub fn has(&self, name: &str) -> bool {
                [$((<$type as Key>::ABOUT.name, self.$key.is_some()),)*].contains(&(name, true))
            }

            /// Returns these keys, filled from `other` where they are not set.
            #[allow(dead_code)]
            fn or(self, other: Self) -> Self {
                $name { $($key: self.$key.or(other.$key),)* }
            }
        }
    };
}

pub(super) use keys;
