//! One table of a batch: its schema, which grows, and its columns, which are filled row by row.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder,
    Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, make_array};
use arrow_data::transform::MutableArrayData;
use arrow_schema::{ArrowError, Schema, SchemaRef};

use super::names::{Names, Naming};
use crate::error::{Error, ErrorKind, Result};
use crate::record::layout::ValueRef;
use crate::schema::{ArrowType, Column, ColumnRole, ColumnType, TableBatch, TableSchema};

/// The values of one column; rows that were left out are null.
pub(super) enum Values {
    Bool(BooleanBuilder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Decimal(Decimal128Builder),
    Text(StringBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Date(Date32Builder),
    Bytes(BinaryBuilder),
}

/// The size of a column in a batch.
#[derive(Clone, Copy, Default)]
struct Room {
    rows: usize,
    bytes: usize,
}

/// Calls a method of the builder of any type.
macro_rules! builder {
    ($values:expr, $builder:ident => $body:expr) => {
        match $values {
            Values::Bool($builder) => $body,
            Values::Int64($builder) => $body,
            Values::Float64($builder) => $body,
            Values::Decimal($builder) => $body,
            Values::Text($builder) => $body,
            Values::Timestamp($builder) => $body,
            Values::Date($builder) => $body,
            Values::Bytes($builder) => $body,
        }
    };
}

impl Values {
    /// Creates a builder with capacity for that many rows, and bytes of text.
    fn new(ty: ColumnType, room: Room) -> Self {
        let Room { rows, bytes } = room;
        match ty {
            ColumnType::Bool => Values::Bool(BooleanBuilder::with_capacity(rows)),
            ColumnType::Int64 => Values::Int64(Int64Builder::with_capacity(rows)),
            ColumnType::Float64 => Values::Float64(Float64Builder::with_capacity(rows)),
            ColumnType::Decimal => {
                Values::Decimal(Decimal128Builder::with_capacity(rows).with_data_type(ty.arrow()))
            }
            ColumnType::Text | ColumnType::Uuid | ColumnType::Json => {
                Values::Text(StringBuilder::with_capacity(rows, bytes))
            }
            ColumnType::Timestamp => Values::Timestamp(
                TimestampMicrosecondBuilder::with_capacity(rows).with_data_type(ty.arrow()),
            ),
            ColumnType::Date => Values::Date(Date32Builder::with_capacity(rows)),
            ColumnType::Bytes => Values::Bytes(BinaryBuilder::with_capacity(rows, bytes)),
        }
    }

    fn size(&self) -> Room {
        let bytes = match self {
            Values::Text(builder) => builder.values_slice().len(),
            Values::Bytes(builder) => builder.values_slice().len(),
            _ => 0,
        };
        Room {
            rows: builder!(self, builder => builder.len()),
            bytes,
        }
    }

    /// Returns whether the row has a value, or is already passed.
    pub fn holds(&self, row: usize) -> bool {
        builder!(self, builder => builder.len() > row)
    }

    fn pad(&mut self, rows: usize) {
        builder!(self, builder => if builder.len() < rows {
            builder.append_nulls(rows - builder.len());
        })
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.pad(rows);
        builder!(self, builder => Arc::new(builder.finish()))
    }

    /// Returns the number of last rows that hold that text.
    pub fn trailing(&self, text: &str) -> usize {
        let Values::Text(builder) = self else {
            return 0;
        };
        let (values, offsets) = (builder.values_slice(), builder.offsets_slice());
        let rows = offsets.windows(2).rev();
        rows.take_while(|row| values.get(row[0] as usize..row[1] as usize) == Some(text.as_bytes()))
            .count()
    }

    /// Adds text to any column that is carried as text.
    pub fn text(&mut self, row: usize, text: &str) {
        self.pad(row);
        if let Values::Text(builder) = self {
            builder.append_value(text);
        }
    }

    /// Adds a scalar of the column's own type; returns its approximate size in bytes.
    pub fn scalar(&mut self, row: usize, value: ValueRef<'_>) -> usize {
        self.pad(row);
        match (self, value) {
            (Values::Text(builder), value) => {
                return match value {
                    ValueRef::String(text) => append(builder, text),
                    ValueRef::Json(json) => append(builder, json.as_str()),
                    ValueRef::Uuid(uuid) => {
                        append(builder, std::str::from_utf8(&uuid.text()).unwrap_or(""))
                    }
                    _ => 0,
                };
            }
            (Values::Bool(builder), ValueRef::Bool(value)) => builder.append_value(*value),
            (Values::Int64(builder), ValueRef::Int(value)) => builder.append_value(*value),
            (Values::Float64(builder), ValueRef::Float(value)) => builder.append_value(*value),
            (Values::Float64(builder), ValueRef::Int(value)) => builder.append_value(*value as f64),
            (Values::Decimal(builder), ValueRef::Decimal(value)) => {
                builder.append_value(value.billionths())
            }
            (Values::Timestamp(builder), ValueRef::Timestamp(value)) => {
                builder.append_value(value.micros())
            }
            (Values::Timestamp(builder), ValueRef::UnixTime(value)) => {
                builder.append_value(value.micros())
            }
            (Values::Timestamp(builder), ValueRef::UnixMillis(value)) => {
                builder.append_value(value.micros())
            }
            (Values::Date(builder), ValueRef::Date(value)) => builder.append_value(value.days()),
            (Values::Bytes(builder), ValueRef::Bytes(value)) => {
                builder.append_value(value.as_slice());
                return value.as_slice().len();
            }
            _ => return 0,
        }
        8
    }
}

fn append(builder: &mut StringBuilder, text: &str) -> usize {
    builder.append_value(text);
    text.len()
}

/// Returns the values without those of some rows.
fn without(values: ArrayRef, rows: &[usize]) -> Result<ArrayRef, ArrowError> {
    if rows.is_empty() {
        return Ok(values);
    }
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    let all = values.to_data();
    let mut kept = MutableArrayData::new(vec![&all], false, all.len() - rows.len());
    let mut from = 0;
    for row in rows {
        kept.try_extend(0, from, row)?;
        from = row + 1;
    }
    kept.try_extend(0, from, all.len())?;
    Ok(make_array(kept.freeze()))
}

/// A table and its rows in this batch.
pub(super) struct Table {
    /// Every known column, including those without a value so far.
    pub schema: TableSchema,
    pub columns: Vec<Values>,
    pub rows: usize,
    /// The size of each column in the last batch: the next one will be similar.
    rooms: Vec<Room>,
    /// The columns by the place of their values; the first is the plain one, the others are variants.
    by_path: HashMap<String, Vec<usize>>,
    /// Child tables by the place of their lists.
    pub children: HashMap<String, usize>,
    /// The places of values that have columns or tables, by the place of the object that holds
    /// them.
    keys: HashMap<String, HashSet<String>>,
    names: Names,
    /// The existing columns, in order of creation: those of the record from the start, deep ones from their first value
    /// on.
    shown: Vec<usize>,
    /// Declared columns that wait for their first value.
    waiting: Vec<usize>,
    /// The destination knows it, or it has had rows.
    pub exists: bool,
    /// The struct does not declare it, and no earlier load had it: it gets all its columns.
    pub fresh: bool,
    /// Rows of the batch that are left out.
    pub dropped: Vec<usize>,
    /// The columns that link a child row to its parent: parent id, root id, list index.
    tie: Option<[usize; 3]>,
    /// The last result of `finish`, while the schema stays.
    sealed: Option<(Arc<TableSchema>, SchemaRef)>,
}

impl Table {
    pub fn new(schema: TableSchema) -> Self {
        let mut table = Table {
            columns: Vec::new(),
            rows: 0,
            rooms: Vec::new(),
            by_path: HashMap::new(),
            children: HashMap::new(),
            keys: HashMap::new(),
            names: Names::default(),
            shown: Vec::new(),
            waiting: Vec::new(),
            exists: false,
            fresh: false,
            dropped: Vec::new(),
            tie: None,
            sealed: None,
            schema: TableSchema {
                columns: Vec::new(),
                ..schema
            },
        };
        for column in schema.columns {
            table.names.take(&column.name);
            table.add(column, false);
        }
        table
    }

    fn add(&mut self, column: Column, waits: bool) -> usize {
        let index = self.columns.len();
        match waits {
            true => self.waiting.push(index),
            false => self.shown.push(index),
        }
        self.columns.push(Values::new(column.ty, Room::default()));
        if column.role == ColumnRole::Data {
            self.by_path
                .entry(column.path.clone())
                .or_default()
                .push(index);
            self.learn(&column.path);
        }
        self.schema.columns.push(column);
        self.sealed = None;
        index
    }

    /// Remembers that there is a column or a table for the values at a place.
    pub fn learn(&mut self, path: &str) {
        let mut at = path;
        while let Some((object, _)) = at.rsplit_once('/') {
            let keys = self.keys.entry(object.to_owned()).or_default();
            if !keys.insert(at.to_owned()) {
                break;
            }
            at = object;
        }
    }

    /// Returns whether there is a column or a table for a value at a place, or below it. `object`
    /// is the place of the object that holds it.
    pub fn knows(&self, object: &str, path: &str) -> bool {
        self.keys
            .get(object)
            .is_some_and(|keys| keys.contains(path))
    }

    /// Returns the number of keys of an object that have columns or tables.
    pub fn known_keys(&self, object: &str) -> usize {
        self.keys.get(object).map_or(0, HashSet::len)
    }

    /// Returns the column of that role; creates it if the table has none yet.
    pub fn system(&mut self, role: ColumnRole, naming: Naming) -> usize {
        let found = self.schema.columns.iter().position(|c| c.role == role);
        found.unwrap_or_else(|| {
            let ty = match role {
                ColumnRole::ListIndex | ColumnRole::ContentHash => ColumnType::Int64,
                ColumnRole::DeletedAt => ColumnType::Timestamp,
                _ => ColumnType::Text,
            };
            let wanted = naming.layout.column(role);
            let mut columns = self.schema.columns.iter();
            if columns.all(|column| !column.name.eq_ignore_ascii_case(wanted)) {
                // A key of the API may have wanted it.
                self.names.release(wanted);
            }
            let name = self.names.unique(wanted, naming);
            self.add(
                Column {
                    name,
                    ty,
                    role,
                    path: String::new(),
                },
                false,
            )
        })
    }

    /// Returns the columns that link a child row to its parent, after the declared ones.
    pub fn tie(&mut self, naming: Naming) -> [usize; 3] {
        if let Some(tie) = self.tie {
            return tie;
        }
        let tie = [
            self.system(ColumnRole::ParentId, naming),
            self.system(ColumnRole::RootId, naming),
            self.system(ColumnRole::ListIndex, naming),
        ];
        self.tie = Some(tie);
        tie
    }

    /// Returns the number of last rows that belong to that parent.
    pub fn trailing(&self, parent: &str) -> usize {
        self.tie
            .map_or(0, |tie| self.columns[tie[0]].trailing(parent))
    }

    /// Returns the columns for the values at `path`, the plain one first.
    pub fn at(&self, path: &str) -> &[usize] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }

    /// Returns the column for values of that type at `path`. Creates a new one with the wanted name
    /// or, if a column of another type has that name, as its variant. With `waits`, it does not
    /// exist before its first value.
    pub fn column(
        &mut self,
        (path, wanted): (&str, &str),
        ty: ColumnType,
        waits: bool,
        naming: Naming,
    ) -> usize {
        let there = self.at(path);
        let same = there.iter().find(|at| self.schema.columns[**at].ty == ty);
        if let Some(at) = same {
            return *at;
        }
        // A table of an earlier run may have only variants: the plain column has had no value yet.
        let names = there
            .iter()
            .map(|at| self.schema.columns[*at].name.as_str());
        let name = match names.min_by_key(|name| name.len()) {
            Some(plain) if self.names.has(wanted, naming) => format!("{plain}__v_{}", ty.name()),
            _ => wanted.to_owned(),
        };
        // Who reads a system column by its name must not find data there, whether the table has the
        // column or not.
        if naming.layout.has_column(&name) {
            self.names.take(&name);
        }
        let name = self.names.unique(&name, naming);
        let column = Column {
            name,
            ty,
            role: ColumnRole::Data,
            path: path.to_owned(),
        };
        self.add(column, waits)
    }

    /// Reserves capacity for a batch like the last one: a column that grows in steps fragments memory.
    pub fn make_room(&mut self) {
        for ((column, room), schema) in std::iter::zip(&mut self.columns, self.rooms.drain(..))
            .zip(&self.schema.columns)
            .filter(|((_, room), _)| room.rows > 0)
        {
            let some_more = |size: usize| size + size / 8;
            *column = Values::new(
                schema.ty,
                Room {
                    rows: some_more(room.rows),
                    bytes: some_more(room.bytes),
                },
            );
        }
    }

    /// Removes the last column, which was created for a row that is left out.
    pub fn remove_last_column(&mut self) {
        let (Some(column), Some(_)) = (self.schema.columns.pop(), self.columns.pop()) else {
            return;
        };
        let index = self.columns.len();
        self.shown.retain(|at| *at != index);
        self.waiting.retain(|at| *at != index);
        if let Some(there) = self.by_path.get_mut(&column.path) {
            there.retain(|at| *at != index);
        }
        self.names.release(&column.name);
        self.sealed = None;
    }

    /// Returns the existing part of the table.
    fn shown_schema(&self) -> TableSchema {
        let columns = self.shown.iter().map(|at| self.schema.columns[*at].clone());
        TableSchema {
            columns: columns.collect(),
            ..self.schema.clone()
        }
    }

    /// Returns the rows and keeps the schema; `None` if the table does not exist yet.
    pub fn finish(&mut self) -> Result<Option<TableBatch>> {
        let rows = std::mem::take(&mut self.rows);
        let dropped = std::mem::take(&mut self.dropped);
        self.exists |= rows > dropped.len();
        if !self.exists {
            for values in &mut self.columns {
                values.finish(rows);
            }
            return Ok(None);
        }
        let (came, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|at| self.columns[*at].holds(0));
        self.waiting = waiting;
        if !came.is_empty() {
            self.shown.extend(came);
            self.sealed = None;
        }
        if self.sealed.is_none() {
            let schema = self.shown_schema();
            let fields: Vec<_> = schema.columns.iter().map(Column::arrow_field).collect();
            self.sealed = Some((Arc::new(schema), Arc::new(Schema::new(fields))));
        }
        let Some((schema, arrow)) = self.sealed.clone() else {
            return Ok(None);
        };
        self.rooms = self.columns.iter().map(Values::size).collect();
        let columns = &mut self.columns;
        let arrays = self
            .shown
            .iter()
            .map(|at| without(columns[*at].finish(rows), &dropped))
            .collect::<Result<Vec<_>, _>>();
        let options = RecordBatchOptions::new().with_row_count(Some(rows - dropped.len()));
        let rows =
            arrays.and_then(|arrays| RecordBatch::try_new_with_options(arrow, arrays, &options));
        let rows = rows.map_err(|error| {
            Error::new(
                ErrorKind::System,
                format!("the rows of `{}` do not fit together", schema.name),
            )
            .caused_by(error)
        })?;
        Ok(Some(TableBatch { schema, rows }))
    }
}
