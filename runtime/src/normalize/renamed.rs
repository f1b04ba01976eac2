//! The tables of a renamed resource.

use std::collections::HashMap;

use super::names::{Names, Naming};
use crate::schema::{Layout, TableSchema};

/// Returns the tables, parents first, under the new name of the resource; `others` are the names of
/// all other tables.
pub(crate) fn renamed<'a>(
    tables: &[&TableSchema],
    resource: &str,
    layout: Layout,
    identifier_length: usize,
    others: impl Iterator<Item = &'a str>,
) -> Vec<TableSchema> {
    let naming = Naming {
        layout,
        limit: identifier_length,
    };
    let mut taken = Names::default();
    others.for_each(|name| taken.take(name));
    let old_root = tables.first().map_or("", |root| root.name.as_str());
    let new_root = naming.key(resource);
    let mut names: HashMap<&str, String> = HashMap::new();
    for table in tables {
        let rest = table.name.strip_prefix(old_root);
        let wanted = match rest.filter(|rest| rest.is_empty() || rest.starts_with("__")) {
            Some(rest) => format!("{new_root}{rest}"),
            None => table.name.clone(),
        };
        names.insert(&table.name, taken.unique(&wanted, naming));
    }
    let renamed = |table: &&TableSchema| TableSchema {
        name: names[table.name.as_str()].clone(),
        resource: resource.to_owned(),
        parent: table
            .parent
            .as_ref()
            .map(|parent| match names.get(parent.as_str()) {
                Some(name) => name.clone(),
                None => parent.clone(),
            }),
        ..(*table).clone()
    };
    tables.iter().map(renamed).collect()
}
