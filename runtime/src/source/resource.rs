//! The declaration of one resource.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::change::ChangesOf;
use super::child::{ChildRequest, ParamValue, SliceRequest};
use super::embedded::Embedded;
use super::format::Format;
use crate::cursor::{Cursor, CursorSpec};
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Auth, Client, Method, Request, StatusRule};
use crate::page::{Pager, Paginator, Position};
use crate::record::{AnyField, FieldPath, IntoKey, Lookup, Record, Row, parse_path};
use crate::schema::{Contract, Deletes, Disposition};
use crate::settings::flag;

/// One collection of an API: its path, paging and key, and the owner's changes to its records. The
/// declaration starts with [`RecordExt::list`](super::RecordExt::list) or
/// [`RecordExt::single`](super::RecordExt::single).
///
/// ```
/// use etlgen_runtime::prelude::*;
///
/// #[derive(Record)]
/// struct Order {
///     id: Option<i64>,
///     total: Option<Decimal>,
/// }
///
/// fn orders() -> Resource<Order> {
///     Order::list("orders", "/orders")
///         .records("data")
///         .primary_key(Order::ID)
///         .paginate(Paginator::page_number("page"))
///         .filter(|order| order.total.is_some())
/// }
/// # let _ = orders();
/// ```
pub struct Resource<T> {
    pub(crate) spec: ResourceSpec,
    pub(crate) cursor: Option<FieldPath<T>>,
    /// The owner's closures, in order.
    pub(crate) steps: Vec<RowStep<T>>,
}

pub(crate) type RowStep<T> = Box<dyn Fn(Row<T>) -> Option<Row<T>> + Send + Sync>;

/// A resource without its record's type.
pub(crate) struct ResourceSpec {
    pub name: String,
    /// Its earlier name.
    pub renamed_from: Option<String>,
    pub method: Method,
    pub path: String,
    /// Fixed path parameters.
    pub path_values: BTreeMap<String, String>,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Option<serde_json::Value>,
    /// The credentials that replace the source's.
    pub auth: Option<Auth>,
    /// Whether it is one object, not a list.
    pub single: bool,
    /// Keys from the body to the records; empty if the body is the array.
    pub records: Vec<String>,
    /// Keys of each field of the primary key.
    pub primary_key: Vec<Vec<String>>,
    pub format: Format,
    pub paginator: Pager,
    pub embedded: Vec<Embedded>,
    pub cursor: Option<CursorSpec>,
    pub parent: Option<ParentLink>,
    /// Whether the key identifies a record only among those of one parent.
    pub within_parent: bool,
    /// A parameter or a setting without a value.
    pub missing: Option<String>,
    /// The name of its source, with which the names of environment variables begin; empty outside
    /// of a source.
    pub source: String,
    /// The mistake in the value of a parameter.
    pub wrong: Option<String>,
    /// Why a run leaves it out unless it is named.
    pub off: Option<String>,
    /// Whether a response without the list of records is an empty page.
    pub absent_is_empty: bool,
    /// The lists within its records that are whole, whatever their objects say.
    pub whole_lists: Vec<String>,
    /// Why its rows may not be all of them, however its lists end.
    pub unsure: Option<String>,
    pub disposition: Option<Disposition>,
    pub deletes: Deletes,
    /// The field that marks a record as deleted.
    pub tombstone: Option<Lookup>,
    /// The changes to other resources that its records report.
    pub changes: Vec<ChangesOf>,
    /// For a feed, how far back it goes.
    pub reach: Option<Duration>,
    pub contract: Option<Contract>,
    /// The rules for certain statuses.
    pub on_status: Arc<BTreeMap<u16, StatusRule>>,
}

/// Fills the request of a child from a parent's record and the request that returned the record.
pub(crate) type LinkFn = dyn Fn(&dyn Any, &SliceRequest) -> ChildRequest + Send + Sync;

/// The source of a child's parameters.
pub(crate) struct ParentLink {
    pub resource: String,
    pub record_type: TypeId,
    pub record_name: &'static str,
    /// Fills the request from a parent's record, which is of `record_type`.
    pub link: Arc<LinkFn>,
    /// Whether a run reads only the slices of records that the parent returns in that run.
    pub changed_only: bool,
}

impl<T: Record> Resource<T> {
    pub(super) fn new(name: &str, path: &str, single: bool) -> Self {
        let spec = ResourceSpec {
            name: name.to_owned(),
            renamed_from: None,
            method: Method::Get,
            path: path.to_owned(),
            path_values: BTreeMap::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            auth: None,
            single,
            records: Vec::new(),
            primary_key: Vec::new(),
            format: Format::Json,
            paginator: Pager::from(Paginator::single()),
            embedded: Vec::new(),
            cursor: None,
            parent: None,
            within_parent: false,
            missing: None,
            source: String::new(),
            wrong: None,
            off: None,
            absent_is_empty: false,
            whole_lists: Vec::new(),
            unsure: None,
            disposition: None,
            deletes: Deletes::Keep,
            tombstone: None,
            changes: Vec::new(),
            reach: None,
            contract: None,
            on_status: Arc::default(),
        };
        Resource {
            spec,
            cursor: None,
            steps: Vec::new(),
        }
    }

    /// Sets an earlier name of the resource: its tables and state move to the new name. A resource
    /// that was only renamed, and sends the same requests as before, is recognised without it.
    pub fn renamed_from(mut self, name: &str) -> Self {
        self.spec.renamed_from = Some(name.to_owned());
        self
    }

    /// Reads the list with POST.
    pub fn post(mut self) -> Self {
        self.spec.method = Method::Post;
        self
    }

    /// Sets the JSON body of every request; [`Resource::body_text`], [`Resource::body_number`] and
    /// [`Resource::body_bool`] add fields to it.
    pub fn body(mut self, body: serde_json::Value) -> Self {
        self.spec.body = Some(body);
        self
    }

    /// Fills `{name}` in the path. Without a value, reading the resource is an error that names the
    /// parameter.
    pub fn path(mut self, name: &str, value: impl ParamValue) -> Self {
        if let Some(value) = self.value(name, value) {
            self.spec.path_values.insert(name.to_owned(), value);
        }
        self
    }

    /// Adds a query parameter to every request.
    pub fn query(mut self, name: &str, value: impl ParamValue) -> Self {
        if let Some(value) = self.value(name, value) {
            self.spec.query.push((name.to_owned(), value));
        }
        self
    }

    /// Adds a header to every request.
    pub fn header(mut self, name: &str, value: impl ParamValue) -> Self {
        if let Some(value) = self.value(name, value) {
            self.spec.headers.push((name.to_owned(), value));
        }
        self
    }

    /// Sets credentials that replace the source's; several calls add up. `setting` holds them:
    /// without a value, reading the resource is an error that names the setting.
    pub fn auth(mut self, setting: &str, auth: Option<Auth>) -> Self {
        let known = self.spec.auth.take().unwrap_or_default();
        match auth {
            Some(auth) => self.spec.auth = Some(known.and(auth)),
            None => {
                self.spec.auth = Some(known);
                self.spec.missing.get_or_insert_with(|| setting.to_owned());
            }
        }
        self
    }

    pub(super) fn value(&mut self, name: &str, value: impl ParamValue) -> Option<String> {
        let text = value.text().filter(|text| !text.is_empty());
        if text.is_none() {
            self.spec.missing.get_or_insert_with(|| name.to_owned());
        }
        text
    }

    /// Sets the dotted path of the records in the body; without it, the body itself is the array.
    pub fn records(mut self, path: &str) -> Self {
        self.spec.records = parse_path(path);
        self
    }

    /// Declares that the response has one JSON value per line (NDJSON, JSON Lines, JSON text
    /// sequences), each of them a record.
    pub fn ndjson(mut self) -> Self {
        self.spec.format = Format::Lines;
        self
    }

    /// Declares that the response is CSV with a header line; the delimiter is the most frequent of
    /// comma, semicolon and tab in that line. The field determines the type of a value: `7` is a
    /// number for an `i64`. An empty cell has no value. Blanks around a name of the header do not
    /// count, a name that stands there twice is an error, and a line that repeats the header is no
    /// record.
    #[cfg(feature = "csv")]
    pub fn csv(mut self) -> Self {
        self.spec.format = Format::Csv;
        self
    }

    /// Sets the field, or the fields together, that identify a record; records with the same key
    /// are one record.
    pub fn primary_key(mut self, key: impl IntoKey<T>) -> Self {
        let fields = key.into_key().into_iter();
        self.spec.primary_key = fields.map(|field| field.keys().to_vec()).collect();
        self
    }

    /// Declares that the primary key identifies a record only among those of one parent (a commit
    /// may be in two repositories).
    pub fn within_parent(mut self) -> Self {
        self.spec.within_parent = true;
        self
    }

    /// Sets how the list is paged.
    pub fn paginate(mut self, paginator: impl Into<Paginator>) -> Self {
        self.spec.paginator = Pager::from(paginator);
        self
    }

    /// Adds a list within each record of which the API sends only the first page: its other pages
    /// are read as well.
    pub fn embedded(mut self, list: Embedded) -> Self {
        self.spec.embedded.push(list);
        self
    }

    /// Sets the incremental cursor of the list.
    pub fn incremental(mut self, cursor: Cursor<T>) -> Self {
        self.cursor = Some(cursor.field);
        self.spec.cursor = Some(cursor.spec);
        self
    }

    /// Sets how new rows are combined with existing ones. The default is merge with a primary key,
    /// append with only an incremental cursor, and replace otherwise.
    pub fn write(mut self, disposition: Disposition) -> Self {
        self.spec.disposition = Some(disposition);
        self
    }

    /// Sets what happens to records that the API no longer has. By default, they stay.
    ///
    /// Only a pass of a resource that is merged by its key and read in full, to a proved end, shows
    /// deletions: a run with `--since`, `--until` or `--limit`, one with a failed slice, or one
    /// whose cursor requests only changes deletes nothing. The rows of a child are deleted with
    /// those of its parent.
    pub fn deletes(mut self, deletes: Deletes) -> Self {
        self.spec.deletes = deletes;
        self
    }

    /// Sets the field that marks a record as deleted: a flag that is true, or the time of the
    /// deletion. Such a record is marked or removed, as [`Resource::deletes`] says, even if a
    /// cursor requests only changes; with [`Deletes::Keep`] it is an ordinary record.
    pub fn tombstone(mut self, field: impl Into<AnyField<T>>) -> Self {
        self.spec.tombstone = Some(field.into().lookup());
        self
    }

    /// Sets how its tables may change when the API sends data that the struct does not declare. The
    /// default is the contract of the source.
    pub fn contract(mut self, contract: Contract) -> Self {
        self.spec.contract = Some(contract);
        self
    }

    /// Sets the rule for a status, in place of the default: 408, 425, 429 and 5xx are retried, the
    /// list of a deleted parent (404) is left out and counted, everything else fails.
    pub fn on_status(mut self, status: u16, rule: StatusRule) -> Self {
        Arc::make_mut(&mut self.spec.on_status).insert(status, rule);
        self
    }

    /// Declares that the list exists once per record of `parent`; `link` fills the request from
    /// that record. Each row gets the parameters as columns, unless the record has fields of their
    /// names (a parameter `id` next to the record's own key becomes `campaigns_id`). Parents that
    /// the owner's filters drop have no children.
    pub fn child_of<P: Record>(
        mut self,
        parent: &str,
        link: impl Fn(&P, ChildRequest) -> ChildRequest + Send + Sync + 'static,
    ) -> Self {
        self.spec.parent = Some(ParentLink {
            resource: parent.to_owned(),
            record_type: TypeId::of::<P>(),
            record_name: std::any::type_name::<P>(),
            link: Arc::new(move |record, request| {
                let request = ChildRequest::below(request);
                match record.downcast_ref::<P>() {
                    Some(record) => link(record, request),
                    None => request,
                }
            }),
            changed_only: false,
        });
        self
    }

    /// Reads the child only for parents that have changed, if the parent is read by its cursor. The
    /// default is all parents, because a list may change when its parent does not. Records that its
    /// lists no longer have stay.
    pub fn of_changed_parents(mut self) -> Self {
        if let Some(parent) = &mut self.spec.parent {
            parent.changed_only = true;
        }
        self
    }

    /// Leaves the resource out of runs that do not name it. Plans, reports and `resources` show it
    /// with the reason.
    ///
    /// The children of a resource that is off are off too. A run that names it reads it, and its
    /// parents for it.
    pub fn off(mut self, reason: &str) -> Self {
        self.spec.off = Some(reason.to_owned());
        self
    }

    /// Leaves the resource out of all runs, because its request cannot be sent: a run that names it
    /// fails for this reason.
    pub fn unsendable(mut self, reason: &str) -> Self {
        let wrong = format!("it cannot be requested: {reason}");
        self.spec.wrong.get_or_insert(wrong);
        self.off(reason)
    }

    /// Declares that a response without the list at [`Resource::records`] stands for an empty list:
    /// some APIs answer `{"message": "no members"}`. Such a list is *assumed* at best, and a response
    /// that says that it is an error still fails.
    pub fn list_may_be_absent(mut self) -> Self {
        self.spec.absent_is_empty = true;
        self
    }

    /// Declares that a list within the records is whole, although its own object seems to say that
    /// more follows: a `total` beside `items` that counts something else.
    pub fn whole_list(mut self, path: &str) -> Self {
        self.spec.whole_lists.push(path.to_owned());
        self
    }

    /// Declares why its rows may not be all of them, however its lists end: a run is *unproved*, and deletes nothing.
    pub fn unsure(mut self, reason: &str) -> Self {
        self.spec.unsure = Some(reason.to_owned());
        self
    }

    /// Changes every record.
    pub fn map(self, change: impl Fn(T) -> T + Send + Sync + 'static) -> Self {
        self.rows(move |row| {
            Some(Row {
                record: change(row.record),
                drift: row.drift,
            })
        })
    }

    /// Keeps the records for which `keep` is true.
    pub fn filter(self, keep: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.rows(move |row| keep(&row.record).then_some(row))
    }

    /// Changes or drops every record, together with its drift.
    pub fn rows(mut self, step: impl Fn(Row<T>) -> Option<Row<T>> + Send + Sync + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }
}

impl ResourceSpec {
    /// Returns how new rows are combined with existing ones.
    pub fn disposition(&self) -> Disposition {
        let incremental = self.cursor.as_ref().is_some_and(CursorSpec::is_incremental);
        match self.disposition {
            Some(disposition) => disposition,
            None if !self.primary_key.is_empty() => Disposition::Merge,
            None if incremental => Disposition::Append,
            None => Disposition::Replace,
        }
    }

    /// Returns whether a pass that was stopped at this position can continue there. A feed cannot:
    /// its earlier changes are not stored.
    pub fn keeps(&self, position: &Position) -> bool {
        self.paginator.keeps(position) && self.changes.is_empty()
    }

    /// Returns whether the list is left out if its first page has this status.
    pub fn skips(&self, status: u16) -> bool {
        match self.on_status.get(&status) {
            Some(rule) => *rule == StatusRule::Skip,
            None => status == 404 && self.parent.is_some(),
        }
    }

    /// Returns whether a slice cannot be requested: its parent has no value for it, or one that
    /// cannot be part of the path.
    pub fn refuses(&self, slice: &SliceRequest) -> bool {
        slice.lacks_a_value() || Request::refuses(&self.path, &slice.path)
    }

    /// Returns whether a key is that of one record, whatever parent it belongs to.
    pub fn is_keyed_globally(&self) -> bool {
        self.parent.is_some() && !self.primary_key.is_empty() && !self.within_parent
    }

    /// Returns whether a response with this status is an empty page by the owner's rule.
    pub fn is_empty(&self, status: u16) -> bool {
        self.on_status.get(&status) == Some(&StatusRule::Empty)
    }

    /// Returns which setting has no value, and what sets it; `None`: all that it needs have one.
    pub fn unset(&self) -> Option<(String, String)> {
        let name = self.missing.as_ref()?;
        let plain = name
            .to_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let variable = match self.source.as_str() {
            "" => String::new(),
            source => format!(
                " or the environment variable {}_{}",
                source
                    .to_uppercase()
                    .replace('-', "_")
                    .trim_start_matches('_'),
                plain.to_uppercase()
            ),
        };
        let settle = format!(
            "set --{}{variable} (`--help` lists all settings), or leave the resource out",
            flag(&plain)
        );
        Some((format!("no value for the setting `{name}`"), settle))
    }

    /// Returns the request of a slice's first page, without cursor and page parameters.
    pub fn first_request(&self, slice: &SliceRequest, client: &Client) -> Result<Request> {
        if let Some((what, settle)) = self.unset() {
            return Err(Error::new(ErrorKind::Usage, what)
                .at(format!("resource {}", self.name))
                .hint(settle));
        }
        if let Some(wrong) = &self.wrong {
            let place = format!("resource {}", self.name);
            return Err(Error::new(ErrorKind::Usage, wrong).at(place));
        }
        let parameters: Vec<(String, String)> = self
            .path_values
            .iter()
            .chain(&slice.path)
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        let mut request = Request::build(self.method, client.base(), &self.path, &parameters)?;
        for (name, value) in &self.query {
            request.set_query(name, value);
        }
        for (name, value) in &slice.query {
            request.set_query(name, value);
        }
        request.headers = self.headers.clone();
        request.rules = self.on_status.clone();
        let accepts = |(name, _): &(String, String)| name.eq_ignore_ascii_case("accept");
        if let Some(accept) = self.format.accept()
            && !request.headers.iter().any(accepts)
        {
            request
                .headers
                .push(("Accept".to_owned(), accept.to_owned()));
        }
        request.body = self.body.clone();
        request.auth = self.auth.clone();
        if self.method == Method::Post && request.body.is_none() {
            request.body = Some(serde_json::Value::Object(Default::default()));
        }
        Ok(request)
    }
}
