//! Incremental cursors: which field says how new a record is, and which parameter filters by it.

use std::time::Duration;

use crate::record::{CursorValue, FieldPath, Record, WireFormat};

/// How a resource is read incrementally.
///
/// A filter on the time of *creation* cannot see later changes: with [`Cursor::created`] a resource is read in full
/// each time and merged by key, unless [`Cursor::new_rows_only`] says that its records never change. A filter on the
/// time of the last *update* sees every change.
pub struct Cursor<T> {
    pub(crate) field: FieldPath<T>,
    pub(crate) spec: CursorSpec,
}

/// A cursor without its record's type.
#[derive(Clone)]
pub(crate) struct CursorSpec {
    /// The keys of its field.
    pub keys: Vec<String>,
    /// How its values are written in requests and in the state.
    pub format: WireFormat,
    pub meaning: Meaning,
    pub param: Option<String>,
    pub until: Option<String>,
    /// What the parameters hold; `{}` stands for the value.
    pub template: Option<String>,
    pub lookback: Duration,
    pub new_rows_only: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Created,
    Updated,
}

impl<T: Record> Cursor<T> {
    /// The field is the time at which the record was made.
    pub fn created(field: impl Into<FieldPath<T>>) -> Self {
        Cursor::new(field, Meaning::Created)
    }

    /// The field is the time of the last change, or another value that grows with every change.
    pub fn updated(field: impl Into<FieldPath<T>>) -> Self {
        Cursor::new(field, Meaning::Updated)
    }

    fn new(field: impl Into<FieldPath<T>>, meaning: Meaning) -> Self {
        let field = field.into();
        let spec = CursorSpec {
            keys: field.keys().to_vec(),
            format: field.wire_format(),
            meaning,
            param: None,
            until: None,
            template: None,
            lookback: Duration::ZERO,
            new_rows_only: false,
        };
        Cursor { field, spec }
    }

    /// The parameter that asks for records from a value on (`created[gte]`, `since`).
    pub fn param(mut self, name: &str) -> Self {
        self.spec.param = Some(name.to_owned());
        self
    }

    /// The parameter that asks for records up to a value (`created[lte]`, `until`).
    pub fn until(mut self, name: &str) -> Self {
        self.spec.until = Some(name.to_owned());
        self
    }

    /// What [`Cursor::param`] holds where it takes an expression: `updated>={}`, `greater-than(updated,{})`. `{}` stands
    /// for the value. An expression without equality wants a [`Cursor::lookback`] besides, or records of the same
    /// moment are missed.
    pub fn template(mut self, template: &str) -> Self {
        self.spec.template = Some(template.to_owned());
        self
    }

    /// Asks again for the records of that much time before the last value seen, for records that turn up late.
    pub fn lookback(mut self, time: Duration) -> Self {
        self.spec.lookback = time;
        self
    }

    /// Records never change once made: only those made since the last run are read.
    pub fn new_rows_only(mut self) -> Self {
        self.spec.new_rows_only = true;
        self
    }
}

impl CursorSpec {
    /// A value as the state, `--since` or `--until` hold it.
    pub fn parse(&self, text: &str) -> Option<CursorValue> {
        CursorValue::parse(self.format, text).ok()
    }

    /// A value as the lower bound's parameter takes it.
    pub fn bound(&self, value: &CursorValue) -> String {
        let value = value.to_string();
        match &self.template {
            Some(template) => template.replace("{}", &value),
            None => value,
        }
    }

    /// Whether a run reads only what is new since the last one.
    pub fn is_incremental(&self) -> bool {
        self.param.is_some() && (self.meaning == Meaning::Updated || self.new_rows_only)
    }
}
