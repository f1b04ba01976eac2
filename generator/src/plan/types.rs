//! Types in Rust syntax.

use std::fmt;

use super::Type;

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::List(item) => return write!(f, "Vec<{item}>"),
            Type::Record(name) => return f.write_str(name),
            _ => {}
        }
        let known = SCALARS.iter().find(|(_, ty)| ty == self);
        f.write_str(known.map_or("Json", |(name, _)| *name))
    }
}

/// A name that is not a built-in type is the name of a struct.
impl From<&str> for Type {
    fn from(text: &str) -> Self {
        let item = text.strip_prefix("Vec<");
        if let Some(item) = item.and_then(|rest| rest.strip_suffix('>')) {
            return Type::List(Box::new(Type::from(item)));
        }
        let known = SCALARS.iter().find(|(name, _)| *name == text);
        known.map_or_else(|| Type::Record(text.to_owned()), |(_, ty)| ty.clone())
    }
}

/// The built-in types. No struct has one of these names.
const SCALARS: [(&str, Type); 13] = [
    ("String", Type::String),
    ("i64", Type::Int),
    ("f64", Type::Float),
    ("bool", Type::Bool),
    ("Timestamp", Type::Timestamp),
    ("UnixTime", Type::UnixTime),
    ("UnixMillis", Type::UnixMillis),
    ("Date", Type::Date),
    ("Decimal", Type::Decimal),
    ("Uuid", Type::Uuid),
    ("Bytes", Type::Bytes),
    ("Json", Type::Json),
    ("Dynamic", Type::Dynamic),
];
