//! The data of a generated crate's tests: records from the document's examples, and a made-up
//! exchange of a few pages.

use etlgen_model::{
    LastId, LinkHeader, Offset, PageNumber, PageSize, Paginator, ResponsePath, Token, Total,
};
use serde_json::{Map, Value, json};

use super::embedded::goes_on;
use super::{
    BodyType, FieldRef, ParameterPlace, ParameterValue, Resource, Setting, Struct, Type, path,
};
use crate::spec::api::Operation;

/// The most examples of a resource.
const EXAMPLES: usize = 10;

/// Returns the records in the examples of an operation's response.
pub fn examples(operation: &Operation, records: &[String]) -> Vec<Value> {
    let examples = operation
        .response
        .iter()
        .flat_map(|response| &response.examples);
    let mut out = Vec::new();
    for example in examples {
        let mut at = example;
        for key in records {
            at = &at[key];
        }
        match at {
            Value::Array(items) => {
                out.extend(items.iter().filter(|item| item.is_object()).cloned())
            }
            Value::Object(_) => out.push(at.clone()),
            _ => {}
        }
    }
    out.truncate(EXAMPLES);
    out
}

/// Returns an exchange to replay: two records, and the proof of the end. It is `None` if the
/// resource has a parent or credentials of its own, lacks a setting, cannot be requested, or its paging is undecided.
pub fn exchange(
    resource: &Resource,
    record: Option<&Struct>,
    settings: &[Setting],
) -> Option<Value> {
    // A recorded request is compared as text, which JSON in a parameter may not be.
    let paginator = &resource.paginator;
    let within = paginator.in_json().or(paginator.in_pairs()).is_some();
    if resource.parent.is_some() || resource.auth.is_some() || resource.unsendable || within {
        return None;
    }
    let key = resource.key.last().map(|field| key_of(field, record));
    let [first, second] = records(resource, record, key.as_deref())?;
    let asked = Asked::new(resource, settings)?;
    let paginator = &resource.paginator;
    let page = |records: &[&Value], left: u64, next: Option<Value>| {
        body(resource, paginator, records, left, next)
    };
    let pages = match paginator {
        Paginator::Undecided => return None,
        Paginator::Single if resource.single => vec![asked.answer(&[], first.clone(), &[])],
        Paginator::Single => vec![asked.answer(&[], page(&[&first, &second], 0, None)?, &[])],
        Paginator::LastId(LastId { param, field, .. }) => {
            let field = field.clone().or(key)?;
            let last = |record: &Value| text_at(record, &field);
            let mut pages = vec![
                asked.answer(&[], page(&[&first], 1, None)?, &[]),
                asked.answer(&[(param, last(&first)?)], page(&[&second], 0, None)?, &[]),
            ];
            if paginator.more().is_none() {
                pages.push(asked.answer(&[(param, last(&second)?)], page(&[], 0, None)?, &[]));
            }
            pages
        }
        Paginator::PageNumber(PageNumber {
            param,
            first: start,
            ..
        }) => {
            let number = |pages: u64| (start + pages).to_string();
            let mut pages = vec![
                asked.answer(&[(param, number(0))], page(&[&first], 1, None)?, &[]),
                asked.answer(&[(param, number(1))], page(&[&second], 0, None)?, &[]),
            ];
            // A reached total alone does not prove the end if the last page is as long as the one
            // before.
            if paginator.more().is_none() {
                pages.push(asked.answer(&[(param, number(2))], page(&[], 0, None)?, &[]));
            }
            pages
        }
        Paginator::Offset(Offset {
            param,
            first: start,
            ..
        }) => {
            let mut pages = vec![
                asked.answer(&[], page(&[&first], 1, None)?, &[]),
                asked.answer(
                    &[(param, (start + 1).to_string())],
                    page(&[&second], 0, None)?,
                    &[],
                ),
            ];
            if paginator.more().is_none() {
                pages.push(asked.answer(
                    &[(param, (start + 2).to_string())],
                    page(&[], 0, None)?,
                    &[],
                ));
            }
            pages
        }
        Paginator::Token(Token {
            param,
            next: ResponsePath::Body(_),
            first: start,
            ..
        }) => vec![
            asked.answer(
                &started(param, start),
                page(&[&first], 1, Some(json!("token-2")))?,
                &[],
            ),
            asked.answer(
                &[(param, "token-2".to_owned())],
                page(&[&second], 0, Some(Value::Null))?,
                &[],
            ),
        ],
        Paginator::Token(Token {
            param,
            next: ResponsePath::Header(header),
            first: start,
            ..
        }) => vec![
            asked.answer(
                &started(param, start),
                page(&[&first], 1, None)?,
                &[(header, "token-2".to_owned())],
            ),
            asked.answer(
                &[(param, "token-2".to_owned())],
                page(&[&second], 0, None)?,
                &[],
            ),
        ],
        Paginator::LinkHeader(LinkHeader {
            param,
            first: start,
            ..
        }) => {
            let link = format!("<http://localhost{}?page=2>; rel=\"next\"", asked.path);
            let begun: Vec<_> = param.iter().map(|it| (it, start.to_string())).collect();
            vec![
                asked.answer(&begun, page(&[&first], 1, None)?, &[("link", link)]),
                asked.linked(page(&[&second], 0, None)?),
            ]
        }
        Paginator::NextUrl(_) => {
            let url = format!("http://localhost{}?page=2", asked.path);
            vec![
                asked.answer(&[], page(&[&first], 1, Some(json!(url)))?, &[]),
                asked.linked(page(&[&second], 0, Some(Value::Null))?),
            ]
        }
    };
    Some(Value::Array(pages))
}

/// Returns the parameter of a first page that is requested with a token.
fn started<'a>(param: &'a String, token: &Option<String>) -> Vec<(&'a String, String)> {
    token.iter().map(|token| (param, token.clone())).collect()
}

/// The parts that the requests of all pages share.
struct Asked<'a> {
    resource: &'a Resource,
    path: String,
    query: Vec<String>,
    /// The fields of the body.
    fields: Map<String, Value>,
}

impl<'a> Asked<'a> {
    fn new(resource: &'a Resource, settings: &[Setting]) -> Option<Self> {
        let mut path = resource.path.clone();
        let (mut query, mut fields) = (Vec::new(), Map::new());
        for parameter in &resource.parameters {
            let value = match &parameter.value {
                ParameterValue::Fixed(value) => value.clone(),
                ParameterValue::Json(value) => {
                    fields.insert(parameter.name.clone(), value.clone());
                    continue;
                }
                ParameterValue::Setting(ident) => {
                    let setting = settings.iter().find(|setting| setting.ident == *ident)?;
                    match (&setting.default, setting.optional) {
                        (Some(default), _) => default.clone(),
                        (None, false) => "placeholder".to_owned(),
                        (None, true) => return None,
                    }
                }
            };
            match parameter.place {
                ParameterPlace::Path => {
                    path = path.replace(&format!("{{{}}}", parameter.name), &value)
                }
                ParameterPlace::Query => query.push(format!("{}={value}", parameter.name)),
                ParameterPlace::Header => {}
                ParameterPlace::Body(BodyType::Text) => {
                    fields.insert(parameter.name.clone(), json!(value));
                }
                // The placeholder is a text.
                ParameterPlace::Body(_) => return None,
            }
        }
        // The recorded request must equal the sent one exactly.
        let plain = |text: &str| !text.contains(['{', '}', '?', '#', '&', '%', ' ', '+', '\\']);
        (plain(&path) && query.iter().all(|pair| plain(pair))).then_some(Asked {
            resource,
            path,
            query,
            fields,
        })
    }

    /// Returns the exchange of one page, requested with these additional parameters.
    fn answer(
        &self,
        parameters: &[(&String, String)],
        body: Value,
        headers: &[(&str, String)],
    ) -> Value {
        let mut query = self.query.clone();
        let mut sent = self.fields.clone();
        let size = self.resource.paginator.page_size();
        let in_body = self.resource.paginator.in_body();
        if let Some(PageSize { param, rows, .. }) = size {
            match in_body {
                true => _ = sent.insert(param.clone(), json!(rows)),
                false => query.push(format!("{param}={rows}")),
            }
        }
        for (param, value) in parameters {
            match in_body {
                true => _ = sent.insert((*param).clone(), self.in_json(value)),
                false => query.push(format!("{param}={value}")),
            }
        }
        let path = match query.is_empty() {
            true => self.path.clone(),
            false => format!("{}?{}", self.path, query.join("&")),
        };
        self.exchange(&path, Value::Object(sent), body, headers)
    }

    /// Returns a page parameter for JSON, in which counts are numbers.
    fn in_json(&self, value: &str) -> Value {
        let counts = self.resource.paginator.is_numbered();
        match value.parse::<u64>() {
            Ok(number) if counts => json!(number),
            _ => json!(value),
        }
    }

    /// Returns the exchange of the page that a link of the first leads to.
    fn linked(&self, body: Value) -> Value {
        let sent = Value::Object(self.fields.clone());
        self.exchange(&format!("{}?page=2", self.path), sent, body, &[])
    }

    fn exchange(&self, path: &str, sent: Value, body: Value, headers: &[(&str, String)]) -> Value {
        let method = if self.resource.post { "POST" } else { "GET" };
        let mut request = json!({"method": method, "path": path});
        if self.resource.post {
            request["body"] = sent;
        }
        let total = self.resource.paginator.total().and_then(Total::at);
        let total = match total {
            Some(ResponsePath::Header(name)) => Some((name.as_str(), "2".to_owned())),
            _ => None,
        };
        let headers: Map<String, Value> = headers
            .iter()
            .chain(&total)
            .map(|(name, value)| (name.to_lowercase(), json!(value)))
            .collect();
        let mut response = json!({"status": 200});
        if !headers.is_empty() {
            response["headers"] = Value::Object(headers);
        }
        response["body"] = body;
        json!({"request": request, "response": response})
    }
}

/// Returns the path of the total in the body, if the body holds it.
fn body_total(paginator: &Paginator) -> Option<&str> {
    paginator.total()?.at()?.body()
}

/// Returns the envelope of a page. `left` is the number of pages that follow.
fn body(
    resource: &Resource,
    paginator: &Paginator,
    records: &[&Value],
    left: u64,
    next: Option<Value>,
) -> Option<Value> {
    let list = Value::Array(records.iter().map(|record| (*record).clone()).collect());
    if resource.records.is_empty() {
        let bare = paginator.more().is_none()
            && body_total(paginator).is_none()
            && paginator.next_in_body().is_none();
        return bare.then_some(list);
    }
    let mut body = json!({});
    put(&mut body, &resource.records, list)?;
    if let Some(more) = paginator.more() {
        put(&mut body, more, json!(left > 0))?;
    }
    if let Some(total) = body_total(paginator) {
        // Two pages of one record each: both totals are two.
        put(&mut body, total, json!(2))?;
    }
    if let (Some(path), Some(next)) = (paginator.next_in_body(), next) {
        put(&mut body, path, next)?;
    }
    Some(body)
}

/// Puts a value at a dotted path; `None` if a value on the path is not an object.
fn put(body: &mut Value, path: &str, value: Value) -> Option<()> {
    let mut at = body;
    for key in path::parse(path) {
        at = at.as_object_mut()?.entry(key).or_insert_with(|| json!({}));
    }
    *at = value;
    Some(())
}

/// Returns two records with different keys: the document's examples, or made-up ones.
fn records(resource: &Resource, record: Option<&Struct>, key: Option<&str>) -> Option<[Value; 2]> {
    if let [first, second, ..] = resource.examples.as_slice() {
        let different = key.is_none_or(|key| {
            let (first, second) = (text_at(first, key), text_at(second, key));
            first.is_some() && second.is_some() && first != second
        });
        let whole = [first, second]
            .iter()
            .all(|record| !goes_on(resource, record));
        if different && whole && first != second {
            return Some([first.clone(), second.clone()]);
        }
    }
    let make = |number: i64| -> Option<Value> {
        let mut made = json!({});
        for field in record.iter().flat_map(|record| &record.fields) {
            let is_key = key == Some(field.key.as_str());
            let told = made.as_object().map_or(0, Map::len);
            if (is_key || told < 4)
                && let Some(value) = sample(&field.ty, &field.key, number)
            {
                made[&field.key] = value;
            }
        }
        if let Some(key) = key.filter(|key| text_at(&made, key).is_none()) {
            put(&mut made, key, json!(format!("{number}")))?;
        }
        if made == json!({}) {
            made["id"] = json!(number);
        }
        Some(made)
    };
    Some([make(1)?, make(2)?])
}

fn sample(ty: &Type, key: &str, number: i64) -> Option<Value> {
    Some(match ty {
        Type::String => json!(format!("{key}-{number}")),
        Type::Int => json!(number),
        Type::Float => json!(number as f64 + 0.5),
        Type::Bool => json!(number == 1),
        Type::Timestamp => json!(format!("2024-01-0{number}T00:00:00Z")),
        Type::UnixTime => json!(1_704_067_200 + number),
        Type::UnixMillis => json!(1_704_067_200_000_i64 + number),
        Type::Date => json!(format!("2024-01-0{number}")),
        Type::Decimal => json!(format!("{number}.50")),
        Type::Uuid => json!(format!("00000000-0000-4000-8000-00000000000{number}")),
        Type::Bytes | Type::Json | Type::Dynamic | Type::Record(_) | Type::List(_) => return None,
    })
}

/// Returns the JSON path of a field.
fn key_of(field: &FieldRef, record: Option<&Struct>) -> String {
    match field {
        FieldRef::Path(path) => path.clone(),
        FieldRef::Handle { constant, .. } => {
            let mut fields = record.iter().flat_map(|record| &record.fields);
            let found = fields.find(|field| field.ident.to_uppercase() == *constant);
            found.map(|field| field.key.clone()).unwrap_or_default()
        }
    }
}

fn text_at(record: &Value, path: &str) -> Option<String> {
    let mut at = record;
    for key in path::parse(path) {
        at = &at[&key];
    }
    match at {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
