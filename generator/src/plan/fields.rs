//! References to fields of records in declarations and closures.

use etlgen_model::TimeFormat;

use super::records::Structs;
use super::{Field, FieldRef, Link, ParameterPlace, Parent, Type, names, path};
use crate::infer::facts::{CursorFacts, ParentFacts};
use crate::spec::api::Location;

/// Returns whether the cursor's parameter takes values in the form in which the field holds them.
pub fn takes(structs: &Structs<'_>, record: Option<&str>, cursor: &CursorFacts) -> bool {
    let keys = path::parse(&cursor.field);
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let ty = record.and_then(|record| type_at(structs, record, &keys));
    match (cursor.format, ty) {
        (_, None) | (TimeFormat::AsIs, _) => true,
        (TimeFormat::UnixSeconds, Some(ty)) => {
            matches!(ty, Type::UnixTime | Type::Int | Type::Float)
        }
        (TimeFormat::UnixMillis, Some(ty)) => {
            matches!(ty, Type::UnixMillis | Type::Int | Type::Float)
        }
        (TimeFormat::Rfc3339, Some(ty)) => matches!(ty, Type::Timestamp | Type::String),
        (TimeFormat::Date, Some(ty)) => matches!(ty, Type::Date | Type::String),
    }
}

/// Returns the type of the field at these keys.
pub fn type_at(structs: &Structs<'_>, record: &str, keys: &[&str]) -> Option<Type> {
    let (first, rest) = keys.split_first()?;
    let fields = &structs.get(record)?.fields;
    let ty = &fields.iter().find(|field| field.key == *first)?.ty;
    match (rest, ty) {
        ([], ty) => Some(ty.clone()),
        (rest, Type::Record(inner)) => type_at(structs, inner, rest),
        _ => None,
    }
}

/// Returns a handle if the record's struct has the field and its values have an order, else the
/// dotted path.
pub fn field_ref(structs: &Structs<'_>, record: Option<&str>, place: &str) -> FieldRef {
    reference(structs, record, place, Type::is_ordered)
}

/// Returns the field that marks a record as deleted: the one that the owner names, or one whose
/// name and type are unambiguous. Archived, disabled or cancelled records still exist.
pub fn tombstone(
    structs: &Structs<'_>,
    record: Option<&str>,
    wish: Option<&str>,
) -> Option<FieldRef> {
    let any = |place: &str| reference(structs, record, place, |_| true);
    if let Some(wish) = wish {
        return Some(any(wish));
    }
    let fields = &structs.get(record?)?.fields;
    let flag = |field: &&Field| {
        field.ty == Type::Bool && matches!(field.ident.as_str(), "deleted" | "is_deleted")
    };
    let time = |field: &&Field| {
        let is_time = matches!(
            field.ty,
            Type::Timestamp | Type::UnixTime | Type::UnixMillis | Type::Date
        );
        is_time
            && matches!(
                field.ident.as_str(),
                "deleted_at" | "deleted_on" | "date_deleted"
            )
    };
    let found = fields.iter().find(flag).or(fields.iter().find(time))?;
    Some(any(&path::write(std::slice::from_ref(&found.key))))
}

fn reference(
    structs: &Structs<'_>,
    record: Option<&str>,
    place: &str,
    usable: impl Fn(&Type) -> bool,
) -> FieldRef {
    let found = record.and_then(|record| {
        let field = structs
            .get(record)?
            .fields
            .iter()
            .find(|field| path::write(std::slice::from_ref(&field.key)) == place)?;
        usable(&field.ty).then(|| FieldRef::Handle {
            record: record.to_owned(),
            constant: field.ident.to_uppercase(),
        })
    });
    found.unwrap_or_else(|| FieldRef::Path(place.to_owned()))
}

/// Returns the parent with its links; `None` if a field cannot be reached or cannot be sent in a
/// request.
pub fn link(
    structs: &Structs<'_>,
    facts: &ParentFacts,
    name: &str,
    record: Option<String>,
) -> Option<Parent> {
    let mut links = Vec::new();
    for found in &facts.links {
        let keys = path::parse(&found.field);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let (fields, copy) = match record.as_deref() {
            None => (keys.iter().map(|key| (*key).to_owned()).collect(), true),
            Some(record) => fields_to(structs, record, &keys)?,
        };
        links.push(Link {
            place: match found.location {
                Location::Path => ParameterPlace::Path,
                Location::Query => ParameterPlace::Query,
                Location::Header | Location::Cookie | Location::Body => return None,
            },
            parameter: found.param.clone(),
            fields,
            copy,
        });
    }
    (!links.is_empty()).then(|| Parent {
        inherited: facts.inherited.clone(),
        resource: name.to_owned(),
        variable: match names::field(&names::singular(name)).as_str() {
            "request" | "config" => "parent".to_owned(),
            variable => variable.to_owned(),
        },
        record,
        links,
    })
}

/// Returns the Rust fields down to the value at these keys, and whether it can be copied.
fn fields_to(structs: &Structs<'_>, record: &str, keys: &[&str]) -> Option<(Vec<String>, bool)> {
    let mut record = structs.get(record)?;
    let mut fields = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let field = record.fields.iter().find(|field| field.key == *key)?;
        fields.push(field.ident.clone());
        if at + 1 == keys.len() {
            return field
                .ty
                .is_parameter()
                .then(|| (fields, field.ty != Type::String));
        }
        let Type::Record(inner) = &field.ty else {
            return None;
        };
        record = structs.get(inner)?;
    }
    None
}
