//! The tables and columns: those of an earlier run, those that the struct declares, those found in data.

use super::Normalizer;
use super::names;
use super::place::Place;
use super::table::Table;
use crate::record::{Kept, RecordSchema, Selection, Shape};
use crate::schema::{ColumnRole, ColumnType, TableSchema};

/// Columns of the record and of the objects in it exist from the start, even if all their values are null. Deeper ones,
/// of which large APIs declare hundreds that never occur, and child tables exist from their first value on.
const SHALLOW: usize = 2;

/// The destination of a field's value.
#[derive(Clone, Copy)]
pub(super) enum Target {
    /// A column of the row.
    Column(usize),
    /// A column, as JSON: the record contains itself.
    Serialized(usize),
    /// The fields of a nested record, as columns of the row.
    Nested(usize),
    /// A child table.
    List(usize),
    /// The data determines its type, at that place.
    Dynamic(usize),
    /// A part of the value is loaded.
    Part(usize),
    /// It is not selected.
    Nowhere,
}

/// A record's fields within a row.
pub(super) struct Node {
    pub place: Place,
    /// The selected part of the record; `None`: everything.
    pub selection: Option<Selection>,
    pub targets: Vec<Target>,
}

/// A list: its table, and the destination of its items.
pub(super) struct List {
    pub table: usize,
    pub item: Target,
    /// The selected part of its items; `None`: everything.
    pub selection: Option<Selection>,
}

impl Normalizer {
    /// Adds the existing tables, parents first.
    pub(super) fn restore(&mut self, resource: &str, known: &[TableSchema]) {
        let mut waiting: Vec<&TableSchema> = known.iter().collect();
        loop {
            let before = waiting.len();
            waiting.retain(|table| {
                let parent = match &table.parent {
                    None => None,
                    Some(name) => match self.tables.iter().position(|t| t.schema.name == *name) {
                        Some(parent) => Some(parent),
                        None => return true,
                    },
                };
                let index = self.tables.len();
                if let Some(parent) = parent {
                    self.tables[parent]
                        .children
                        .insert(table.path.clone(), index);
                    self.tables[parent].learn(&table.path);
                }
                self.names.take(&table.name);
                let mut table = Table::new((*table).clone());
                table.exists = true;
                resource.clone_into(&mut table.schema.resource);
                self.tables.push(table);
                false
            });
            if waiting.len() == before {
                return;
            }
        }
    }

    pub(super) fn root_table(&mut self, resource: &str) -> usize {
        if self.tables.is_empty() {
            let name = self.names.unique(&self.naming.key(resource), self.naming);
            self.tables.push(Table::new(TableSchema {
                name,
                resource: resource.to_owned(),
                parent: None,
                path: String::new(),
                columns: Vec::new(),
            }));
            self.tables[0].exists = true;
        }
        self.tables[0].system(ColumnRole::RowId, self.naming);
        0
    }

    /// Returns the child table for the list at a place of a table's rows.
    pub(super) fn child_table(&mut self, parent: usize, place: &Place) -> usize {
        if let Some(table) = self.tables[parent].children.get(&place.path) {
            return *table;
        }
        let above = &self.tables[parent].schema;
        let wanted = names::join(&above.name, &place.name);
        let (resource, above) = (above.resource.clone(), above.name.clone());
        let name = self.names.unique(&wanted, self.naming);
        let table = self.tables.len();
        self.tables.push(Table::new(TableSchema {
            name,
            resource,
            parent: Some(above),
            path: place.path.clone(),
            columns: Vec::new(),
        }));
        self.tables[table].system(ColumnRole::RowId, self.naming);
        self.tables[parent]
            .children
            .insert(place.path.clone(), table);
        self.tables[parent].learn(&place.path);
        table
    }

    /// Prepares the columns of a record's fields. `path` holds the records around it, to find one
    /// that contains itself.
    pub(super) fn node(
        &mut self,
        table: usize,
        schema: &'static RecordSchema,
        (place, selection): (Place, Option<Selection>),
        path: &mut Vec<&'static RecordSchema>,
    ) -> usize {
        path.push(schema);
        let mut targets = Vec::with_capacity(schema.fields.len());
        for field in schema.fields {
            let mut at = place.below(field.key, self.naming);
            if let Some(column) = field.column {
                at.name = names::join(&place.name, column);
                self.named.push((table, at.path.clone()));
            }
            let part = match selection.as_ref().map(|s| s.below(field.key)) {
                None | Some(Kept::All) => None,
                Some(Kept::Part(part)) => Some(part),
                Some(Kept::Nothing) => {
                    targets.push(Target::Nowhere);
                    continue;
                }
            };
            targets.push(self.target(table, field.shape(), (at, part), path));
        }
        path.pop();
        self.nodes.push(Node {
            place,
            selection,
            targets,
        });
        self.nodes.len() - 1
    }

    fn target(
        &mut self,
        table: usize,
        shape: Shape,
        (place, part): (Place, Option<Selection>),
        path: &mut Vec<&'static RecordSchema>,
    ) -> Target {
        let ty = match shape {
            Shape::String => ColumnType::Text,
            Shape::Int => ColumnType::Int64,
            Shape::Float => ColumnType::Float64,
            Shape::Bool => ColumnType::Bool,
            Shape::Timestamp | Shape::UnixTime | Shape::UnixMillis => ColumnType::Timestamp,
            Shape::Date => ColumnType::Date,
            Shape::Decimal => ColumnType::Decimal,
            Shape::Uuid => ColumnType::Uuid,
            Shape::Bytes => ColumnType::Bytes,
            Shape::Json => ColumnType::Json,
            Shape::Dynamic => {
                self.places.push(place);
                return self.in_part(part, Target::Dynamic(self.places.len() - 1));
            }
            Shape::Record(schema) | Shape::Boxed(schema) => {
                let schema = schema();
                if path.iter().any(|outer| outer.is(schema)) {
                    let column = self.declare(table, &place, ColumnType::Json);
                    return self.in_part(part, Target::Serialized(column));
                }
                // An item of a list is the row itself.
                let place = if place.path.is_empty() {
                    Place::row()
                } else {
                    place
                };
                return Target::Nested(self.node(table, schema, (place, part), path));
            }
            Shape::List(list) => {
                let child = self.child_table(table, &place);
                let name = match list.item {
                    Shape::List(_) => "list",
                    _ => "value",
                };
                let item = Place {
                    path: String::new(),
                    name: name.to_owned(),
                };
                let item = self.target(child, list.item, (item, part.clone()), path);
                self.lists.push(List {
                    table: child,
                    item,
                    selection: part,
                });
                return Target::List(self.lists.len() - 1);
            }
        };
        match part {
            Some(part) if !matches!(shape, Shape::Json) && !part.takes_scalars() => Target::Nowhere,
            part => {
                let column = self.declare(table, &place, ty);
                let part = part.filter(|_| matches!(shape, Shape::Json));
                self.in_part(part, Target::Column(column))
            }
        }
    }

    /// Returns the destination of a part of a value, or of the whole value without a selection.
    fn in_part(&mut self, part: Option<Selection>, target: Target) -> Target {
        match part {
            None => target,
            Some(part) => {
                self.parts.push((part, target));
                Target::Part(self.parts.len() - 1)
            }
        }
    }

    pub(super) fn declare(&mut self, table: usize, place: &Place, ty: ColumnType) -> usize {
        let deep = place.path.matches('/').count() > SHALLOW;
        self.tables[table].column((&place.path, &place.name), ty, deep, self.naming)
    }
}
