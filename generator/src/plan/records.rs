//! Turns schemas into structs: decides what a record is, which structs resources share, and where
//! recursion ends.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use indexmap::IndexMap;

use super::case::Case;
use super::names::{self, Ledger, Names};
use super::{Field, Struct, Type, text};
use crate::spec::api::{Api, Schema, SchemaId, SchemaKind};

/// The most features of a struct; one that more features use is always compiled.
const COMMON: usize = 8;

/// The structs of a crate while they are built.
pub struct Structs<'a> {
    api: &'a Api,
    names: Names,
    ledger: &'a Ledger,
    pub given: Ledger,
    made: Vec<Made>,
    by_schema: HashMap<SchemaId, usize>,
    /// The records and lists around the one that is being built.
    around: Vec<SchemaId>,
    /// Components by their properties: a reference with additional keywords is still the component.
    components: HashMap<Vec<(&'a str, SchemaId)>, SchemaId>,
}

/// A struct, and the resource that owns it.
struct Made {
    body: Struct,
    /// The structs that its fields hold.
    holds: Vec<usize>,
    /// The resource whose record it is.
    owner: Option<usize>,
}

/// The structs of a crate, by file.
pub struct Placed {
    /// The structs of each resource, that of its record first.
    pub own: Vec<Vec<Struct>>,
    pub shared: Vec<Struct>,
    /// The features that use a shared struct, by its name. A struct without an entry is always
    /// compiled.
    pub shared_features: BTreeMap<String, Vec<String>>,
}

impl<'a> Structs<'a> {
    pub fn new(api: &'a Api, ledger: &'a Ledger) -> Self {
        let mut names = Names::types();
        for (what, name) in ledger {
            if what.starts_with("struct ") {
                names.take(name);
            }
        }
        let components = api.schemas.0.iter().enumerate().rev();
        let components = components.filter(|(_, schema)| schema.component.is_some());
        Structs {
            components: components
                .filter_map(|(at, schema)| Some((properties_of(schema)?, SchemaId(at))))
                .collect(),
            api,
            names,
            ledger,
            given: Ledger::new(),
            made: Vec::new(),
            by_schema: HashMap::new(),
            around: Vec::new(),
        }
    }

    /// Returns the ledger without the names of structs and fields that these records no longer
    /// have, so that the names are free again.
    pub fn retain_used(
        api: &Api,
        records: impl Iterator<Item = SchemaId>,
        ledger: &Ledger,
    ) -> Ledger {
        let mut kept = ledger.clone();
        if !kept.is_empty() {
            let unnamed = Ledger::new();
            let mut walked = Structs::new(api, &unnamed);
            records.for_each(|record| _ = walked.record(record, "Record"));
            // The case of a struct's keys stays while the struct exists.
            let used = |what: &str| walked.given.contains_key(what.trim_start_matches("case "));
            kept.retain(|what, _| used(what));
        }
        kept
    }

    /// Builds the struct of a resource's records and returns its name; `None`: the schema does not
    /// describe one.
    pub fn record(&mut self, schema: SchemaId, fallback: &str) -> Option<String> {
        let Type::Record(name) = self.ty(schema, fallback, "") else {
            return None;
        };
        Some(name)
    }

    /// Sets the resource that owns a struct; its file holds the struct.
    pub fn own(&mut self, name: &str, resource: usize) {
        if let Some(at) = self.position(name) {
            self.made[at].owner = Some(resource);
        }
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.made.iter().position(|made| made.body.name == name)
    }

    /// Returns the struct of that name.
    pub fn get(&self, name: &str) -> Option<&Struct> {
        self.made
            .iter()
            .map(|made| &made.body)
            .find(|body| body.name == name)
    }

    /// Returns the type of a schema. `context` names its struct if it has no name of its own.
    fn ty(&mut self, id: SchemaId, context: &str, key: &str) -> Type {
        let schema = &self.api.schemas[id];
        match &schema.kind {
            SchemaKind::Object { properties, .. } if properties.is_empty() => Type::Json,
            SchemaKind::Object { properties, .. } => {
                let properties = properties.clone();
                let same = properties_of(schema).and_then(|key| self.components.get(&key));
                let id = same.copied().unwrap_or(id);
                self.object(id, &properties, context)
            }
            // The list contains itself.
            SchemaKind::Array(_) if self.around.contains(&id) => Type::Json,
            SchemaKind::Array(item) => {
                self.around.push(id);
                let item = self.ty(*item, &item_name(context), key);
                self.around.pop();
                match item {
                    Type::Json => Type::Json,
                    item => Type::List(Box::new(item)),
                }
            }
            SchemaKind::Union { arms, .. } => {
                let arms = arms.clone();
                self.union(id, &arms, context, key)
            }
            _ => scalar(schema, key),
        }
    }

    fn object(
        &mut self,
        id: SchemaId,
        properties: &IndexMap<String, SchemaId>,
        context: &str,
    ) -> Type {
        if self.around.contains(&id) {
            return Type::Json;
        }
        if let Some(at) = self.by_schema.get(&id) {
            return Type::Record(self.made[*at].body.name.clone());
        }
        let schema = &self.api.schemas[id];
        let entry = self.entry(schema);
        let name = self.name(&entry, schema, context);
        let at = self.made.len();
        self.by_schema.insert(id, at);
        self.made.push(Made {
            body: Struct {
                name: name.clone(),
                doc: text::sentence(&schema.description),
                case: None,
                fields: Vec::new(),
            },
            holds: Vec::new(),
            owner: None,
        });
        self.around.push(id);
        let fields = self.fields(&name, &schema.pointer, properties);
        self.around.pop();
        let mut holds = Vec::new();
        for held in fields.iter().filter_map(|field| field.ty.record()) {
            holds.extend(self.position(held));
        }
        self.made[at].body.case = self.case(&entry, &fields);
        self.made[at].body.fields = fields;
        self.made[at].holds = holds;
        Type::Record(name)
    }

    fn fields(
        &mut self,
        record: &str,
        pointer: &str,
        properties: &IndexMap<String, SchemaId>,
    ) -> Vec<Field> {
        let api = self.api;
        let mut idents = Names::default();
        let mut wanted: HashMap<String, usize> = HashMap::new();
        for key in properties.keys() {
            *wanted.entry(names::field(key)).or_default() += 1;
        }
        // If keys collide, one in the ledger keeps its name; next come keys that equal their names.
        let mut chosen: HashMap<&str, String> = HashMap::new();
        let place = |key: &str| format!("field {pointer}#{key}");
        for key in properties.keys() {
            if let Some(name) = self.ledger.get(&place(key)) {
                idents.take(name);
                chosen.insert(key, name.clone());
            }
        }
        let exact = properties.keys().filter(|key| names::field(key) == **key);
        let others = properties.keys().filter(|key| names::field(key) != **key);
        for key in exact.chain(others) {
            if !chosen.contains_key(key.as_str()) {
                chosen.insert(key, idents.give(&[names::field(key)]));
            }
        }
        let mut fields = Vec::with_capacity(properties.len());
        for (key, id) in properties {
            let ident = chosen.get(key.as_str()).cloned().unwrap_or_default();
            if wanted
                .get(&names::field(key))
                .is_some_and(|count| *count > 1)
            {
                self.given.insert(place(key), ident.clone());
            }
            let context = format!("{record}{}", names::pascal(key, "Field"));
            let ty = self.ty(*id, &context, key);
            let doc = text::sentence(&api.schemas[*id].description);
            // A doc that equals that of the struct is omitted.
            let said = ty.record().and_then(|name| self.get(name));
            let doc = match said {
                Some(body) if body.doc == doc => String::new(),
                _ => doc,
            };
            fields.push(Field {
                ident,
                key: key.clone(),
                doc,
                ty,
            });
        }
        fields
    }

    /// Returns the name in the ledger, of the component, or of the context, in this order.
    fn name(&mut self, entry: &str, schema: &Schema, context: &str) -> String {
        let name = match self.ledger.get(entry) {
            Some(name) => name.clone(),
            None => {
                let own = schema
                    .component
                    .as_deref()
                    .map(|name| names::pascal(name, context));
                let mut candidates: Vec<String> = own.into_iter().collect();
                candidates.push(context.to_owned());
                candidates.push(format!("{context}Record"));
                self.names.give(&candidates)
            }
        };
        self.given.insert(entry.to_owned(), name.clone());
        name
    }

    /// Returns the case of a struct's keys. An existing struct keeps its case: with another one, a
    /// field that its owner has added would be read from another key.
    fn case(&mut self, entry: &str, fields: &[Field]) -> Option<Case> {
        let place = format!("case {entry}");
        let case = match self.ledger.contains_key(entry) {
            true => Case::named(self.ledger.get(&place)?)?,
            false => Case::of(fields)?,
        };
        self.given.insert(place, case.name().to_owned());
        Some(case)
    }

    /// Returns the ledger entry of a struct. Keywords beside a reference may turn one schema into
    /// several structs.
    fn entry(&self, schema: &Schema) -> String {
        let first = format!("struct {}", schema.pointer);
        let others = (2..).map(|count| format!("{first} {count}"));
        let mut all = std::iter::once(first.clone()).chain(others);
        all.find(|what| !self.given.contains_key(what))
            .unwrap_or_default()
    }

    /// Returns the type of a union. An id or the object that it names becomes the id; objects are
    /// merged.
    fn union(&mut self, id: SchemaId, arms: &[SchemaId], context: &str, key: &str) -> Type {
        let arms: Vec<SchemaId> = self.flat(arms, 0);
        let schemas = &self.api.schemas;
        let is_object = |id: &SchemaId| matches!(schemas[*id].kind, SchemaKind::Object { .. });
        let scalars: Vec<SchemaId> = arms
            .iter()
            .copied()
            .filter(|id| is_scalar(&schemas[*id]))
            .collect();
        if !scalars.is_empty() {
            if !arms
                .iter()
                .all(|id| is_scalar(&schemas[*id]) || is_object(id))
            {
                return Type::Json;
            }
            let types: Vec<Type> = scalars
                .iter()
                .map(|id| scalar(&schemas[*id], key))
                .collect();
            let same = types.iter().all(|ty| *ty == types[0]);
            let numbers = types.iter().all(|ty| matches!(ty, Type::Int | Type::Float));
            // An expandable field is an id. Scalars of different types get their type when they are
            // loaded.
            return match (same, numbers) {
                (true, _) => types.into_iter().next().unwrap_or(Type::Json),
                (false, true) => Type::Float,
                (false, false) => Type::Dynamic,
            };
        }
        if arms.is_empty() || !arms.iter().all(is_object) {
            return Type::Json;
        }
        if let [only] = arms.as_slice() {
            return self.ty(*only, context, key);
        }
        let mut merged: IndexMap<String, SchemaId> = IndexMap::new();
        for arm in &arms {
            let SchemaKind::Object { properties, .. } = &self.api.schemas[*arm].kind else {
                continue;
            };
            for (key, schema) in properties {
                merged.entry(key.clone()).or_insert(*schema);
            }
        }
        if merged.is_empty() {
            return Type::Json;
        }
        self.object(id, &merged, context)
    }

    /// Returns the arms, with those of nested unions.
    fn flat(&self, arms: &[SchemaId], depth: usize) -> Vec<SchemaId> {
        let mut out = Vec::new();
        for arm in arms {
            match &self.api.schemas[*arm].kind {
                SchemaKind::Union { arms, .. } if depth < 4 => {
                    out.extend(self.flat(arms, depth + 1))
                }
                _ => out.push(*arm),
            }
        }
        out
    }

    /// Decides the file of each struct: that of its owner or only user, or the shared one.
    pub fn place(self, resources: &[Option<String>], features: &[Option<String>]) -> Placed {
        let mut users: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.made.len()];
        let mut order: Vec<Vec<usize>> = vec![Vec::new(); resources.len()];
        for (resource, record) in resources.iter().enumerate() {
            let Some(root) = record.as_deref().and_then(|name| self.position(name)) else {
                continue;
            };
            let mut seen = vec![root];
            let mut at = 0;
            while let Some(next) = seen.get(at).copied() {
                at += 1;
                users[next].insert(resource);
                for held in &self.made[next].holds {
                    if !seen.contains(held) {
                        seen.push(*held);
                    }
                }
            }
            order[resource] = seen;
        }
        let home = |at: usize| match (self.made[at].owner, users[at].len()) {
            // A struct that another feature uses, too, is compiled with both.
            (Some(owner), _) => users[at]
                .iter()
                .all(|user| features[*user] == features[owner])
                .then_some(owner),
            (None, 1) => users[at].first().copied(),
            (None, _) => None,
        };
        let own = order.iter().enumerate().map(|(resource, seen)| {
            let here = seen.iter().filter(|at| home(**at) == Some(resource));
            here.map(|at| self.made[*at].body.clone()).collect()
        });
        let own = own.collect();
        let shared: Vec<usize> = (0..self.made.len())
            .filter(|at| users[*at].len() > 1 && home(*at).is_none())
            .collect();
        let shared_features = shared.iter().filter_map(|at| {
            let of: BTreeSet<&String> = users[*at]
                .iter()
                .filter_map(|user| features[*user].as_ref())
                .collect();
            let is_special = !of.is_empty() && of.len() <= COMMON;
            is_special.then(|| {
                let name = self.made[*at].body.name.clone();
                (name, of.into_iter().cloned().collect())
            })
        });
        Placed {
            own,
            shared_features: shared_features.collect(),
            shared: shared
                .iter()
                .map(|at| self.made[*at].body.clone())
                .collect(),
        }
    }
}

fn properties_of(schema: &Schema) -> Option<Vec<(&str, SchemaId)>> {
    match &schema.kind {
        SchemaKind::Object { properties, .. } if !properties.is_empty() => Some(
            properties
                .iter()
                .map(|(key, id)| (key.as_str(), *id))
                .collect(),
        ),
        _ => None,
    }
}

fn is_scalar(schema: &Schema) -> bool {
    matches!(
        schema.kind,
        SchemaKind::String { .. }
            | SchemaKind::Integer { .. }
            | SchemaKind::Number { .. }
            | SchemaKind::Boolean
    )
}

fn scalar(schema: &Schema, key: &str) -> Type {
    match &schema.kind {
        SchemaKind::Boolean => Type::Bool,
        SchemaKind::String { format, values, .. } => match format.as_deref() {
            // An enum is always text.
            _ if !values.is_empty() => Type::String,
            Some("date-time") => Type::Timestamp,
            Some("date") => Type::Date,
            Some("uuid") => Type::Uuid,
            Some("byte") => Type::Bytes,
            Some("decimal") => Type::Decimal,
            _ => Type::String,
        },
        SchemaKind::Integer { format, .. } => {
            epoch(schema, format.as_deref(), key).unwrap_or(Type::Int)
        }
        SchemaKind::Number { format } => match format.as_deref() {
            Some("decimal") => Type::Decimal,
            format => epoch(schema, format, key).unwrap_or(Type::Float),
        },
        _ => Type::Json,
    }
}

/// Returns the type of a number that is a time since 1970 according to its format or description.
fn epoch(schema: &Schema, format: Option<&str>, key: &str) -> Option<Type> {
    let says = schema.description.to_lowercase();
    let format = format.unwrap_or_default().to_lowercase();
    let by_format = ["unix", "epoch", "timestamp"]
        .iter()
        .any(|word| format.contains(word));
    let by_text = [
        "unix time",
        "unix epoch",
        "unix-time",
        "epoch time",
        "since epoch",
        "since the epoch",
        "epoch second",
        "epoch milli",
        "epoch in ",
        "unix second",
        "unix milli",
        "since 1970",
        "seconds since jan",
        "unixtime",
    ]
    .iter()
    .any(|phrase| says.contains(phrase));
    if !by_format && !by_text {
        return None;
    }
    let millis = format.contains("milli")
        || format.ends_with("ms")
        || says.contains("millisecond")
        || key.to_lowercase().ends_with("_ms")
        || key.ends_with("Ms");
    let finer = ["microsecond", "nanosecond"]
        .iter()
        .any(|unit| says.contains(unit) || format.contains(unit));
    match (finer, millis) {
        (true, _) => None,
        (false, true) => Some(Type::UnixMillis),
        (false, false) => Some(Type::UnixTime),
    }
}

/// Returns the name of an item: `InvoiceLine` for `InvoiceLines`, `DataItem` for `Data`.
fn item_name(list: &str) -> String {
    match names::singular(list) {
        same if same == list => format!("{list}Item"),
        item => item,
    }
}
