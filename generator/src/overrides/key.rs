//! What a key is: its entry in the reference, how its value is read, and what it changes.

use super::file::{Faults, Place};
use super::subject::{Target, Whole};
use super::value::Value;

/// An entry of the reference. Errors and suggestions are made of it, too.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub name: &'static str,
    /// What it takes: `a text`.
    pub takes: &'static str,
    /// One or two sentences.
    pub does: &'static str,
    /// Lines of TOML; those of a key of a resource stand below `[resources.NAME]`.
    pub examples: &'static [&'static str],
    /// The keys of its table.
    pub parts: &'static [Part],
}

impl About {
    /// The entry without its examples.
    pub fn part(&self) -> Part {
        Part {
            name: self.name,
            takes: self.takes,
            does: self.does,
        }
    }
}

/// A key of a key's table.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub name: &'static str,
    pub takes: &'static str,
    pub does: &'static str,
}

/// A key of `etlgen.toml`.
pub trait Key: Sized {
    const ABOUT: About;

    /// Reads its value; `None`: the mistakes are noted.
    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self>;
}

/// A key at the top of the file.
pub trait TopKey: Key {
    /// Does what the key says of the whole API. Some keys say nothing of it: other phases read them.
    fn apply(&self, _place: Place, _on: &mut Whole<'_>) {}
}

/// A key of `[resources.NAME]`.
pub trait ResourceKey: Key {
    /// Does what the key says of a resource, or notes why that cannot be.
    fn apply(&self, place: Place, on: &mut Target<'_>);
}

/// A struct of keys. Their order is that of the reference, and that in which they are applied.
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
                $name { $($key: table.read(faults),)* }
            }

            /// Whether a key is there.
            pub fn has(&self, name: &str) -> bool {
                [$((<$type as Key>::ABOUT.name, self.$key.is_some()),)*].contains(&(name, true))
            }

            /// These keys, and another's where there are none.
            #[allow(dead_code)]
            fn or(self, other: Self) -> Self {
                $name { $($key: self.$key.or(other.$key),)* }
            }
        }
    };
}

pub(super) use keys;
