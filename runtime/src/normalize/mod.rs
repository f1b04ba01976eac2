//! Turns records into tables: one row per record, nested records as columns `a__b`, lists as child tables
//! `table__list`.
//!
//! Naming and child tables follow dlt. Ids derive from the data, so that the same input gives the
//! same tables: `_etl_id` of a record is a hash of its key (merge, replace), of its key and content
//! (append), or of its position in the pass if it has no key. That of a child row is a hash of its
//! parent's id, its table and its position in the list.
//!
//! Data that the struct does not declare (drift, `Dynamic`, whole JSON records) gets its own type: a value of another
//! type than its column's goes to a variant column `column__v_type` next to it, an unknown key to a new column or
//! table. Names that collide get a number; the table remembers which path has which column.

mod account;
mod content;
mod contract;
mod dynamic;
mod ids;
mod layout;
mod names;
mod place;
mod rekey;
mod renamed;
mod repeats;
mod table;
mod wide;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use self::contract::{Keeper, Made};
use self::dynamic::Went;
use self::ids::{Hasher, Id};
use self::layout::{List, Node, Target};
use self::names::Naming;
use self::place::Place;
pub(crate) use self::rekey::{Rekey, ScanFn};
pub(crate) use self::renamed::renamed;
use self::repeats::Repeats;
use self::table::Table;
use self::wide::Rest;
use crate::error::Result;
use crate::record::layout::{ListRef, RecordRef, ValueRef};
use crate::record::{
    Content, Drift, Found, Kept, Lookup, RecordSchema, RowRef, Selection, Timestamp, WireFormat,
    json, serialize,
};
use crate::schema::{
    ColumnRole, ColumnType, Contract, Disposition, Done, Drifted, Layout, TableBatch, TableSchema,
};

/// The layout of a resource.
pub struct NormalizeOptions {
    /// The resource; its root table has this name.
    pub name: String,
    /// The keys of each part of the primary key; empty: it has none.
    pub primary_key: Vec<Vec<String>>,
    /// The key identifies a record only within its slice.
    pub within_slice: bool,
    /// Ids of rows without a key derive from their content, so that a repeated row is the same row;
    /// otherwise they derive from their position.
    pub named_by_content: bool,
    /// How rows are combined with existing ones.
    pub disposition: Disposition,
    /// The value of `_etl_load_id`, or of its equivalent in the layout.
    pub load_id: String,
    /// The longest table or column name, in bytes.
    pub identifier_length: usize,
    /// What may be created for values that the struct does not declare.
    pub contract: Contract,
    /// The resource has never been loaded to its end: data without a struct may create its tables and columns.
    pub first_load: bool,
    /// The naming and ids of the tables.
    pub layout: Layout,
    /// The selected fields; `None`: all.
    pub(crate) selection: Option<Selection>,
    /// The root table marks the records that the API no longer has (`_etl_deleted_at`); new rows have null there.
    pub marks_deleted: bool,
    /// The root table has the content hash of each record (`_etl_hash`), except in dlt's layout.
    pub hashes_content: bool,
    /// The number of columns that a table may have before undeclared data goes into one column.
    pub most_columns: usize,
    /// The number of keys of one object that get columns, if the struct declares none of them; the
    /// others go into one column.
    pub widest: usize,
}

impl NormalizeOptions {
    /// Creates the layout of a resource, with names of at most 63 bytes and without a load's id.
    pub fn new(name: &str, primary_key: &[Vec<String>], disposition: Disposition) -> Self {
        NormalizeOptions {
            name: name.to_owned(),
            primary_key: primary_key.to_vec(),
            within_slice: false,
            named_by_content: false,
            disposition,
            load_id: String::new(),
            identifier_length: 63,
            contract: Contract::evolve(),
            first_load: true,
            layout: Layout::default(),
            selection: None,
            marks_deleted: false,
            hashes_content: false,
            most_columns: usize::MAX,
            widest: wide::WIDEST,
        }
    }
}

/// The origin of a row, from which ids of rows without a key derive.
pub struct RowOrigin<'a> {
    /// The id of its slice.
    pub slice: &'a str,
    /// The pass, if a row that is repeated in another pass is another row; otherwise empty.
    pub pass: &'a str,
    /// The number of its list, over all lists: rows with the same content in one list are different rows.
    pub list: u64,
    /// Its position among the slice's rows, from 0.
    pub ordinal: u64,
    /// Columns copied from the parent's record.
    pub copied: &'a BTreeMap<String, Option<String>>,
    /// When the record was deleted, in microseconds since 1970.
    pub deleted: Option<i64>,
}

/// A row in progress.
#[derive(Clone, Copy)]
pub(super) struct At {
    table: usize,
    row: usize,
    id: Id,
    root: Id,
}

/// Turns the records of one resource into batches.
pub struct Normalizer {
    tables: Vec<Table>,
    nodes: Vec<Node>,
    lists: Vec<List>,
    places: Vec<Place>,
    /// The selections of values that are loaded in part, and their destinations.
    parts: Vec<(Selection, Target)>,
    selection: Option<Selection>,
    root: Option<usize>,
    key: Vec<Lookup>,
    /// The columns of the parts of the key.
    key_columns: Vec<String>,
    within_slice: bool,
    named_by_content: bool,
    disposition: Disposition,
    load_id: String,
    load_column: usize,
    deleted_column: Option<usize>,
    hashes_content: bool,
    /// The only part of the key is a number.
    key_is_number: bool,
    naming: Naming,
    names: names::Names,
    hasher: Hasher,
    /// The ids of the records of this batch.
    seen: HashSet<Id>,
    /// How often each content occurred in each list, for records without a key.
    nameless: HashMap<u64, Repeats>,
    keeper: Keeper,
    bytes: usize,
    most_columns: usize,
    widest: usize,
    /// Tables and places of the columns that the owner has named.
    named: Vec<(usize, String)>,
}

impl Normalizer {
    /// Prepares the tables of a resource. `known` are its tables in the destination; their names,
    /// columns and types stay.
    pub fn new(
        schema: &'static RecordSchema,
        options: NormalizeOptions,
        known: &[TableSchema],
    ) -> Result<Self> {
        let naming = Naming {
            layout: options.layout,
            limit: options.identifier_length,
        };
        let key_column = |keys: &Vec<String>| {
            let names = keys.iter().map(|key| naming.key(key));
            names.reduce(|outer, inner| names::join(&outer, &inner))
        };
        let keys = options.primary_key.iter();
        let mut normalizer = Normalizer {
            key_columns: keys.filter_map(key_column).collect(),
            tables: Vec::new(),
            nodes: Vec::new(),
            lists: Vec::new(),
            places: Vec::new(),
            parts: Vec::new(),
            selection: options.selection,
            root: None,
            key: options
                .primary_key
                .into_iter()
                .map(|keys| Lookup::new(schema, keys))
                .collect(),
            within_slice: options.within_slice,
            named_by_content: options.named_by_content,
            disposition: options.disposition,
            load_id: options.load_id,
            load_column: 0,
            deleted_column: None,
            // dlt writes unchanged records again, and its tables have no such column.
            hashes_content: options.hashes_content && options.layout == Layout::Etl,
            key_is_number: false,
            naming,
            names: names::Names::default(),
            hasher: Hasher::new(options.layout),
            seen: HashSet::new(),
            nameless: HashMap::new(),
            keeper: Keeper::new(options.contract, options.first_load),
            bytes: 0,
            most_columns: options.most_columns,
            widest: options.widest,
            named: Vec::new(),
        };
        normalizer.restore(&options.name, known);
        let root = normalizer.root_table(&options.name);
        if normalizer.hashes_content {
            normalizer.tables[root].system(ColumnRole::ContentHash, naming);
        }
        if !schema.whole {
            let whole = (Place::row(), normalizer.selection.clone());
            let node = normalizer.node(root, schema, whole, &mut Vec::new());
            normalizer.root = Some(node);
        }
        normalizer.load_column = normalizer.tables[root].system(ColumnRole::LoadId, naming);
        if options.marks_deleted {
            let column = normalizer.tables[root].system(ColumnRole::DeletedAt, naming);
            normalizer.deleted_column = Some(column);
        }
        if let [key] = normalizer.key.as_slice() {
            let format = key.wire_format(schema);
            normalizer.key_is_number = matches!(format, WireFormat::Integer | WireFormat::Number);
        }
        for table in &mut normalizer.tables[1..] {
            table.tie(naming);
        }
        normalizer.keeper.begin();
        Ok(normalizer)
    }

    /// Adds a record. Returns `false` and adds nothing if this batch already has one with the same
    /// id. Fails if the contract does not allow the record; then nothing of the batch may be
    /// loaded.
    pub(crate) fn append(&mut self, row: RowRef<'_>, origin: &RowOrigin<'_>) -> Result<bool> {
        let (id, content) = self.root_id(row, origin)?;
        if !self.seen.insert(id) {
            return Ok(false);
        }
        if let Some((content, before)) = content {
            let list = self.nameless.entry(origin.list).or_default();
            list.add(&content, before)?;
        }
        if self.rows() == 0 {
            self.tables.iter_mut().for_each(Table::make_room);
        }
        let open = self.open_row();
        let at = self.begin_row(0, id, id);
        self.tables[0].columns[self.load_column].text(at.row, &self.load_id);
        if let Some((column, time)) = self.deleted_column.zip(origin.deleted) {
            let time = Timestamp::from_micros(time);
            self.tables[0].columns[column].scalar(at.row, ValueRef::Timestamp(&time));
        }
        match (self.root, row.record.whole()) {
            (_, Some(json)) => {
                self.keeper.free = self.keeper.first_load;
                if let Some(json) = wanted(self.selection.as_ref(), json.as_str()) {
                    self.dynamic_item(at, &json, 0);
                }
            }
            (Some(node), None) => self.record(node, at, row.record, row.drift.0.as_deref()),
            (None, None) => {}
        }
        for (name, value) in origin.copied {
            let before = self.tables[0].columns.len();
            let column = self.copied(name);
            if self.tables[0].columns.len() > before {
                self.keeper.made(Made::Column(0));
            }
            if let Some(value) = value {
                self.tables[0].columns[column].text(at.row, value);
            }
        }
        self.close_row(open);
        self.keeper.settle()?;
        Ok(true)
    }

    /// Declares the columns of values that are copied into each row from outside of its record.
    pub(crate) fn announce<'a>(&mut self, names: impl IntoIterator<Item = &'a String>) {
        names.into_iter().for_each(|name| {
            self.copied(name);
        });
    }

    /// Returns the column of a value that is copied into each row.
    fn copied(&mut self, name: &str) -> usize {
        let place = Place {
            path: format!("~parent/{name}"),
            name: self.naming.key(name),
        };
        self.declare(0, &place, ColumnType::Text)
    }

    /// Returns the id of a record's row, and whether this batch has it; `None` if its key is
    /// incomplete.
    pub(crate) fn id_of(
        &mut self,
        row: RowRef<'_>,
        origin: &RowOrigin<'_>,
    ) -> Option<(String, bool)> {
        if self.key.is_empty() || !self.key.iter().all(|part| key_text(part, row).is_some()) {
            return None;
        }
        let (id, _) = self.root_id(row, origin).ok()?;
        Some((ids::text(&id).to_owned(), self.seen.contains(&id)))
    }

    /// Returns the id of the row of a record with that key, which must have one part.
    pub(crate) fn id_of_key(&mut self, key: &str) -> String {
        let id = match self.naming.layout {
            Layout::Etl => {
                let table = self.tables[0].schema.name.as_bytes();
                self.hasher
                    .start(b'k')
                    .part(table)
                    .part(key.as_bytes())
                    .id()
            }
            Layout::Dlt => {
                let mut json = String::from("{");
                let name = self.key_columns.first().map_or("", String::as_str);
                json::write_string(&mut json, name);
                json.push(':');
                match self.key_is_number {
                    true => json.push_str(key),
                    false => json::write_string(&mut json, key),
                }
                json.push('}');
                ids::dlt_hash(&json)
            }
        };
        ids::text(&id).to_owned()
    }

    /// Ends a list: no more of its rows follow.
    pub fn end_list(&mut self, list: u64) {
        self.nameless.remove(&list);
    }

    /// Returns the id of a record; if others of its list may have the same content, also that
    /// content and how often it has occurred.
    fn root_id(
        &mut self,
        row: RowRef<'_>,
        origin: &RowOrigin<'_>,
    ) -> Result<(Id, Option<(Id, u64)>)> {
        let table = self.tables[0].schema.name.as_bytes();
        if self.key.is_empty() && !self.named_by_content {
            let id = self
                .hasher
                .start(b'p')
                .part(table)
                .part(origin.slice.as_bytes())
                .part(origin.pass.as_bytes())
                .number(origin.ordinal)
                .id();
            return Ok((id, None));
        }
        if self.naming.layout == Layout::Dlt
            && self.disposition != Disposition::Append
            && let Some(parts) = self.key_parts(row, origin)
        {
            return Ok((ids::dlt_key(&parts), None));
        }
        self.hasher.start(b'k').part(table);
        if self.within_slice {
            self.hasher.part(origin.slice.as_bytes());
        }
        let mut whole = !self.key.is_empty();
        for part in &self.key {
            match key_text(part, row) {
                Some(text) => self.hasher.part(text.as_bytes()),
                None => {
                    whole = false;
                    self.hasher.number(0)
                }
            };
        }
        if whole && self.disposition != Disposition::Append {
            return Ok((self.hasher.id(), None));
        }
        let mut content = String::new();
        serialize::write_record(&mut content, row.record, row.drift.0.as_deref());
        let content = wanted(self.selection.as_ref(), &content).unwrap_or_default();
        if !whole && !self.within_slice && !origin.slice.is_empty() {
            self.hasher.part(origin.slice.as_bytes());
        }
        let id = self.hasher.part(content.as_bytes()).id();
        if whole {
            return Ok((id, None));
        }
        let list = self.nameless.get_mut(&origin.list);
        let before = list.map_or(Ok(0), |list| list.count(&id))?;
        let named = self.hasher.number(before).id();
        Ok((named, Some((id, before))))
    }

    /// Returns the key as dlt hashes it: the JSON of its parts by the names of their columns.
    /// `None` if a part is null.
    fn key_parts(
        &self,
        row: RowRef<'_>,
        origin: &RowOrigin<'_>,
    ) -> Option<BTreeMap<String, String>> {
        let mut parts = BTreeMap::new();
        for (name, part) in self.key_columns.iter().zip(&self.key) {
            parts.insert(name.clone(), key_value(part, row)?);
        }
        if self.within_slice {
            let mut slice = String::new();
            json::write_string(&mut slice, origin.slice);
            parts.insert(String::new(), slice);
        }
        Some(parts)
    }

    fn begin_row(&mut self, table: usize, id: Id, root: Id) -> At {
        let row = self.tables[table].rows;
        self.tables[table].rows += 1;
        self.keeper.made(Made::Row(table, row));
        let at = At {
            table,
            row,
            id,
            root,
        };
        self.tables[table].columns[0].text(row, ids::text(&id));
        self.bytes += id.len();
        at
    }

    /// Starts the row of an item of a list.
    fn child_row(&mut self, table: usize, parent: &At, index: usize) -> At {
        let [parent_id, root_id, list_index] = self.tables[table].tie(self.naming);
        let name = &self.tables[table].schema.name;
        let id = self.hasher.child(&parent.id, name, index);
        let at = self.begin_row(table, id, parent.root);
        let columns = &mut self.tables[table].columns;
        columns[parent_id].text(at.row, ids::text(&parent.id));
        columns[root_id].text(at.row, ids::text(&parent.root));
        columns[list_index].scalar(at.row, ValueRef::Int(&(index as i64)));
        self.bytes += 2 * id.len() + 8;
        at
    }

    fn record(&mut self, node: usize, at: At, record: RecordRef<'_>, drift: Option<&Content>) {
        let entries = match drift {
            Some(Content::Record(entries)) => entries.as_slice(),
            Some(Content::Raw(raw) | Content::Again(raw)) => {
                if let Some(raw) = wanted(self.nodes[node].selection.as_ref(), raw) {
                    let went = self.dynamic_item(at, &raw, 0);
                    let place = self.nodes[node].place.clone();
                    self.account(at, &place, &raw, went);
                }
                return;
            }
            _ => &[],
        };
        for index in 0..self.nodes[node].targets.len() {
            let value = record.get(index);
            if matches!(value, ValueRef::Null) {
                continue;
            }
            let drift = entries.iter().find(|entry| {
                entry.field == Some(index as u32)
                    && matches!(entry.content, Content::Record(_) | Content::List(..))
            });
            let target = self.nodes[node].targets[index];
            self.put(target, at, value, drift.map(|entry| &entry.content));
        }
        if entries.is_empty() {
            return;
        }
        let object = self.nodes[node].place.clone();
        let mut rest = Rest::default();
        for entry in entries {
            let mut place = object.below(&entry.key, self.naming);
            let raw = match &entry.content {
                Content::Raw(raw) => raw,
                Content::Again(raw) => {
                    place = dynamic::again(&place);
                    raw
                }
                _ => continue,
            };
            let kept = self.nodes[node]
                .selection
                .as_ref()
                .map(|s| s.below(&entry.key));
            let raw = match &kept {
                None | Some(Kept::All) => Cow::Borrowed(&**raw),
                Some(Kept::Nothing) => continue,
                Some(Kept::Part(part)) => match part.prune(raw) {
                    Some(raw) => Cow::Owned(raw),
                    None => continue,
                },
            };
            if self.has_no_room(at) && self.is_rest(at, &object, &place, &raw) {
                let mut quoted = String::new();
                json::write_string(&mut quoted, &entry.key);
                rest.add(quoted.trim_matches('"'), &raw);
                continue;
            }
            let went = self.dynamic(at, &place, &raw, 0);
            self.account(at, &place, &raw, went);
        }
        if let Some((column, json)) = rest.column(&object) {
            let went = self.json_column(at, &column, &json);
            self.account(at, &object, "{}", went);
        }
    }

    fn put(&mut self, target: Target, at: At, value: ValueRef<'_>, drift: Option<&Content>) {
        match (target, value) {
            (Target::Column(column), value) => {
                self.bytes += self.tables[at.table].columns[column].scalar(at.row, value);
            }
            (Target::Serialized(column), value) => {
                let mut json = String::new();
                serialize::write(&mut json, value, drift);
                self.bytes += json.len();
                self.tables[at.table].columns[column].text(at.row, &json);
            }
            (Target::Nested(node), ValueRef::Record(record)) => {
                self.record(node, at, record, drift);
            }
            (Target::List(list), ValueRef::List(items)) => self.list(list, at, items, drift),
            (Target::Dynamic(place), ValueRef::Dynamic(value)) => {
                let place = self.places[place].clone();
                self.keeper.free = self.keeper.first_load;
                self.dynamic(at, &place, value.json().as_str(), 0);
                self.keeper.free = false;
            }
            (Target::Part(part), value) => self.part(part, at, value, drift),
            _ => {}
        }
    }

    /// Adds a value of which a part is selected.
    fn part(&mut self, part: usize, at: At, value: ValueRef<'_>, drift: Option<&Content>) {
        let (selection, target) = &self.parts[part];
        let target = *target;
        let mut json = String::new();
        serialize::write(&mut json, value, drift);
        let Some(json) = selection.prune(&json) else {
            return;
        };
        match target {
            Target::Column(column) | Target::Serialized(column) => {
                self.bytes += json.len();
                self.tables[at.table].columns[column].text(at.row, &json);
            }
            Target::Dynamic(place) => {
                let place = self.places[place].clone();
                self.keeper.free = self.keeper.first_load;
                self.dynamic(at, &place, &json, 0);
                self.keeper.free = false;
            }
            _ => {}
        }
    }

    fn list(&mut self, list: usize, parent: At, items: ListRef<'_>, drift: Option<&Content>) {
        let List { table, item, .. } = self.lists[list];
        let first = self.next_index(table, &parent);
        for (index, (value, drift)) in serialize::items(items, drift).enumerate() {
            let open = self.open_row();
            let row = self.child_row(table, &parent, first + index);
            match (value, drift) {
                (ValueRef::Null, Some(Content::Raw(raw) | Content::Again(raw))) => {
                    if let Some(raw) = wanted(self.lists[list].selection.as_ref(), raw) {
                        let went = self.dynamic_item(row, &raw, 0);
                        self.account(row, &Place::row(), &raw, went);
                    }
                }
                (value, drift) => self.put(item, row, value, drift),
            }
            self.close_row(open);
        }
    }

    /// Returns the index of the next item in a parent's list: a repeated list continues.
    fn next_index(&self, table: usize, parent: &At) -> usize {
        self.tables[table].trailing(ids::text(&parent.id))
    }

    fn account(&mut self, at: At, place: &Place, raw: &str, went: Went) {
        let done = match went {
            Went::Column(column) => {
                let table = &self.tables[at.table].schema;
                Done::Column(table.columns[column].name.clone())
            }
            Went::Columns => Done::Columns,
            Went::Table(table) => Done::Table(self.tables[table].schema.name.clone()),
            Went::Nowhere | Went::Discarded => return,
        };
        self.count(at, place, dynamic::kind(raw), done);
    }

    /// Returns the number of records in the batch.
    pub fn rows(&self) -> usize {
        self.tables.first().map_or(0, |table| table.rows)
    }

    /// Returns the approximate size of the batch in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the batch: every existing table, parents before children, including those without new rows.
    pub fn finish(&mut self) -> Result<Vec<TableBatch>> {
        self.seen.clear();
        self.bytes = 0;
        let batches = self.tables.iter_mut().map(Table::finish);
        let mut batches: Vec<TableBatch> = batches
            .filter_map(Result::transpose)
            .collect::<Result<_>>()?;
        if self.hashes_content {
            content::add_hashes(&mut batches)?;
        }
        Ok(batches)
    }

    /// Returns the known tables, including those without rows so far.
    pub fn tables(&self) -> Vec<TableSchema> {
        self.tables
            .iter()
            .map(|table| table.schema.clone())
            .collect()
    }

    /// Returns the columns that the owner has named: table and place of each.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&TableSchema, &str)> {
        let named = self.named.iter();
        named.map(|(table, path)| (&self.tables[*table].schema, path.as_str()))
    }

    /// Returns the drift so far: (table, keys, what was done, number).
    pub fn drift_lines(&self) -> Vec<(String, String, String, u64)> {
        self.keeper.account.told()
    }

    /// Returns the drift since the last call: it belongs to the rows that are passed on.
    pub fn take_drift(&mut self) -> Vec<(Drifted, u64)> {
        self.keeper.account.leave()
    }

    /// Forgets the drift of rows that are not passed on.
    pub fn forget_drift(&mut self) {
        self.keeper.account.forget();
    }
}

/// Returns the selected part of JSON.
fn wanted<'a>(selection: Option<&Selection>, raw: &'a str) -> Option<Cow<'a, str>> {
    match selection {
        None => Some(Cow::Borrowed(raw)),
        Some(selection) => selection.prune(raw).map(Cow::Owned),
    }
}

/// Returns the text of a part of the key; `None` if it is null.
fn key_text(part: &Lookup, row: RowRef<'_>) -> Option<String> {
    let drift: &Drift = row.drift;
    match part.find(row.record, drift)? {
        Found::Raw(raw) => json::key_text(raw),
        Found::Value(ValueRef::String(text)) => Some(text.clone()),
        Found::Value(value) => {
            let mut text = String::new();
            serialize::write(&mut text, value, None);
            json::key_text(&text)
        }
    }
}

/// Returns a part of the key as JSON; `None` if it is null.
fn key_value(part: &Lookup, row: RowRef<'_>) -> Option<String> {
    let mut out = String::new();
    match part.find(row.record, row.drift)? {
        Found::Raw(raw) if raw.starts_with('"') => {
            json::write_string(&mut out, &json::key_text(raw)?);
        }
        Found::Raw(raw) => out = json::key_text(raw)?,
        Found::Value(value) => serialize::write(&mut out, value, None),
    }
    (out != "null").then_some(out)
}

#[cfg(test)]
mod leaves;
#[cfg(test)]
mod tests;
