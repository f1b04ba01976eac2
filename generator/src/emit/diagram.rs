//! A diagram of the tables for the README, in the language of mermaid.

use std::fmt::Write;

use crate::plan::{FieldRef, Plan, Resource, Struct, Type};

/// The most tables that a diagram can show to a reader, and the most columns of one.
const TABLES: usize = 24;
const COLUMNS: usize = 7;

/// Returns the diagram; empty if it would have too many tables to be read.
pub fn diagram(plan: &Plan) -> String {
    let mut drawing = Drawing {
        plan,
        text: String::from("erDiagram\n"),
        tables: 0,
    };
    for resource in &plan.resources {
        drawing.resource(resource);
    }
    match drawing.tables {
        1..=TABLES => drawing.text,
        _ => String::new(),
    }
}

struct Drawing<'a> {
    plan: &'a Plan,
    text: String,
    tables: usize,
}

impl<'a> Drawing<'a> {
    fn resource(&mut self, resource: &'a Resource) {
        let name = plain(&resource.name);
        if let Some(parent) = &resource.parent {
            let parent = plain(&parent.resource);
            let _ = writeln!(self.text, "    {parent} ||--o{{ {name} : has");
        }
        let keys: Vec<String> = resource.key.iter().map(key).collect();
        let record = self.find(resource, resource.record.as_deref()).cloned();
        if let Some(record) = record {
            self.table(resource, &name, &record, &keys);
        }
    }

    /// Finds a struct in the file of the resource, or among the shared ones.
    fn find(&self, resource: &'a Resource, name: Option<&str>) -> Option<&'a Struct> {
        let mut structs = resource.structs.iter().chain(&self.plan.types);
        structs.find(|it| Some(it.name.as_str()) == name)
    }

    /// Draws a table, and those of the lists in its records.
    fn table(&mut self, resource: &'a Resource, name: &str, record: &Struct, keys: &[String]) {
        self.tables += 1;
        let mut columns = Vec::new();
        let mut lists = Vec::new();
        for field in &record.fields {
            match &field.ty {
                Type::List(item) => lists.push((plain(&field.ident), (**item).clone())),
                // The lists of an object within the record are tables too.
                Type::Record(inner) => {
                    let inner = self.find(resource, Some(inner));
                    let fields = inner.iter().flat_map(|inner| &inner.fields);
                    lists.extend(fields.filter_map(|inner| match &inner.ty {
                        Type::List(item) => {
                            let name = format!("{}__{}", field.ident, inner.ident);
                            Some((plain(&name), (**item).clone()))
                        }
                        _ => None,
                    }));
                }
                ty => columns.extend(column(ty).map(|ty| (ty, plain(&field.ident)))),
            }
        }
        // The key comes first, whatever the order of the fields.
        columns.sort_by_key(|(_, column)| !keys.contains(column));
        let _ = writeln!(self.text, "    {name} {{");
        for (ty, column) in columns.iter().take(COLUMNS) {
            let mark = if keys.contains(column) { " PK" } else { "" };
            let _ = writeln!(self.text, "        {ty} {column}{mark}");
        }
        self.text.push_str("    }\n");
        for (list, item) in lists {
            let child = format!("{name}__{list}");
            let _ = writeln!(self.text, "    {name} ||--o{{ {child} : {list}");
            let Type::Record(item) = item else {
                self.tables += 1;
                continue;
            };
            // Lists of lists are left out.
            let item = self.find(resource, Some(&item)).cloned();
            if let Some(mut item) = item.filter(|_| !name.contains("__")) {
                item.fields
                    .retain(|field| !matches!(field.ty, Type::List(_)));
                self.table(resource, &child, &item, &[]);
            }
        }
    }
}

fn key(field: &FieldRef) -> String {
    match field {
        FieldRef::Path(path) => plain(path),
        FieldRef::Handle { constant, .. } => plain(&constant.to_lowercase()),
    }
}

/// Returns the type of a column; `None`: it has several columns.
fn column(ty: &Type) -> Option<&'static str> {
    Some(match ty {
        Type::String => "text",
        Type::Int => "bigint",
        Type::Float => "double",
        Type::Bool => "boolean",
        Type::Timestamp | Type::UnixTime | Type::UnixMillis => "timestamp",
        Type::Date => "date",
        Type::Decimal => "decimal",
        Type::Uuid => "uuid",
        Type::Bytes => "binary",
        Type::Json | Type::Dynamic => "json",
        Type::Record(_) | Type::List(_) => return None,
    })
}

/// Returns a name with the letters that mermaid takes.
fn plain(name: &str) -> String {
    let letters = name.chars();
    let letters = letters.map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    letters.collect()
}
