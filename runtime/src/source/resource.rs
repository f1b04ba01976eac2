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
use crate::page::{Pager, Paginator};
use crate::record::{AnyField, FieldPath, IntoKey, Lookup, Record, Row, parse_path};
use crate::schema::{Contract, Deletes, Disposition};

/// One collection of an API: where it is, how it is paged, what names its records, what its owner does to them. It begins
/// with [`RecordExt::list`](super::RecordExt::list) or [`RecordExt::single`](super::RecordExt::single).
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
    /// What it was called before.
    pub renamed_from: Option<String>,
    pub method: Method,
    pub path: String,
    /// Fixed path parameters.
    pub path_values: BTreeMap<String, String>,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: Option<serde_json::Value>,
    /// In place of the source's credentials.
    pub auth: Option<Auth>,
    /// One object, not a list.
    pub single: bool,
    /// Keys from the body to the records; empty: the body is the array.
    pub records: Vec<String>,
    /// Keys of each field of the primary key.
    pub primary_key: Vec<Vec<String>>,
    pub format: Format,
    pub paginator: Pager,
    pub embedded: Vec<Embedded>,
    pub cursor: Option<CursorSpec>,
    pub parent: Option<ParentLink>,
    /// The key names a record only among those of one parent.
    pub within_parent: bool,
    /// A parameter or a setting for which there is no value.
    pub missing: Option<String>,
    /// Why a run leaves it out unless it is named.
    pub off: Option<String>,
    pub disposition: Option<Disposition>,
    pub deletes: Deletes,
    /// Says that a record is gone.
    pub tombstone: Option<Lookup>,
    /// What its records say of other resources.
    pub changes: Vec<ChangesOf>,
    /// How far back it reaches, for a feed.
    pub reach: Option<Duration>,
    pub contract: Option<Contract>,
    /// What is done about certain statuses.
    pub on_status: Arc<BTreeMap<u16, StatusRule>>,
}

/// Fills the request of a child from a parent's record and the request that the record came with.
pub(crate) type LinkFn = dyn Fn(&dyn Any, &SliceRequest) -> ChildRequest + Send + Sync;

/// Where the parameters of a child come from.
pub(crate) struct ParentLink {
    pub resource: String,
    pub record_type: TypeId,
    pub record_name: &'static str,
    /// Fills the request from a parent's record, which is of `record_type`.
    pub link: Arc<LinkFn>,
    /// Only the slices of records that the parent shows in a run are read in it.
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
            off: None,
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

    /// It had that name before: its tables and its state there become those of this one. A resource that only got
    /// another name, and asks for the same as before, is found without it.
    pub fn renamed_from(mut self, name: &str) -> Self {
        self.spec.renamed_from = Some(name.to_owned());
        self
    }

    /// The list is read with POST.
    pub fn post(mut self) -> Self {
        self.spec.method = Method::Post;
        self
    }

    /// The JSON body of every request.
    pub fn body(mut self, body: serde_json::Value) -> Self {
        self.spec.body = Some(body);
        self
    }

    /// Fills `{name}` in the path. Without a value the resource cannot be read, and says so when it is.
    pub fn path(mut self, name: &str, value: impl ParamValue) -> Self {
        if let Some(value) = self.value(name, value) {
            self.spec.path_values.insert(name.to_owned(), value);
        }
        self
    }

    /// A query parameter of every request.
    pub fn query(mut self, name: &str, value: impl ParamValue) -> Self {
        if let Some(value) = self.value(name, value) {
            self.spec.query.push((name.to_owned(), value));
        }
        self
    }

    /// A header of every request.
    pub fn header(mut self, name: &str, value: impl ParamValue) -> Self {
        if let Some(value) = self.value(name, value) {
            self.spec.headers.push((name.to_owned(), value));
        }
        self
    }

    /// Credentials of its own, in place of the source's; said more than once, they go along. `setting` is what
    /// holds them: without a value the resource cannot be read, and says so when it is.
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

    fn value(&mut self, name: &str, value: impl ParamValue) -> Option<String> {
        let text = value.text().filter(|text| !text.is_empty());
        if text.is_none() {
            self.spec.missing.get_or_insert_with(|| name.to_owned());
        }
        text
    }

    /// Where the records stand in the body, as a dotted path; without it the body itself is the array.
    pub fn records(mut self, path: &str) -> Self {
        self.spec.records = parse_path(path);
        self
    }

    /// The answer is one JSON value a line (NDJSON, JSON Lines, JSON text sequences), each of them a record.
    pub fn ndjson(mut self) -> Self {
        self.spec.format = Format::Lines;
        self
    }

    /// The answer is CSV with a line of names; the delimiter is a comma, a semicolon or a tab, whichever that line has
    /// most of. A value is what its field says: `7` is a number for an `i64`. Where nothing stands, there is no value.
    #[cfg(feature = "csv")]
    pub fn csv(mut self) -> Self {
        self.spec.format = Format::Csv;
        self
    }

    /// The field that names a record, or the fields that do so together; records with the same key are one.
    pub fn primary_key(mut self, key: impl IntoKey<T>) -> Self {
        let fields = key.into_key().into_iter();
        self.spec.primary_key = fields.map(|field| field.keys().to_vec()).collect();
        self
    }

    /// The primary key names a record only among those of one parent (a commit may stand in two repositories).
    pub fn within_parent(mut self) -> Self {
        self.spec.within_parent = true;
        self
    }

    /// How the list is paged.
    pub fn paginate(mut self, paginator: impl Into<Paginator>) -> Self {
        self.spec.paginator = Pager::from(paginator);
        self
    }

    /// A list within each record of which the API sends only the beginning: the rest is read as well.
    pub fn embedded(mut self, list: Embedded) -> Self {
        self.spec.embedded.push(list);
        self
    }

    /// How the list is read incrementally.
    pub fn incremental(mut self, cursor: Cursor<T>) -> Self {
        self.cursor = Some(cursor.field);
        self.spec.cursor = Some(cursor.spec);
        self
    }

    /// How new rows meet old ones; unless said: merge with a primary key, append with an incremental cursor alone,
    /// else replace.
    pub fn write(mut self, disposition: Disposition) -> Self {
        self.spec.disposition = Some(disposition);
        self
    }

    /// What becomes of records that the API has no more; unless said, they stay.
    ///
    /// Only a resource that is merged by its key and read in full, to a proved end, shows what is gone: nothing is done
    /// by a run with `--since`, `--until` or `--limit`, by one in which a slice failed, or where a cursor asks only for
    /// what has changed. The rows of a child go with those of its parent.
    pub fn deletes(mut self, deletes: Deletes) -> Self {
        self.spec.deletes = deletes;
        self
    }

    /// The field that says that a record is gone: a flag that is true, or the time at which it went. Such a record is
    /// marked or removed, as [`Resource::deletes`] says, also where a cursor asks only for what has changed; with
    /// [`Deletes::Keep`] it is a record like any other.
    pub fn tombstone(mut self, field: impl Into<AnyField<T>>) -> Self {
        self.spec.tombstone = Some(field.into().lookup());
        self
    }

    /// What may become of its tables when the API sends more than the struct says; unless said, what the source says.
    pub fn contract(mut self, contract: Contract) -> Self {
        self.spec.contract = Some(contract);
        self
    }

    /// What is done when the API answers with that status, where that is not what is done anyway: 408, 425, 429 and
    /// 5xx are retried, the list of a parent that is gone (404) is left out and counted, everything else fails.
    pub fn on_status(mut self, status: u16, rule: StatusRule) -> Self {
        Arc::make_mut(&mut self.spec.on_status).insert(status, rule);
        self
    }

    /// The list exists once per record of `parent`; `link` fills the request from that record. Each row gets the
    /// parameters as columns, unless the record has fields of their names (a parameter `id` beside the record's own
    /// key becomes `campaigns_id`). Parents that the owner's filters drop have no children.
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

    /// A child of a parent that is read by its cursor is read only for the parents that have changed; unless said, for
    /// all, since a list may change when its parent does not. What is gone from its lists stays.
    pub fn of_changed_parents(mut self) -> Self {
        if let Some(parent) = &mut self.spec.parent {
            parent.changed_only = true;
        }
        self
    }

    /// Leaves the resource out of a run that does not name it: it is not part of what the run promises. Plans, reports
    /// and `resources` name it with the reason.
    ///
    /// The children of a resource that is off are off too. One that is named is read, and its parents for it.
    pub fn off(mut self, reason: &str) -> Self {
        self.spec.off = Some(reason.to_owned());
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

    /// Changes or drops every record, with what the API sent beyond its struct.
    pub fn rows(mut self, step: impl Fn(Row<T>) -> Option<Row<T>> + Send + Sync + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }
}

impl ResourceSpec {
    /// How new rows meet old ones.
    pub fn disposition(&self) -> Disposition {
        let incremental = self.cursor.as_ref().is_some_and(CursorSpec::is_incremental);
        match self.disposition {
            Some(disposition) => disposition,
            None if !self.primary_key.is_empty() => Disposition::Merge,
            None if incremental => Disposition::Append,
            None => Disposition::Replace,
        }
    }

    /// Whether a killed pass can go on where it stopped. What a feed has said before is not remembered.
    pub fn can_resume(&self) -> bool {
        self.paginator.can_resume() && self.changes.is_empty()
    }

    /// Whether the list is left out when its first page is answered with that status.
    pub fn skips(&self, status: u16) -> bool {
        match self.on_status.get(&status) {
            Some(rule) => *rule == StatusRule::Skip,
            None => status == 404 && self.parent.is_some(),
        }
    }

    /// The request of a slice's first page, without cursor and page parameters.
    pub fn first_request(&self, slice: &SliceRequest, client: &Client) -> Result<Request> {
        if let Some(name) = &self.missing {
            let message = format!("there is no value for `{name}`");
            return Err(Error::new(ErrorKind::Usage, message)
                .at(format!("resource {}", self.name))
                .hint(
                    "give the setting a value (`--help` lists them), or leave the resource out",
                ));
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
