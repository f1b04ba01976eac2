//! Computes where the values of a field are stored, and what happens to the columns when its type
//! changes, by the rules of `docs/normalisation.md`.

use crate::plan::Type;

/// A row of a table, or of an object within it.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub table: String,
    /// The prefix of its columns, such as `customer__`; maybe empty.
    prefix: String,
}

impl Place {
    pub fn root(table: &str) -> Place {
        Place {
            table: table.to_owned(),
            prefix: String::new(),
        }
    }

    /// Returns the column of a key.
    pub fn column(&self, key: &str) -> String {
        format!("{}.{}{}", self.table, self.prefix, name(key))
    }

    /// Returns the table of a list at a key.
    pub fn list(&self, key: &str) -> Place {
        Place::root(&format!("{}__{}{}", self.table, self.prefix, name(key)))
    }

    /// Returns the place of the object at a key.
    pub fn object(&self, key: &str) -> Place {
        Place {
            table: self.table.clone(),
            prefix: format!("{}{}__", self.prefix, name(key)),
        }
    }

    /// Returns the place of the struct within a type, if the type has one.
    pub fn within(&self, key: &str, ty: &Type) -> Place {
        match ty {
            Type::List(item) => self.list(key).within_item(item),
            _ => self.object(key),
        }
    }

    fn within_item(self, item: &Type) -> Place {
        match item {
            Type::List(item) => Place::root(&format!("{}__list", self.table)).within_item(item),
            _ => self,
        }
    }

    /// Describes where the values of a field are stored.
    pub fn of(&self, key: &str, ty: &Type) -> String {
        match ty {
            Type::List(_) => format!("table {}", self.list(key).table),
            Type::Record(_) => format!("columns {}__…", self.column(key)),
            _ => self.column(key),
        }
    }
}

/// Returns the column type of a scalar; `None`: the type has no column of its own.
pub fn column_type(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::String => "text",
        Type::Int => "bigint",
        Type::Float => "double",
        Type::Bool => "bool",
        Type::Timestamp | Type::UnixTime | Type::UnixMillis => "timestamp",
        Type::Date => "date",
        Type::Decimal => "decimal",
        Type::Uuid => "uuid",
        Type::Bytes => "binary",
        Type::Json => "json",
        Type::Dynamic | Type::Record(_) | Type::List(_) => return None,
    })
}

/// Returns whether the runtime widens a column to the other type instead of adding a variant
/// (`docs/evolution.md`).
pub fn widens(from: &str, to: &str) -> bool {
    matches!(
        (from, to),
        ("bigint", "double" | "decimal" | "text") | ("uuid" | "date", "text")
    )
}

/// Returns the type that a value gets if no struct declares it, unless it equals the column's type.
pub fn undeclared(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Date | Type::Uuid | Type::Bytes | Type::Decimal => Some("text"),
        Type::UnixTime | Type::UnixMillis => Some("bigint"),
        _ => None,
    }
}

/// Returns the column name of a key: dlt's snake_case, as in the runtime.
pub fn name(key: &str) -> String {
    let mut out = String::with_capacity(key.len() + 4);
    let mut before = ' ';
    let mut letters = key.trim().chars().peekable();
    while let Some(letter) = letters.next() {
        let mapped = match letter {
            '+' | '*' => 'x',
            '@' => 'a',
            '|' => 'l',
            letter if letter.is_ascii_alphanumeric() => letter,
            _ => '_',
        };
        let small = before.is_ascii_lowercase() || before.is_ascii_digit();
        let next_small = letters.peek().is_some_and(char::is_ascii_lowercase);
        let begins = small || before.is_ascii_uppercase() && next_small;
        if mapped.is_ascii_uppercase() && begins {
            out.push('_');
        }
        if mapped != '_' || !out.ends_with('_') {
            out.push(mapped.to_ascii_lowercase());
        }
        before = mapped;
    }
    match out.strip_suffix('_') {
        Some(kept) => format!("{kept}x"),
        None if out.is_empty() => "_empty".to_owned(),
        None if out.starts_with(|first: char| first.is_ascii_digit()) => format!("_{out}"),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_named_as_the_runtime_names_them() {
        for (key, wanted) in [
            ("userName", "user_name"),
            ("HTTPServer", "http_server"),
            ("+1", "x1"),
            ("2fa", "_2fa"),
            ("name_", "namex"),
            ("é", "x"),
            ("a--b", "a_b"),
            (" @id ", "aid"),
            ("", "_empty"),
        ] {
            assert_eq!(name(key), wanted, "{key:?}");
        }
    }

    #[test]
    fn places() {
        let place = Place::root("invoices").object("billTo");
        assert_eq!(place.column("zip"), "invoices.bill_to__zip");
        let list = Type::List(Box::new(Type::Record("Line".into())));
        assert_eq!(
            place.within("lines", &list).column("id"),
            "invoices__bill_to__lines.id"
        );
    }
}
