//! Reads JSON objects into records, driven by their schemas.

use std::borrow::Cow;

use super::drift::{Content, Entry};
use super::json::{Number, Quoted, Reader, Syntax, compact};
use super::layout::{ItemsMut, ListMut, PushMut, RecordMut, Slot, Template};
use super::schema::{RecordSchema, for_each_scalar, nested};
use super::select::{Kept, Selection};
use super::{Bytes, Date, Decimal, Dynamic, Json, Timestamp, UnixMillis, UnixTime, Uuid};

/// Deeper records are kept as raw JSON.
const MAX_DEPTH: usize = 100;

type Result<T, E = Syntax> = std::result::Result<T, E>;

/// The action for a key.
#[derive(Clone, Copy)]
enum Action {
    Field(u16),
    Skip,
}

struct Key {
    /// The key in its JSON form with the closing quote; empty if it needs an escape.
    quoted: Box<[u8]>,
    key: &'static str,
    action: Action,
}

/// A record type, prepared for reading.
struct Node {
    schema: &'static RecordSchema,
    /// The selected part of it; `None` means everything.
    selection: Option<Selection>,
    template: Template,
    keys: Vec<Key>,
    /// An open-addressing table of key indices plus one; 0 is a free slot. The length is a power of
    /// two.
    slots: Box<[u16]>,
    /// For each field, the node of the records in it.
    children: Box<[u32]>,
    /// The index of this node's first prediction.
    base: usize,
}

const NO_NODE: u32 = u32::MAX;

/// All record types reachable from one, prepared for reading.
pub(crate) struct Plan {
    nodes: Vec<Node>,
    predictions: usize,
}

impl Plan {
    /// Creates a plan. `selection` is the selected fields; others are not read, as far as they are
    /// keys of records.
    pub fn new(schema: &'static RecordSchema, selection: Option<&Selection>) -> Self {
        let mut plan = Plan {
            nodes: Vec::new(),
            predictions: 0,
        };
        plan.node(schema, selection.cloned());
        plan
    }

    fn node(&mut self, schema: &'static RecordSchema, selection: Option<Selection>) -> u32 {
        let same = |node: &Node| node.schema.is(schema) && node.selection.is_none();
        let at = self.nodes.iter().position(same);
        if let Some(at) = at.filter(|_| selection.is_none()) {
            return at as u32;
        }
        let kept = |key: &str| selection.as_ref().map_or(Kept::All, |part| part.below(key));
        let kept: Vec<Kept> = schema.fields.iter().map(|field| kept(field.key)).collect();
        let at = self.nodes.len();
        let mut keys: Vec<Key> = Vec::new();
        let fields = schema.fields.iter().enumerate();
        let fields = fields.map(|(index, field)| match kept[index] {
            Kept::Nothing => (field.key, Action::Skip),
            _ => (field.key, Action::Field(index as u16)),
        });
        let dropped = schema.dropped.iter().map(|key| (*key, Action::Skip));
        // A dropped key is not read, even if it is also a field.
        for (key, action) in dropped.chain(fields) {
            if keys.iter().all(|other| other.key != key) {
                let plain = !key.contains(|char: char| char < ' ' || matches!(char, '"' | '\\'));
                let quoted = if plain {
                    format!("{key}\"")
                } else {
                    String::new()
                };
                keys.push(Key {
                    quoted: quoted.into_bytes().into_boxed_slice(),
                    key,
                    action,
                });
            }
        }
        // Fields come first: predictions follow their order until the page shows its own.
        keys.sort_by_key(|key| matches!(key.action, Action::Skip));
        let mut slots = vec![0_u16; (keys.len() * 2 + 1).next_power_of_two()].into_boxed_slice();
        let mask = slots.len() - 1;
        for (index, key) in keys.iter().enumerate() {
            let mut slot = hash(key.key.as_bytes()) & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = index as u16 + 1;
        }
        let base = self.predictions;
        self.predictions += keys.len() + 1;
        self.nodes.push(Node {
            schema,
            selection,
            template: Template::new(schema),
            keys,
            slots,
            children: Box::default(),
            base,
        });
        let children = schema.fields.iter().zip(kept);
        let children = children
            .map(|(field, kept)| match (nested(field.shape()), kept) {
                (None, _) | (_, Kept::Nothing) => NO_NODE,
                (Some(schema), Kept::All) => self.node(schema, None),
                (Some(schema), Kept::Part(part)) => self.node(schema, Some(part)),
            })
            .collect();
        self.nodes[at].children = children;
        at as u32
    }
}

impl Node {
    /// Returns whether the selection excludes a key that the record does not declare.
    fn is_unwanted(&self, key: &Quoted<'_>) -> bool {
        let wanted = |part: &Selection| part.below(&key_text(*key));
        matches!(self.selection.as_ref().map(wanted), Some(Kept::Nothing))
    }

    fn find(&self, key: &[u8]) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(key) & mask;
        loop {
            let index = usize::from(self.slots[slot]).checked_sub(1)?;
            if self.keys[index].key.as_bytes() == key {
                return Some(index);
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// Hashes a key by its length, start and end, in which keys differ most.
#[inline]
fn hash(key: &[u8]) -> usize {
    let mut head = [0; 8];
    let mut tail = [0; 8];
    let length = key.len().min(8);
    head[..length].copy_from_slice(&key[..length]);
    tail[..length].copy_from_slice(&key[key.len() - length..]);
    let mixed = (u64::from_le_bytes(head) ^ key.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ u64::from_le_bytes(tail).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    (mixed ^ mixed >> 32) as usize
}

/// Reads the records of one page.
pub(crate) struct RecordReader<'p, 'a> {
    plan: &'p Plan,
    /// The key that followed each key the last time.
    predictions: Vec<u16>,
    pub json: Reader<'a>,
    /// Texts of earlier records, whose memory is reused.
    pub texts: Vec<String>,
}

impl<'p, 'a> RecordReader<'p, 'a> {
    pub fn new(plan: &'p Plan, json: Reader<'a>) -> Self {
        let mut predictions = Vec::with_capacity(plan.predictions);
        for node in &plan.nodes {
            predictions.extend(0..=node.keys.len() as u16);
        }
        RecordReader {
            plan,
            predictions,
            json,
            texts: Vec::new(),
        }
    }

    /// Reads the next value into an empty record of the plan's type, and returns its drift.
    pub fn root(&mut self, mut record: RecordMut<'_>) -> Result<Option<Content>> {
        if let Some(json) = record.whole() {
            *json = Json::from_raw(compact(self.json.raw()?));
            return Ok(None);
        }
        if self.json.peek() == b'{' {
            return self.object(0, record, 0);
        }
        Ok(Some(Content::Raw(self.raw()?)))
    }

    fn raw(&mut self) -> Result<Box<str>> {
        Ok(compact(self.json.raw()?))
    }

    /// Reads the peeked object.
    fn object(
        &mut self,
        node: u32,
        mut record: RecordMut<'_>,
        depth: usize,
    ) -> Result<Option<Content>> {
        let plan = self.plan;
        let node = &plan.nodes[node as usize];
        let mut drift = Vec::new();
        let mut place = node.base;
        if !self.json.open(b'}') {
            return Ok(None);
        }
        loop {
            let predicted = usize::from(self.predictions[place]);
            let action = match node.keys.get(predicted) {
                Some(key) if !key.quoted.is_empty() && self.json.key_is(&key.quoted) => {
                    place = node.base + predicted + 1;
                    Ok(key.action)
                }
                _ => {
                    let key = self.json.key()?;
                    let found = match key.decode() {
                        Some(key) => node.find(key.as_bytes()),
                        None => None,
                    };
                    match found {
                        Some(index) => {
                            self.predictions[place] = index as u16;
                            place = node.base + index + 1;
                            Ok(node.keys[index].action)
                        }
                        None => Err(key),
                    }
                }
            };
            match action {
                Ok(Action::Field(index)) => {
                    let field = usize::from(index);
                    let child = node.children[field];
                    if let Some(content) = self.value(record.slot(field), child, depth)? {
                        drift.push(Entry {
                            key: Cow::Borrowed(node.schema.fields[field].key),
                            field: Some(u32::from(index)),
                            content,
                        });
                    }
                }
                Ok(Action::Skip) => self.json.skip()?,
                Err(key) if node.is_unwanted(&key) => self.json.skip()?,
                Err(key) => {
                    if !self.json.null()? {
                        drift.push(Entry {
                            key: Cow::Owned(key_text(key)),
                            field: None,
                            content: Content::Raw(self.raw()?),
                        });
                    }
                }
            }
            if !self.json.more(b'}')? {
                break;
            }
        }
        Ok((!drift.is_empty()).then_some(Content::Record(drift)))
    }

    fn record(
        &mut self,
        slot: super::layout::RecordSlot<'_>,
        child: u32,
        depth: usize,
    ) -> Result<Option<Content>> {
        let next = self.json.peek();
        if next == b'n' {
            self.json.literal("null")?;
            return Ok(None);
        }
        if slot.is_some() {
            return Ok(Some(Content::Again(self.raw()?)));
        }
        if next != b'{' || depth >= MAX_DEPTH {
            return Ok(Some(Content::Raw(self.raw()?)));
        }
        let record = slot.fill(&self.plan.nodes[child as usize].template);
        self.object(child, record, depth + 1)
    }

    fn list(
        &mut self,
        slot: super::layout::ListSlot<'_>,
        child: u32,
        depth: usize,
    ) -> Result<Option<Content>> {
        let next = self.json.peek();
        if next == b'n' {
            self.json.literal("null")?;
            return Ok(None);
        }
        if slot.is_some() {
            return Ok(Some(Content::Again(self.raw()?)));
        }
        if next != b'[' || depth >= MAX_DEPTH {
            return Ok(Some(Content::Raw(self.raw()?)));
        }
        self.items(slot.fill(), child, depth + 1)
    }

    /// Reads the peeked list.
    fn items(
        &mut self,
        mut list: ListMut<'_>,
        child: u32,
        depth: usize,
    ) -> Result<Option<Content>> {
        if !self.json.open(b']') {
            return Ok(None);
        }
        let (len, drift) = self.each_item(list.items(), child, depth)?;
        Ok((!drift.is_empty()).then_some(Content::List(len, drift)))
    }

    fn records(
        &mut self,
        mut list: PushMut<'_>,
        child: u32,
        depth: usize,
    ) -> Result<(usize, Vec<(usize, Content)>)> {
        let plan = self.plan;
        self.each(|reader| {
            if reader.json.peek() != b'{' || depth >= MAX_DEPTH {
                return Ok(Some(Content::Raw(reader.raw()?)));
            }
            let record = list.record(&plan.nodes[child as usize].template);
            reader.object(child, record, depth + 1)
        })
    }

    fn lists(
        &mut self,
        mut list: PushMut<'_>,
        child: u32,
        depth: usize,
    ) -> Result<(usize, Vec<(usize, Content)>)> {
        self.each(|reader| {
            if reader.json.peek() == b'['
                && depth < MAX_DEPTH
                && let Some(inner) = list.list()
            {
                return reader.items(inner, child, depth + 1);
            }
            Ok(Some(Content::Raw(reader.raw()?)))
        })
    }

    fn scalars<S: Scalar>(&mut self, list: &mut Vec<S>) -> Result<(usize, Vec<(usize, Content)>)> {
        self.each(|reader| match reader.try_scalar()? {
            Some(value) => {
                list.push(value);
                Ok(None)
            }
            None => Ok(Some(Content::Raw(reader.raw()?))),
        })
    }

    fn each(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<Option<Content>>,
    ) -> Result<(usize, Vec<(usize, Content)>)> {
        let mut drift = Vec::new();
        for index in 0.. {
            if let Some(content) = item(self)? {
                drift.push((index, content));
            }
            if !self.json.more(b']')? {
                return Ok((index + 1, drift));
            }
        }
        Ok((0, drift))
    }

    fn scalar<S: Scalar>(&mut self, slot: &mut Option<S>) -> Result<Option<Content>> {
        if self.json.null()? {
            return Ok(None);
        }
        if slot.is_some() {
            return Ok(Some(Content::Again(self.raw()?)));
        }
        match self.try_scalar()? {
            Some(value) => {
                *slot = Some(value);
                Ok(None)
            }
            None => Ok(Some(Content::Raw(self.raw()?))),
        }
    }

    /// Takes the next value if it has that type, and nothing otherwise.
    #[inline]
    fn try_scalar<S: Scalar>(&mut self) -> Result<Option<S>> {
        let next = self.json.peek();
        let start = self.json.at;
        let value = S::read_into(&mut self.json, &mut self.texts, next)?;
        if value.is_none() {
            self.json.at = start;
        }
        Ok(value)
    }
}

macro_rules! dispatch {
    ($($(#[$doc:meta])* $name:ident $ty:ty,)*) => {
        impl RecordReader<'_, '_> {
            /// Reads the value of a field.
            fn value(&mut self, slot: Slot<'_>, child: u32, depth: usize) -> Result<Option<Content>> {
                match slot {
                    $(Slot::$name(slot) => self.scalar::<$ty>(slot),)*
                    Slot::Record(slot) => self.record(slot, child, depth),
                    Slot::List(slot) => self.list(slot, child, depth),
                }
            }

            fn each_item(
                &mut self,
                list: ItemsMut<'_>,
                child: u32,
                depth: usize,
            ) -> Result<(usize, Vec<(usize, Content)>)> {
                match list {
                    $(ItemsMut::$name(list) => self.scalars::<$ty>(list),)*
                    ItemsMut::Record(list) => self.records(list, child, depth),
                    ItemsMut::List(list) => self.lists(list, child, depth),
                }
            }
        }
    };
}
for_each_scalar!(dispatch);

/// Returns the text of a key; one that is not valid text stays raw, including escapes.
fn key_text(key: Quoted<'_>) -> String {
    key.decode()
        .map_or_else(|| key.raw.to_owned(), Cow::into_owned)
}

/// A scalar value.
trait Scalar: Sized {
    /// Takes the value that starts with `next`, if it has this type; otherwise the position is reset by the caller.
    fn read(json: &mut Reader<'_>, next: u8) -> Result<Option<Self>>;

    /// Does the same as `read`, reusing the memory of an earlier text if necessary.
    #[inline]
    fn read_into(json: &mut Reader<'_>, _: &mut Vec<String>, next: u8) -> Result<Option<Self>> {
        Self::read(json, next)
    }
}

fn number<'a>(json: &mut Reader<'a>, next: u8) -> Result<Option<Number<'a>>> {
    match next {
        b'-' | b'0'..=b'9' => json.number().map(Some),
        _ => Ok(None),
    }
}

fn text<'a>(json: &mut Reader<'a>, next: u8) -> Result<Option<Cow<'a, str>>> {
    match next {
        b'"' => Ok(json.string()?.decode()),
        _ => Ok(None),
    }
}

impl Scalar for String {
    #[inline]
    fn read(json: &mut Reader<'_>, next: u8) -> Result<Option<Self>> {
        Ok(text(json, next)?.map(Cow::into_owned))
    }

    #[inline]
    fn read_into(json: &mut Reader<'_>, texts: &mut Vec<String>, next: u8) -> Result<Option<Self>> {
        Ok(match text(json, next)? {
            Some(Cow::Borrowed(text)) => {
                let mut memory = texts.pop().unwrap_or_default();
                memory.clear();
                memory.push_str(text);
                Some(memory)
            }
            text => text.map(Cow::into_owned),
        })
    }
}

impl Scalar for i64 {
    #[inline]
    fn read(json: &mut Reader<'_>, next: u8) -> Result<Option<Self>> {
        Ok(number(json, next)?.and_then(Number::as_int))
    }
}

impl Scalar for f64 {
    fn read(json: &mut Reader<'_>, next: u8) -> Result<Option<Self>> {
        Ok(number(json, next)?.and_then(Number::as_float))
    }
}

impl Scalar for bool {
    #[inline]
    fn read(json: &mut Reader<'_>, next: u8) -> Result<Option<Self>> {
        let value = match next {
            b't' => true,
            b'f' => false,
            _ => return Ok(None),
        };
        json.literal(if value { "true" } else { "false" })?;
        Ok(Some(value))
    }
}

macro_rules! from_text {
    ($($ty:ty)*) => {$(
        impl Scalar for $ty {
            fn read(json: &mut Reader<'_>, next: u8) -> Result<Option<Self>> {
                Ok(text(json, next)?.and_then(|text| text.parse().ok()))
            }
        }
    )*};
}
from_text!(Timestamp Date Uuid Bytes);

macro_rules! from_text_or_number {
    ($($ty:ty)*) => {$(
        impl Scalar for $ty {
            fn read(json: &mut Reader<'_>, next: u8) -> Result<Option<Self>> {
                if let Some(text) = text(json, next)? {
                    return Ok(text.parse().ok());
                }
                let start = json.at;
                match number(json, next)? {
                    Some(_) => Ok(json.since(start).parse().ok()),
                    None => Ok(None),
                }
            }
        }
    )*};
}
from_text_or_number!(Decimal UnixMillis);

impl Scalar for UnixTime {
    fn read(json: &mut Reader<'_>, next: u8) -> Result<Option<Self>> {
        if let Some(text) = text(json, next)? {
            return Ok(text.parse().ok());
        }
        let start = json.at;
        Ok(match number(json, next)? {
            // This is the common case, and as fast as a number.
            Some(Number::Int(seconds)) => seconds.checked_mul(1_000_000).map(Self::from_micros),
            Some(_) => json.since(start).parse().ok(),
            None => None,
        })
    }
}

impl Scalar for Json {
    fn read(json: &mut Reader<'_>, _: u8) -> Result<Option<Self>> {
        Ok(Some(Json::from_raw(compact(json.raw()?))))
    }
}

impl Scalar for Dynamic {
    fn read(json: &mut Reader<'_>, next: u8) -> Result<Option<Self>> {
        Ok(Json::read(json, next)?.map(Dynamic::new))
    }
}
