//! The case of a record's keys, which `#[record(rename_all = "..")]` states once for all of its fields.

use super::Field;

/// The case of a record's keys where it differs from that of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Camel,
    Pascal,
    Kebab,
    ScreamingSnake,
}

impl Case {
    pub const ALL: [Case; 4] = [Case::Camel, Case::Pascal, Case::Kebab, Case::ScreamingSnake];

    /// Returns the name of the case in the attribute.
    pub fn name(self) -> &'static str {
        match self {
            Case::Camel => "camelCase",
            Case::Pascal => "PascalCase",
            Case::Kebab => "kebab-case",
            Case::ScreamingSnake => "SCREAMING_SNAKE_CASE",
        }
    }

    pub fn named(name: &str) -> Option<Case> {
        Case::ALL.into_iter().find(|case| case.name() == name)
    }

    /// Returns the key that the derive reads the field `ident` from; a test compares the two.
    pub fn key(self, ident: &str) -> String {
        match self {
            Case::Kebab => ident.replace('_', "-"),
            Case::ScreamingSnake => ident.to_ascii_uppercase(),
            Case::Camel | Case::Pascal => {
                let mut key = String::with_capacity(ident.len());
                let mut begins = self == Case::Pascal;
                for letter in ident.chars() {
                    match letter {
                        '_' => begins = true,
                        letter if begins => {
                            key.push(letter.to_ascii_uppercase());
                            begins = false;
                        }
                        letter => key.push(letter),
                    }
                }
                key
            }
        }
    }

    /// Returns the case with which the fewest fields have to state their key, if they are fewer
    /// than without a case and most fields follow it.
    pub fn of(fields: &[Field]) -> Option<Case> {
        let exceptions = |case: &Case| {
            let fields = fields.iter();
            fields
                .filter(|field| case.key(&field.ident) != field.key)
                .count()
        };
        // `self_` has the key `self` in any case.
        let other = |field: &&Field| field.ident.trim_end_matches('_') != field.key;
        let without = fields.iter().filter(other).count();
        let best = Case::ALL.into_iter().min_by_key(exceptions)?;
        let named = exceptions(&best);
        (named < without && named * 2 < fields.len()).then_some(best)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Type, names};

    fn fields(keys: &[&str]) -> Vec<Field> {
        let field = |key: &&str| Field {
            ident: names::field(key),
            key: (*key).to_owned(),
            doc: String::new(),
            ty: Type::String,
        };
        keys.iter().map(field).collect()
    }

    #[test]
    fn most_fields_follow_the_case() {
        for (keys, case) in [
            (&["id", "accountId", "self"][..], Some(Case::Camel)),
            (&["id", "account_id"], None),
            (&["id", "name"], None),
            (&["id", "self"], None),
            (&["Id", "CreatedAt"], Some(Case::Pascal)),
            (&["first-name", "last-name", "URL"], Some(Case::Kebab)),
            (&["ID", "CREATED_AT"], Some(Case::ScreamingSnake)),
            (&["accountId", "created_at", "@type"], None),
            (&["accountId", "userId", "created_at"], Some(Case::Camel)),
            (&[], None),
        ] {
            assert_eq!(Case::of(&fields(keys)), case, "{keys:?}");
        }
    }
}
