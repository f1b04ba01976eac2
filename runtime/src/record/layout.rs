//! The only code that reads and writes records by offset. Its interface is safe: the schema of a record is correct
//! (`unsafe trait Record` requires that), and a `RecordRef` or `RecordMut` is created only from a real record.

use std::marker::PhantomData;
use std::mem::{self, MaybeUninit};

use super::schema::{ALIGN, FieldType, ListType, RecordSchema, Shape, Value, for_each_scalar};
use super::{Bytes, Date, Decimal, Dynamic, Json, Record, Timestamp, UnixMillis, UnixTime, Uuid};

// These are the operations of a field or a list: one small function per type.

pub(crate) unsafe fn none<T>(field: *mut u8) {
    // SAFETY: the field is an `Option<T>` and holds nothing yet.
    unsafe { field.cast::<Option<T>>().write(None) }
}

pub(crate) unsafe fn get<T>(field: *const u8) -> *const u8 {
    // SAFETY: the field is an `Option<T>`.
    match unsafe { &*field.cast::<Option<T>>() } {
        Some(value) => (&raw const *value).cast(),
        None => std::ptr::null(),
    }
}

pub(crate) unsafe fn get_mut<T>(field: *mut u8) -> *mut u8 {
    // SAFETY: the field is an `Option<T>`.
    match unsafe { &mut *field.cast::<Option<T>>() } {
        Some(value) => (&raw mut *value).cast(),
        None => std::ptr::null_mut(),
    }
}

pub(crate) unsafe fn fill<T: Value>(field: *mut u8, template: *const u8) -> *mut u8 {
    // SAFETY: the field is an `Option<T>`, the template is one for `T`.
    unsafe {
        let value = (*field.cast::<Option<T>>()).insert(T::fresh(template));
        (&raw mut *value).cast()
    }
}

pub(crate) unsafe fn push<T: Value>(list: *mut u8, template: *const u8) -> *mut u8 {
    // SAFETY: the list is a `Vec<T>`, the template is one for `T`.
    unsafe {
        let list = &mut *list.cast::<Vec<T>>();
        list.push(T::fresh(template));
        list.as_mut_ptr().add(list.len() - 1).cast()
    }
}

pub(crate) unsafe fn items<T>(list: *const u8) -> (*const u8, usize) {
    // SAFETY: the list is a `Vec<T>`.
    let list = unsafe { &*list.cast::<Vec<T>>() };
    (list.as_ptr().cast(), list.len())
}

pub(crate) unsafe fn items_mut<T>(list: *mut u8) -> (*mut u8, usize) {
    // SAFETY: the list is a `Vec<T>`.
    let list = unsafe { &mut *list.cast::<Vec<T>>() };
    (list.as_mut_ptr().cast(), list.len())
}

/// An empty record to copy: every field is `None`.
pub(crate) struct Template(Box<[MaybeUninit<u128>]>);

// SAFETY: the bytes are never changed again and own nothing.
unsafe impl Send for Template {}
// SAFETY: as above.
unsafe impl Sync for Template {}

impl Template {
    pub fn new(schema: &'static RecordSchema) -> Self {
        let mut bytes = vec![MaybeUninit::<u128>::uninit(); schema.size.div_ceil(ALIGN)];
        let start = bytes.as_mut_ptr().cast::<u8>();
        if schema.whole {
            // SAFETY: a whole record is a `Json`, and an empty one owns no memory.
            unsafe { start.cast::<Json>().write(Json::default()) }
        }
        for field in schema.fields {
            // SAFETY: the offset is within the record, and the field is not initialised yet.
            unsafe { (field.ty.none)(start.add(field.offset)) }
        }
        Template(bytes.into_boxed_slice())
    }

    fn start(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }
}

/// An empty record of a known type.
pub(crate) struct Empty<T>(Template, PhantomData<fn() -> T>);

impl<T: Record> Empty<T> {
    pub fn new() -> Self {
        Empty(Template::new(T::SCHEMA), PhantomData)
    }

    /// Creates a new record.
    pub fn record(&self) -> T {
        // SAFETY: the template is an empty `T` that owns nothing.
        unsafe { self.0.start().cast::<T>().read() }
    }
}

/// A record to fill.
pub(crate) struct RecordMut<'a> {
    start: *mut u8,
    schema: &'static RecordSchema,
    marker: PhantomData<&'a mut ()>,
}

macro_rules! define_slots {
    ($($(#[$doc:meta])* $name:ident $ty:ty,)*) => {
        /// A field to fill.
        pub(crate) enum Slot<'a> {
            $($name(&'a mut Option<$ty>),)*
            Record(RecordSlot<'a>),
            List(ListSlot<'a>),
        }

        /// A list to fill, by the type of its items.
        pub(crate) enum ItemsMut<'a> {
            $($name(&'a mut Vec<$ty>),)*
            Record(PushMut<'a>),
            List(PushMut<'a>),
        }

        /// A value of a record.
        #[derive(Clone, Copy)]
        pub(crate) enum ValueRef<'a> {
            Null,
            $($name(&'a $ty),)*
            Record(RecordRef<'a>),
            List(ListRef<'a>),
        }

        impl<'a> RecordMut<'a> {
            /// Returns the field number `index`.
            #[inline]
            pub fn slot(&mut self, index: usize) -> Slot<'_> {
                let field = &self.schema.fields[index];
                // SAFETY: the offset is within the record.
                let start = unsafe { self.start.add(field.offset) };
                let ty = field.ty;
                match ty.shape {
                    // SAFETY: the shape is that of the field, and `self` is borrowed as long as the slot.
                    $(Shape::$name => Slot::$name(unsafe { &mut *start.cast() }),)*
                    Shape::Record(_) | Shape::Boxed(_) => {
                        Slot::Record(RecordSlot { start, ty, marker: PhantomData })
                    }
                    Shape::List(list) => Slot::List(ListSlot { start, ty, list, marker: PhantomData }),
                }
            }
        }

        impl<'a> ListMut<'a> {
            /// Returns the items, to add to.
            pub fn items(&mut self) -> ItemsMut<'_> {
                match self.list.item {
                    // SAFETY: the shape is that of the items, and `self` is borrowed as long as they are.
                    $(Shape::$name => ItemsMut::$name(unsafe { &mut *self.start.cast() }),)*
                    Shape::Record(_) | Shape::Boxed(_) => {
                        ItemsMut::Record(PushMut { start: self.start, list: self.list, marker: PhantomData })
                    }
                    Shape::List(_) => {
                        ItemsMut::List(PushMut { start: self.start, list: self.list, marker: PhantomData })
                    }
                }
            }
        }

        impl<'a> RecordRef<'a> {
            /// Returns the value of the field number `index`.
            #[inline]
            pub fn get(&self, index: usize) -> ValueRef<'a> {
                let field = &self.schema.fields[index];
                // SAFETY: the offset is within the record.
                let start = unsafe { self.start.add(field.offset) };
                match field.ty.shape {
                    // SAFETY: the shape is that of the field, and the record outlives `'a`.
                    $(Shape::$name => match unsafe { &*start.cast::<Option<$ty>>() } {
                        Some(value) => ValueRef::$name(value),
                        None => ValueRef::Null,
                    },)*
                    shape => {
                        // SAFETY: the function is the field's own.
                        let start = unsafe { (field.ty.get)(start) };
                        if start.is_null() {
                            return ValueRef::Null;
                        }
                        // SAFETY: the value exists there and has that shape.
                        unsafe { value_at(shape, start) }
                    }
                }
            }
        }

        /// # Safety
        /// A value of that shape must exist at `start` for `'a`.
        unsafe fn value_at<'a>(shape: Shape, start: *const u8) -> ValueRef<'a> {
            match shape {
                // SAFETY: the caller guarantees it.
                $(Shape::$name => ValueRef::$name(unsafe { &*start.cast() }),)*
                Shape::Record(schema) => {
                    ValueRef::Record(RecordRef { start, schema: schema(), marker: PhantomData })
                }
                // SAFETY: a box is a pointer to its value.
                Shape::Boxed(schema) => ValueRef::Record(RecordRef {
                    start: unsafe { *start.cast::<*const u8>() },
                    schema: schema(),
                    marker: PhantomData,
                }),
                Shape::List(list) => {
                    // SAFETY: the function is the list's own.
                    let (start, len) = unsafe { (list.items)(start) };
                    ValueRef::List(ListRef { start, len, list, marker: PhantomData })
                }
            }
        }
    };
}
for_each_scalar!(define_slots);

impl<'a> RecordMut<'a> {
    pub fn new<T: Record>(record: &'a mut T) -> Self {
        RecordMut {
            start: (&raw mut *record).cast(),
            schema: T::SCHEMA,
            marker: PhantomData,
        }
    }

    /// Returns the record itself, if it has no fields.
    pub fn whole(&mut self) -> Option<&mut Json> {
        // SAFETY: a whole record is a `Json`.
        self.schema
            .whole
            .then(|| unsafe { &mut *self.start.cast::<Json>() })
    }
}

impl RecordMut<'_> {
    /// Takes the texts out of the record and its nested records, so that their memory can be reused.
    pub fn take_texts(&mut self, into: &mut Vec<String>) {
        for index in 0..self.schema.fields.len() {
            match self.slot(index) {
                Slot::String(text) => into.extend(text.take()),
                Slot::Record(slot) => {
                    if let Some(mut record) = slot.there() {
                        record.take_texts(into);
                    }
                }
                Slot::List(slot) => {
                    if let Some(mut list) = slot.there() {
                        list.take_texts(into);
                    }
                }
                _ => {}
            }
        }
    }
}

impl ListMut<'_> {
    fn take_texts(&mut self, into: &mut Vec<String>) {
        match self.list.item {
            // SAFETY: the shape is that of the items, and `self` is borrowed as long as they are.
            Shape::String => into.append(unsafe { &mut *self.start.cast::<Vec<String>>() }),
            shape @ (Shape::Record(_) | Shape::Boxed(_)) => {
                self.each(|item| record_at(shape, item).take_texts(into));
            }
            Shape::List(list) => self.each(|start| {
                let marker = PhantomData;
                ListMut {
                    start,
                    list,
                    marker,
                }
                .take_texts(into);
            }),
            _ => {}
        }
    }

    fn each(&mut self, mut item: impl FnMut(*mut u8)) {
        // SAFETY: the function is the list's own; the items are contiguous.
        unsafe {
            let (start, len) = (self.list.items_mut)(self.start);
            (0..len).for_each(|index| item(start.add(index * self.list.stride)));
        }
    }
}

/// A field that can hold a nested record.
pub(crate) struct RecordSlot<'a> {
    start: *mut u8,
    ty: &'static FieldType,
    marker: PhantomData<&'a mut ()>,
}

impl<'a> RecordSlot<'a> {
    pub fn is_some(&self) -> bool {
        // SAFETY: the function is the field's own.
        !unsafe { (self.ty.get)(self.start) }.is_null()
    }

    /// Returns the existing record.
    pub fn there(self) -> Option<RecordMut<'a>> {
        // SAFETY: the function is the field's own.
        let value = unsafe { (self.ty.get_mut)(self.start) };
        (!value.is_null()).then(|| record_at(self.ty.shape, value))
    }

    /// Puts an empty record into the field. The template must be that of the field's record: the
    /// reader takes both from the same schema.
    pub fn fill(self, template: &Template) -> RecordMut<'a> {
        // SAFETY: the function is the field's own, the template that of its record.
        let value = unsafe { (self.ty.fill)(self.start, template.start()) };
        record_at(self.ty.shape, value)
    }
}

fn record_at<'a>(shape: Shape, value: *mut u8) -> RecordMut<'a> {
    let (start, schema) = match shape {
        Shape::Record(schema) => (value, schema()),
        // SAFETY: a box is a pointer to its value.
        Shape::Boxed(schema) => (unsafe { *value.cast::<*mut u8>() }, schema()),
        _ => (value, &EMPTY),
    };
    RecordMut {
        start,
        schema,
        marker: PhantomData,
    }
}

/// The schema used where no record can be.
static EMPTY: RecordSchema = RecordSchema::new::<()>("", &[], &[]);

/// A field that can hold a list.
pub(crate) struct ListSlot<'a> {
    start: *mut u8,
    ty: &'static FieldType,
    list: &'static ListType,
    marker: PhantomData<&'a mut ()>,
}

impl<'a> ListSlot<'a> {
    pub fn is_some(&self) -> bool {
        // SAFETY: the function is the field's own.
        !unsafe { (self.ty.get)(self.start) }.is_null()
    }

    /// Returns the existing list.
    fn there(self) -> Option<ListMut<'a>> {
        // SAFETY: the function is the field's own.
        let start = unsafe { (self.ty.get_mut)(self.start) };
        (!start.is_null()).then_some(ListMut {
            start,
            list: self.list,
            marker: PhantomData,
        })
    }

    /// Puts an empty list into the field.
    pub fn fill(self) -> ListMut<'a> {
        ListMut {
            // SAFETY: the function is the field's own; a list needs no template.
            start: unsafe { (self.ty.fill)(self.start, std::ptr::null()) },
            list: self.list,
            marker: PhantomData,
        }
    }
}

/// A list to fill.
pub(crate) struct ListMut<'a> {
    start: *mut u8,
    list: &'static ListType,
    marker: PhantomData<&'a mut ()>,
}

/// A list of records or of lists to fill.
pub(crate) struct PushMut<'a> {
    start: *mut u8,
    list: &'static ListType,
    marker: PhantomData<&'a mut ()>,
}

impl PushMut<'_> {
    /// Adds an empty record; the template must be that of the list's records.
    pub fn record(&mut self, template: &Template) -> RecordMut<'_> {
        // SAFETY: the function is the list's own, the template that of its records.
        let value = unsafe { (self.list.push)(self.start, template.start()) };
        record_at(self.list.item, value)
    }

    /// Adds an empty list.
    pub fn list(&mut self) -> Option<ListMut<'_>> {
        let Shape::List(list) = self.list.item else {
            return None;
        };
        Some(ListMut {
            // SAFETY: the function is the list's own; a list needs no template.
            start: unsafe { (self.list.push)(self.start, std::ptr::null()) },
            list,
            marker: PhantomData,
        })
    }
}

/// A record.
#[derive(Clone, Copy)]
pub(crate) struct RecordRef<'a> {
    start: *const u8,
    schema: &'static RecordSchema,
    marker: PhantomData<&'a ()>,
}

impl<'a> RecordRef<'a> {
    pub fn new<T: Record>(record: &'a T) -> Self {
        RecordRef {
            start: (&raw const *record).cast(),
            schema: T::SCHEMA,
            marker: PhantomData,
        }
    }

    pub fn schema(&self) -> &'static RecordSchema {
        self.schema
    }

    /// Returns the record itself, if it has no fields.
    pub fn whole(&self) -> Option<&'a Json> {
        // SAFETY: a whole record is a `Json`, and it outlives `'a`.
        self.schema
            .whole
            .then(|| unsafe { &*self.start.cast::<Json>() })
    }
}

/// A list of a record.
#[derive(Clone, Copy)]
pub(crate) struct ListRef<'a> {
    start: *const u8,
    len: usize,
    list: &'static ListType,
    marker: PhantomData<&'a ()>,
}

impl<'a> ListRef<'a> {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns the item number `index`; `Null` beyond the end.
    pub fn get(&self, index: usize) -> ValueRef<'a> {
        if index >= self.len {
            return ValueRef::Null;
        }
        // SAFETY: the item exists and has that shape.
        unsafe { value_at(self.list.item, self.start.add(index * self.list.stride)) }
    }
}

impl FieldType {
    pub(super) const fn new<T: Value>() -> Self {
        FieldType {
            shape: T::SHAPE,
            none: none::<T>,
            get: get::<T>,
            get_mut: get_mut::<T>,
            fill: fill::<T>,
        }
    }
}

impl ListType {
    pub(super) const fn new<T: Value>() -> Self {
        ListType {
            item: T::SHAPE,
            stride: mem::size_of::<T>(),
            push: push::<T>,
            items: items::<T>,
            items_mut: items_mut::<T>,
        }
    }
}
