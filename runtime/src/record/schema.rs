//! The static description of a record: what `#[derive(Record)]` writes down.

use std::any::TypeId;
use std::marker::PhantomData;
use std::mem;

use super::{Bytes, Date, Decimal, Dynamic, Json, Timestamp, UnixMillis, UnixTime, Uuid};

/// A record is aligned to that at most.
pub(crate) const ALIGN: usize = mem::align_of::<u128>();

/// Calls a macro with every scalar: the name of its variants, and its Rust type.
macro_rules! for_each_scalar {
    ($callback:ident) => {
        $callback! {
            /// UTF-8 text.
            String String,
            /// A whole number of 64 bits.
            Int i64,
            /// An IEEE double.
            Float f64,
            /// `true` or `false`.
            Bool bool,
            /// A point in time, as text.
            Timestamp Timestamp,
            /// A point in time, as seconds since 1970.
            UnixTime UnixTime,
            /// A point in time, as milliseconds since 1970.
            UnixMillis UnixMillis,
            /// A day.
            Date Date,
            /// An exact number.
            Decimal Decimal,
            /// A UUID.
            Uuid Uuid,
            /// Bytes, as base64.
            Bytes Bytes,
            /// Any JSON, loaded as one JSON column.
            Json Json,
            /// Any JSON, typed when it is loaded.
            Dynamic Dynamic,
        }
    };
}
pub(crate) use for_each_scalar;

/// A struct that `#[derive(Record)]` describes. Never implemented by hand.
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// #[record(drop("ssn"))]
/// struct Customer {
///     id: Option<String>,
///     #[record(key = "fullName", column = "name")]
///     full_name: Option<String>,
///     created: Option<Timestamp>,
/// }
///
/// let customers = Customer::list("customers", "/v1/customers").primary_key(Customer::ID);
/// ```
///
/// # Safety
/// `SCHEMA` must list every field of the struct with its true offset and type, and describe nothing else.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a record",
    note = "write `#[derive(Record)]` above the struct"
)]
pub unsafe trait Record: Sized + Send + 'static {
    /// The fields.
    const SCHEMA: &'static RecordSchema;
}

/// What may stand inside the `Option` of a field, or in its `Vec`.
///
/// # Safety
/// `SHAPE` must describe `Self`, and `fresh` must follow its contract.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a type that a record can hold",
    note = "it can hold String, i64, f64, bool, Timestamp, UnixTime, UnixMillis, Date, Decimal, Uuid, Bytes, Json, \
            Dynamic, a struct with `#[derive(Record)]`, a Box of such a struct, and a Vec of any of these"
)]
pub unsafe trait Value: Sized + Send + 'static {
    /// What the bytes of a `Self` are.
    const SHAPE: Shape;
    /// [`Ordered`] if it can serve as a key or a cursor.
    type Order;

    /// An empty value. Called for records, boxed records and lists only.
    ///
    /// # Safety
    /// For a record or a box of one, `template` points at an empty record of that type, none of whose fields owns
    /// memory.
    #[doc(hidden)]
    unsafe fn fresh(template: *const u8) -> Self {
        // SAFETY: the caller's promise; nothing is owned, so a bitwise copy is a value of its own.
        unsafe { template.cast::<Self>().read() }
    }
}

/// A type of a field: an `Option` of a [`Value`], as everything may be missing.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a field of a record",
    label = "every field is an `Option<..>`",
    note = "an API may leave out any value: write `Option<{Self}>`"
)]
pub trait FieldValue {
    /// How to get at it.
    const TYPE: &'static FieldType;
    /// [`Ordered`] if it can serve as a key or a cursor.
    type Order;
}

impl<T: Value> FieldValue for Option<T> {
    const TYPE: &'static FieldType = &FieldType::new::<T>();
    type Order = T::Order;
}

/// Marks a field whose values have an order: it can serve as a key or a cursor.
#[derive(Clone, Copy, Debug)]
pub struct Ordered;

/// Marks a field whose values have no order.
#[derive(Clone, Copy, Debug)]
pub struct Unordered;

/// Holds for a field whose values have an order.
#[diagnostic::on_unimplemented(
    message = "this field has no order, so it cannot be a key or a cursor",
    label = "the values of this field have no order",
    note = "a key or a cursor is a number, a text or a time"
)]
pub trait IsOrdered {}

impl IsOrdered for Ordered {}

macro_rules! define_shape {
    ($($(#[$doc:meta])* $name:ident $ty:ty,)*) => {
        /// What a value is.
        #[derive(Clone, Copy)]
        pub enum Shape {
            $($(#[$doc])* $name,)*
            /// A nested record.
            Record(fn() -> &'static RecordSchema),
            /// A nested record behind a pointer.
            Boxed(fn() -> &'static RecordSchema),
            /// A list.
            List(&'static ListType),
        }
    };
}
for_each_scalar!(define_shape);

macro_rules! ordered {
    (String) => {
        Ordered
    };
    (Int) => {
        Ordered
    };
    (Float) => {
        Ordered
    };
    (Timestamp) => {
        Ordered
    };
    (UnixTime) => {
        Ordered
    };
    (UnixMillis) => {
        Ordered
    };
    (Date) => {
        Ordered
    };
    (Decimal) => {
        Ordered
    };
    (Uuid) => {
        Ordered
    };
    ($other:ident) => {
        Unordered
    };
}
macro_rules! implement_value {
    ($($(#[$doc:meta])* $name:ident $ty:ty,)*) => {$(
        // SAFETY: the variant is the type's own.
        unsafe impl Value for $ty {
            const SHAPE: Shape = Shape::$name;
            type Order = ordered!($name);
        }
    )*};
}
for_each_scalar!(implement_value);

// SAFETY: a `Box<T>` is a pointer to a `T`; `fresh` boxes the copy of the template.
unsafe impl<T: Record> Value for Box<T> {
    const SHAPE: Shape = Shape::Boxed(schema_of::<T>);
    type Order = Unordered;

    unsafe fn fresh(template: *const u8) -> Self {
        // SAFETY: the caller's promise.
        Box::new(unsafe { template.cast::<T>().read() })
    }
}

// SAFETY: the operations are those of `Vec<T>`; an empty list needs no template.
unsafe impl<T: Value> Value for Vec<T> {
    const SHAPE: Shape = Shape::List(&ListType::new::<T>());
    type Order = Unordered;

    unsafe fn fresh(_: *const u8) -> Self {
        Vec::new()
    }
}

/// The schema of `T`, as a function: a table that holds functions may speak of itself.
#[doc(hidden)]
pub fn schema_of<T: Record>() -> &'static RecordSchema {
    T::SCHEMA
}

/// The fields of a record.
pub struct RecordSchema {
    /// The struct's name.
    pub name: &'static str,
    /// In the order of the struct.
    pub fields: &'static [FieldSchema],
    /// Keys that are never loaded.
    pub dropped: &'static [&'static str],
    pub(crate) size: usize,
    /// Tells the struct; a static may stand at several addresses.
    id: fn() -> TypeId,
    /// The record is a whole `Json`, which has no fields.
    pub(crate) whole: bool,
}

/// The records that such a value holds.
pub(crate) fn nested(shape: Shape) -> Option<&'static RecordSchema> {
    match shape {
        Shape::Record(schema) | Shape::Boxed(schema) => Some(schema()),
        Shape::List(ListType { item, .. }) => nested(*item),
        _ => None,
    }
}

impl RecordSchema {
    /// The schema of `T`; called by the derive.
    #[doc(hidden)]
    pub const fn new<T: 'static>(
        name: &'static str,
        fields: &'static [FieldSchema],
        dropped: &'static [&'static str],
    ) -> Self {
        assert!(mem::align_of::<T>() <= ALIGN);
        RecordSchema {
            name,
            fields,
            dropped,
            size: mem::size_of::<T>(),
            id: TypeId::of::<T>,
            whole: false,
        }
    }

    /// Whether both describe the same struct.
    pub(crate) fn is(&self, other: &RecordSchema) -> bool {
        (self.id)() == (other.id)()
    }

    /// The number of the field with that key.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.key == key)
    }
}

// SAFETY: a whole record has no fields; what reads and writes records asks `whole` first and then treats it as `Json`.
unsafe impl Record for Json {
    const SCHEMA: &'static RecordSchema = &RecordSchema {
        name: "Json",
        fields: &[],
        dropped: &[],
        size: mem::size_of::<Json>(),
        id: TypeId::of::<Json>,
        whole: true,
    };
}

/// One field of a record.
pub struct FieldSchema {
    /// Its key in JSON.
    pub key: &'static str,
    /// The column's name, where the owner chose one.
    pub column: Option<&'static str>,
    pub(crate) offset: usize,
    pub(crate) ty: &'static FieldType,
}

impl FieldSchema {
    /// A field; called by the derive.
    #[doc(hidden)]
    pub const fn new(key: &'static str, offset: usize, ty: &'static FieldType) -> Self {
        FieldSchema {
            key,
            column: None,
            offset,
            ty,
        }
    }

    /// The same with a column's name; called by the derive.
    #[doc(hidden)]
    pub const fn column(self, name: &'static str) -> Self {
        FieldSchema {
            column: Some(name),
            ..self
        }
    }

    /// What stands in it.
    pub fn shape(&self) -> Shape {
        self.ty.shape
    }
}

/// How to get at an `Option<T>`. The functions are used for records and lists; scalars are written once, here.
#[doc(hidden)]
pub struct FieldType {
    pub(crate) shape: Shape,
    /// Writes `None` to memory that holds nothing.
    pub(crate) none: unsafe fn(*mut u8),
    /// The value inside, or null.
    pub(crate) get: unsafe fn(*const u8) -> *const u8,
    /// The same, to be changed.
    pub(crate) get_mut: unsafe fn(*mut u8) -> *mut u8,
    /// Puts an empty value (made from the template) in place of `None`, and says where it is.
    pub(crate) fill: unsafe fn(*mut u8, *const u8) -> *mut u8,
}

/// How to get at a `Vec<T>`.
#[doc(hidden)]
pub struct ListType {
    pub(crate) item: Shape,
    pub(crate) stride: usize,
    /// Adds an empty value (made from the template), and says where it is.
    pub(crate) push: unsafe fn(*mut u8, *const u8) -> *mut u8,
    /// Where the items stand, and how many.
    pub(crate) items: unsafe fn(*const u8) -> (*const u8, usize),
    /// The same, to be changed.
    pub(crate) items_mut: unsafe fn(*mut u8) -> (*mut u8, usize),
}

impl ListType {
    /// What its items are.
    pub fn item(&self) -> Shape {
        self.item
    }
}

/// A field handle (`Customer::CREATED`): one field of `R`. `Order` is [`Ordered`] for a field that can serve as a key
/// or a cursor, else [`Unordered`].
pub struct Field<R, Order> {
    index: usize,
    marker: PhantomData<fn() -> (R, Order)>,
}

impl<R, Order> Field<R, Order> {
    /// The field number `index`; called by the derive.
    #[doc(hidden)]
    pub const fn new(index: usize) -> Self {
        Field {
            index,
            marker: PhantomData,
        }
    }

    /// Its number in the struct, from 0.
    pub fn index(self) -> usize {
        self.index
    }
}

impl<R: Record, Order> Field<R, Order> {
    /// Its key in JSON.
    pub fn key(self) -> &'static str {
        R::SCHEMA
            .fields
            .get(self.index)
            .map_or("", |field| field.key)
    }
}

impl<R, Order> Clone for Field<R, Order> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, Order> Copy for Field<R, Order> {}

impl<R: Record, Order> std::fmt::Debug for Field<R, Order> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", R::SCHEMA.name, self.key())
    }
}
