//! Compares the fields of two structs.

use std::collections::BTreeMap;

use super::columns::{Place, column_type, undeclared, widens};
use super::surface::{Body, Field};
use super::{Change, Kind, Level};
use crate::plan::Type;

/// The least part of its letters that a renamed key shares with the old key.
const ALIKE: f32 = 0.8;

/// The new names of structs, by the old ones.
pub type Renamed<'a> = BTreeMap<&'a str, &'a str>;

/// The context of a comparison of two structs.
pub struct Context<'a> {
    /// The struct's current name.
    pub name: &'a str,
    pub place: &'a Place,
    pub renamed: &'a Renamed<'a>,
    pub change: &'a dyn Fn(Kind, &str) -> Change,
}

/// Returns pairs of keys, before and after, that are the same field: those with equal keys, then
/// those that seem renamed.
pub fn matched<'a>(old: &'a Body, new: &'a Body) -> Vec<(&'a str, &'a str)> {
    let (mut gone, mut found) = (Vec::new(), Vec::new());
    for key in old.fields.keys() {
        match new.fields.contains_key(key) {
            true => found.push((key.as_str(), key.as_str())),
            false => gone.push(key.as_str()),
        }
    }
    let mut came: Vec<&str> = new.fields.keys().map(String::as_str).collect();
    came.retain(|key| !old.fields.contains_key(*key));
    for before in gone {
        let same = |after: &&&str| old.fields[before].ty == new.fields[**after].ty;
        let alike = came.iter().filter(same);
        let best = alike.map(|after| (self::alike(before, after), *after));
        let best = best.max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, after)) = best.filter(|(alike, _)| *alike >= ALIKE) {
            came.retain(|key| *key != after);
            found.push((before, after));
        }
    }
    found
}

/// Returns the similarity of two keys, from 0 to 1: `name` and `name_new`, `userId` and `user_id`
/// are similar.
fn alike(a: &str, b: &str) -> f32 {
    let words = |key: &str| -> Vec<String> {
        let name = super::columns::name(key);
        name.split('_').map(str::to_owned).collect()
    };
    let (a_words, b_words) = (words(a), words(b));
    let (short, long) = match a_words.len() <= b_words.len() {
        true => (&a_words, &b_words),
        false => (&b_words, &a_words),
    };
    // `id` is part of nearly every key.
    let says = short.concat().len() > 3;
    if says && (long.starts_with(short) || long.ends_with(short)) && long.len() - short.len() < 2 {
        return 1.0;
    }
    similar::TextDiff::from_chars(a, b).ratio()
}

pub fn compare(old: &Body, new: &Body, context: &Context) -> Vec<Change> {
    let matched = matched(old, new);
    let mut out = Vec::new();
    for (key, field) in &old.fields {
        let now = matched.iter().find(|(before, _)| before == key);
        match now {
            None => out.push(removed(key, field, context)),
            Some((_, after)) if after != key => {
                out.push(renamed(key, after, &new.fields[*after], context));
            }
            Some((_, after)) => out.extend(changed(key, field, &new.fields[*after], context)),
        }
    }
    for (key, field) in &new.fields {
        if !matched.iter().any(|(_, after)| after == key) {
            out.push(added(key, field, context));
        }
    }
    out
}

fn subject(context: &Context, key: &str, field: &Field) -> String {
    let ident = field.ident.as_deref().unwrap_or(key);
    format!("{}.{ident}", context.name)
}

fn added(key: &str, field: &Field, context: &Context) -> Change {
    let place = context.place.of(key, &field.ty);
    let change = (context.change)(Kind::FieldAdded, &subject(context, key, field))
        .is(&field.ty.to_string())
        .levels(Level::Minor, Level::Minor)
        .at(&place);
    match (undeclared(&field.ty), column_type(&field.ty)) {
        (Some(before), Some(now)) => change.migrate(format!(
            "if the API sent it before, {place} is {before}, and new values are in {place}__v_{now}"
        )),
        _ => change,
    }
}

fn removed(key: &str, field: &Field, context: &Context) -> Change {
    let place = context.place.of(key, &field.ty);
    let advice = match (&field.ty, undeclared(&field.ty)) {
        (Type::Record(_) | Type::List(_), _) => format!(
            "{place} stay{}: if the API still sends the values, they go there as drift; otherwise nothing new does",
            if matches!(field.ty, Type::List(_)) {
                "s"
            } else {
                ""
            }
        ),
        (_, Some(variant)) => format!(
            "{place} stays and is null in new rows: if the API still sends the values, they go to {place}__v_{variant} as drift"
        ),
        (_, None) => format!(
            "{place} stays: if the API still sends the values, they go there as drift; otherwise it is null in new rows"
        ),
    };
    (context.change)(Kind::FieldRemoved, &subject(context, key, field))
        .was(&field.ty.to_string())
        .levels(Level::Breaking, Level::Breaking)
        .at(place)
        .migrate(advice)
}

fn renamed(before: &str, after: &str, field: &Field, context: &Context) -> Change {
    let place = context.place.of(after, &field.ty);
    let old = context.place.of(before, &field.ty);
    (context.change)(Kind::FieldRenamed, &subject(context, after, field))
        .was(before)
        .is(after)
        .levels(Level::Breaking, Level::Breaking)
        .migrate(match field.ty {
            Type::Record(_) | Type::List(_) => {
                format!("new rows are in {place}, old ones in {old}: models must read both")
            }
            _ => format!("new values are in {place}, old ones in {old}: coalesce them"),
        })
        .at(place)
}

fn changed(key: &str, old: &Field, new: &Field, context: &Context) -> Vec<Change> {
    let mut out = Vec::new();
    if old.ident != new.ident {
        let ident = |field: &Field| field.ident.clone().unwrap_or_else(|| key.to_owned());
        out.push(
            (context.change)(Kind::FieldRenamed, &subject(context, key, new))
                .was(&ident(old))
                .is(&ident(new))
                .levels(Level::Breaking, Level::Patch)
                .at(context.place.of(key, &new.ty))
                .migrate("rename the field in code that uses it; the column does not change"),
        );
    }
    if now(&old.ty, context.renamed) != new.ty {
        let (tables, migration) = retyped(key, &old.ty, &new.ty, context.place);
        out.push(
            (context.change)(Kind::FieldRetyped, &subject(context, key, new))
                .was(&old.ty.to_string())
                .is(&new.ty.to_string())
                .levels(Level::Breaking, tables)
                .at(context.place.of(key, &new.ty))
                .migrate(migration),
        );
    }
    out
}

/// Returns a type with the current names of its structs.
fn now(ty: &Type, renamed: &Renamed) -> Type {
    match ty {
        Type::Record(name) => {
            let name = renamed.get(name.as_str()).map_or(name.as_str(), |new| *new);
            Type::Record(name.to_owned())
        }
        Type::List(item) => Type::List(Box::new(now(item, renamed))),
        other => other.clone(),
    }
}

/// Returns what another type means for the tables.
fn retyped(key: &str, old: &Type, new: &Type, place: &Place) -> (Level, String) {
    match (old, new) {
        (Type::Record(_), Type::Record(_)) => (
            Level::Patch,
            "code gets another struct; its fields list what changes in the columns".to_owned(),
        ),
        (Type::List(old), Type::List(new)) => retyped("value", old, new, &place.list(key)),
        _ => match (column_type(old), column_type(new)) {
            (Some(before), Some(after)) if before == after => (
                Level::Patch,
                format!(
                    "code gets another type; {} stays {before}",
                    place.column(key)
                ),
            ),
            (Some(before), Some(after)) if widens(before, after) => {
                let column = place.column(key);
                let migration = format!(
                    "the next run changes {column} to {after} if that keeps each value; otherwise new values go to {column}__v_{after}: models must take {after}"
                );
                (Level::Breaking, migration)
            }
            (Some(_), Some(after)) => {
                let column = place.column(key);
                let migration = format!(
                    "{column} keeps its type and its old values, new ones go to {column}__v_{after}: coalesce them"
                );
                (Level::Breaking, migration)
            }
            _ => (
                Level::Breaking,
                format!(
                    "new values are in {}, old ones in {}: models must read both",
                    where_now(key, new, place),
                    where_now(key, old, place)
                ),
            ),
        },
    }
}

/// Describes where values are stored. For a type that depends on the data, this is the column or a
/// variant.
fn where_now(key: &str, ty: &Type, place: &Place) -> String {
    match ty {
        Type::Dynamic => format!("{} or a variant, depending on the data", place.column(key)),
        ty => place.of(key, ty),
    }
}
