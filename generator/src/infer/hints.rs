//! Reads what authors of documents declare about paging and records in published extensions: `x-speakeasy-pagination`,
//! `x-fern-pagination`, `x-ms-pageable`, `x-stainless-pagination-property`, `x-airbyte-record-extractor` and
//! `x-airbyte-meta-extractor`. A declaration is deliberate, so it takes precedence over what names suggest. A hint that
//! names something absent is ignored.

use serde_json::Value;

use crate::spec::api::{Api, Operation, Response};

use super::envelope::Envelope;
use super::facts::{Decision, ResourceKind};
use super::node::Node;
use super::pages::{self, Evidence};
use super::records::Found;
use super::roles::{Param, Roles, parameters};
use super::words::flat;

const SPEAKEASY: &str = "x-speakeasy-pagination";
const FERN: &str = "x-fern-pagination";
const MICROSOFT: &str = "x-ms-pageable";
const STAINLESS: &str = "x-stainless-pagination-property";
const AIRBYTE_RECORDS: &str = "x-airbyte-record-extractor";
const AIRBYTE_META: &str = "x-airbyte-meta-extractor";

/// The confidence of a declaration that was not tried.
pub(super) const SAID: f32 = 0.99;
/// The depth to which marks within a response's schema are searched.
const DEPTH: usize = 4;

/// The declarations in an operation's extensions.
#[derive(Clone, Debug, Default)]
pub(super) struct Hint {
    /// The names of the extensions.
    source: String,
    /// Keys to the records; empty: the body.
    records: Option<Vec<String>>,
    pages: Option<Pages>,
    /// The parameter that bounds the page.
    size: Option<Param>,
    /// A dotted path in the response.
    more: Option<String>,
    total: Option<(String, bool)>,
    next_token: Option<String>,
    next_url: Option<String>,
}

/// A declared paginator.
#[derive(Clone, Debug)]
enum Pages {
    Single,
    Number(Param),
    Offset(Param),
    /// Parameter, and the dotted path (or `header:NAME`) of the next token.
    Cursor(Param, String),
    /// Parameter, and the field of the last record.
    LastRecord(Param, String),
    /// Dotted path of the next URL.
    Url(String),
}

/// Returns whether extensions declare paging. Such an operation reads, even if it is a POST.
pub(super) fn is_paged(operation: &Operation) -> bool {
    [SPEAKEASY, FERN, MICROSOFT]
        .iter()
        .any(|name| operation.extensions.contains_key(*name))
}

/// Reads the extensions of an operation.
pub(super) fn hint(api: &Api, operation: &Operation) -> Hint {
    let mut hint = Hint::default();
    let params = parameters(api, operation);
    let readers: [(&'static str, Reader); 5] = [
        (SPEAKEASY, speakeasy),
        (FERN, fern),
        (MICROSOFT, microsoft),
        (AIRBYTE_RECORDS, airbyte_records),
        (AIRBYTE_META, airbyte_meta),
    ];
    for (name, reader) in readers {
        let value = match operation.extensions.get(name) {
            // `x-fern-pagination: true` refers to the declaration at the root.
            Some(Value::Bool(true)) => api.extensions.get(name),
            value => value,
        };
        if value
            .and_then(|value| reader(&mut hint, value, &params))
            .is_some()
        {
            hint.says(name);
        }
    }
    stainless(&mut hint, api, operation, &params);
    hint
}

/// Reads one extension; `None`: it has nothing usable.
type Reader = fn(&mut Hint, &Value, &[Param]) -> Option<()>;

impl Hint {
    fn says(&mut self, name: &str) {
        if !self.source.is_empty() {
            self.source.push_str(", ");
        }
        self.source.push_str(name);
    }

    /// Applies the declared records and parameter roles over what was found.
    pub fn settle<'a>(
        &self,
        api: &'a Api,
        operation: &'a Operation,
        kind: &mut ResourceKind,
        found: &mut Found<'a>,
        roles: &mut Roles,
    ) {
        if let Some(size) = &self.size {
            roles.size = Some(size.clone());
        }
        match &self.pages {
            Some(Pages::Number(param)) => roles.page = Some(param.clone()),
            Some(Pages::Offset(param)) => roles.offset = Some(param.clone()),
            Some(Pages::Cursor(param, _)) => roles.cursor = Some(param.clone()),
            Some(Pages::LastRecord(param, _)) => roles.last_id = Some(param.clone()),
            Some(Pages::Single | Pages::Url(_)) | None => {}
        }
        let (Some(path), Some(response)) = (&self.records, &operation.response) else {
            return;
        };
        let Some(record) = record_at(api, response, path) else {
            return;
        };
        *kind = ResourceKind::List;
        *found = Found {
            list: true,
            path: path.clone(),
            record,
            confidence: SAID,
            reasons: vec![format!("`{}` declares it", self.source)],
        };
    }

    /// Applies the declared envelope fields over what was found.
    pub fn complete(&self, envelope: &mut Envelope) {
        let over = |said: &Option<String>, found: &mut Option<String>| {
            if said.is_some() {
                found.clone_from(said);
            }
        };
        over(&self.more, &mut envelope.more);
        over(&self.next_token, &mut envelope.next_token);
        over(&self.next_url, &mut envelope.next_url);
        if let Some((path, is_pages)) = &self.total {
            envelope.total = Some(path.clone());
            envelope.total_is_pages = *is_pages;
        }
    }

    /// Returns the paginator, if it is declared. The evidence already holds the other declarations.
    pub fn paginator(&self, evidence: &Evidence<'_>) -> Option<Decision<pages::Paged>> {
        let (paged, how) = match self.pages.as_ref()? {
            Pages::Single => (
                pages::single(evidence),
                "everything comes in one page".to_owned(),
            ),
            Pages::Number(param) => (
                pages::by_page_number(evidence, param),
                format!("`{}` counts pages", param.name),
            ),
            Pages::Offset(param) => (
                pages::by_offset(evidence, param),
                format!("`{}` counts rows", param.name),
            ),
            Pages::Cursor(param, next) => (
                pages::by_token(evidence, param, next),
                format!("`{next}` holds the next `{}`", param.name),
            ),
            Pages::LastRecord(param, field) => {
                let how = format!("`{}` takes the last record's `{field}`", param.name);
                (pages::by_last_id(evidence, param, field), how)
            }
            Pages::Url(next) => (
                pages::by_next_url(evidence, None, next),
                format!("`{next}` holds the next page's URL"),
            ),
        };
        Some(Decision {
            value: paged,
            confidence: SAID,
            reasons: vec![format!("`{}` declares it: {how}", self.source)],
            others: Vec::new(),
        })
    }
}

/// Returns the record in the array at these keys; `None`: the array does not exist.
fn record_at<'a>(api: &'a Api, response: &'a Response, path: &[String]) -> Option<Node<'a>> {
    let mut node = Node::of_response(api, response);
    for key in path {
        if node.is_free() {
            return Some(node);
        }
        node = node.properties().shift_remove(key)?;
    }
    match node.element() {
        None if node.is_free() => Some(node),
        element => element,
    }
}

fn named(params: &[Param], name: &str) -> Option<Param> {
    params.iter().find(|param| param.name == name).cloned()
}

fn speakeasy(hint: &mut Hint, value: &Value, params: &[Param]) -> Option<()> {
    let kind = value.get("type")?.as_str()?;
    let outputs = value.get("outputs");
    let output = |key: &str| outputs?.get(key)?.as_str().and_then(place);
    let inputs = value.get("inputs").and_then(Value::as_array);
    let input = |wanted: &str| {
        let mut inputs = inputs.into_iter().flatten();
        let input = inputs
            .find(|input| input.get("type").and_then(Value::as_str) == Some(wanted))?
            .get("name")?;
        named(params, input.as_str()?)
    };
    hint.records = output("results").map(|place| place.keys);
    hint.size = input("limit");
    hint.total = output("numPages").map(|place| (place.dotted(), true));
    hint.pages = match kind {
        "offsetLimit" => match (input("page"), input("offset")) {
            (Some(page), _) => Some(Pages::Number(page)),
            (None, Some(offset)) => Some(Pages::Offset(offset)),
            (None, None) => None,
        },
        "cursor" => match (input("cursor"), output("nextCursor")) {
            (Some(param), Some(next)) => Some(cursor(param, next)),
            _ => None,
        },
        "url" => output("nextUrl").map(|next| Pages::Url(next.dotted())),
        _ => None,
    };
    Some(())
}

/// Returns a paginator by token, or by the last record if the token is one of its fields.
fn cursor(param: Param, next: Place) -> Pages {
    match next.last {
        true => Pages::LastRecord(param, next.within.join(".")),
        false => Pages::Cursor(param, next.dotted()),
    }
}

fn fern(hint: &mut Hint, value: &Value, params: &[Param]) -> Option<()> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let response = |key: &str| text(key)?.strip_prefix("$response").and_then(place_in);
    let request = |key: &str| named(params, text(key)?.strip_prefix("$request.")?);
    value.as_object()?;
    hint.records = response("results").map(|place| place.keys);
    hint.more = response("has-next-page").map(|place| place.dotted());
    hint.size = request("step");
    let url = || response("next_uri").or_else(|| response("next_path"));
    hint.pages = match (request("cursor"), request("offset")) {
        (Some(param), _) => response("next_cursor").map(|next| cursor(param, next)),
        // Without a step the parameter counts pages by one.
        (None, Some(param)) if text("step").is_some() => Some(Pages::Offset(param)),
        (None, Some(param)) => Some(Pages::Number(param)),
        (None, None) => url().map(|next| Pages::Url(next.dotted())),
    };
    Some(())
}

fn microsoft(hint: &mut Hint, value: &Value, _: &[Param]) -> Option<()> {
    let next = value.as_object()?.get("nextLinkName");
    let items = value.get("itemName").and_then(Value::as_str);
    hint.records = Some(vec![items.unwrap_or("value").to_owned()]);
    hint.pages = match next {
        Some(Value::Null) => Some(Pages::Single),
        Some(Value::String(name)) if !name.is_empty() => Some(Pages::Url(name.clone())),
        _ => None,
    };
    Some(())
}

fn airbyte_records(hint: &mut Hint, value: &Value, _: &[Param]) -> Option<()> {
    hint.records = Some(place(value.as_str()?)?.keys);
    Some(())
}

/// Reads names chosen by the author, each with a place in the response.
fn airbyte_meta(hint: &mut Hint, value: &Value, _: &[Param]) -> Option<()> {
    for (name, path) in value.as_object()? {
        let Some(path) = path.as_str().and_then(place).filter(|path| !path.last) else {
            continue;
        };
        let path = path.dotted();
        let name = flat(name);
        let url = ["url", "link", "uri"].iter().any(|end| name.ends_with(end));
        match name.as_str() {
            "hasmore" | "hasnext" | "hasnextpage" => hint.more = Some(path),
            "total" | "totalcount" | "totalrecords" | "totalitems" => {
                hint.total = Some((path, false));
            }
            "totalpages" | "pagecount" => hint.total = Some((path, true)),
            name if name.starts_with("next") && url => hint.next_url = Some(path),
            "cursor" | "endcursor" | "aftercursor" => hint.next_token = Some(path),
            name if name.starts_with("next") => hint.next_token = Some(path),
            _ => {}
        }
    }
    Some(())
}

/// Reads the marks of Stainless, which give the purpose of parameters and fields.
fn stainless(hint: &mut Hint, api: &Api, operation: &Operation, params: &[Param]) {
    let mut marked = false;
    let mut param = |wanted: &str| {
        let of_schema = |param: &Param| {
            let extensions = &api.schemas.0.get(param.schema.0)?.extensions;
            purpose(extensions.get(STAINLESS)?)
        };
        let of_parameter = |param: &Param| {
            let mut parameters = operation.parameters.iter();
            let parameter = parameters.find(|other| other.name == param.name)?;
            purpose(parameter.extensions.get(STAINLESS)?)
        };
        let mut params = params.iter();
        let found = params.find(|param| {
            [of_schema(param), of_parameter(param)].contains(&Some(wanted.to_owned()))
        });
        marked |= found.is_some();
        found.cloned()
    };
    let token = param("next_cursor_param");
    let last_id = param("next_cursor_id_param");
    let number = param("page_number_param");
    let offset = param("offset_count_param");
    let mut marks = Marks::default();
    if let Some(response) = &operation.response {
        marks.walk(api, &Node::of_response(api, response), &mut Vec::new());
    }
    let field = |wanted: &str| {
        let mut fields = marks.fields.iter();
        fields
            .find(|(purpose, _)| purpose == wanted)
            .map(|(_, path)| path.clone())
    };
    if !marked && marks.fields.is_empty() {
        return;
    }
    hint.says(STAINLESS);
    let records = field("items").filter(|path| !path.starts_with("header:"));
    if marks.top_level {
        hint.records = Some(Vec::new());
    } else if records.is_some() {
        hint.records = marks.items.clone();
    }
    hint.more = field("has_next_page").or(hint.more.take());
    let pages = field("total_page_count_field").map(|path| (path, true));
    let rows = field("offset_total_count_field").map(|path| (path, false));
    hint.total = pages.or(rows).or(hint.total.take());
    let cursor = token.zip(field("next_cursor_field"));
    let said = cursor
        .map(|(param, next)| Pages::Cursor(param, next))
        .or_else(|| {
            let id = marks.item_id.clone().unwrap_or_else(|| "id".to_owned());
            last_id.map(|param| Pages::LastRecord(param, id))
        })
        .or_else(|| field("cursor_url_field").map(Pages::Url))
        .or_else(|| number.map(Pages::Number))
        .or_else(|| offset.map(Pages::Offset));
    hint.pages = said.or(hint.pages.take());
}

fn purpose(mark: &Value) -> Option<String> {
    mark.get("purpose")?.as_str().map(str::to_owned)
}

/// The marks in a response's schema.
#[derive(Default)]
struct Marks {
    /// Purpose and dotted path, or `header:NAME`.
    fields: Vec<(String, String)>,
    items: Option<Vec<String>>,
    /// The field of a record.
    item_id: Option<String>,
    top_level: bool,
}

impl Marks {
    fn walk(&mut self, api: &Api, node: &Node<'_>, path: &mut Vec<String>) {
        if let Some(mark) = node
            .schema
            .and_then(|id| api.schemas.0.get(id.0)?.extensions.get(STAINLESS))
        {
            self.top_level |= mark.get("is_top_level_array") == Some(&Value::Bool(true));
            let header = mark.get("from_header").and_then(Value::as_str);
            if let Some(purpose) = purpose(mark) {
                if purpose == "items" {
                    self.items = Some(path.clone());
                    let fields = node.element().map(|record| record.properties());
                    let mut fields = fields.iter().flatten();
                    self.item_id = fields
                        .find(|(_, field)| {
                            let mark = field
                                .schema
                                .and_then(|id| api.schemas.0.get(id.0)?.extensions.get(STAINLESS));
                            mark.and_then(self::purpose).as_deref() == Some("cursor_item_id")
                        })
                        .map(|(name, _)| name.clone());
                }
                let place = header.map_or_else(|| path.join("."), |name| format!("header:{name}"));
                self.fields.push((purpose, place));
            }
        }
        if path.len() >= DEPTH {
            return;
        }
        for (name, child) in node.properties() {
            path.push(name);
            self.walk(api, &child, path);
            path.pop();
        }
    }
}

/// A place in a response.
#[derive(Debug, PartialEq)]
struct Place {
    keys: Vec<String>,
    /// Whether the place is `within` the last item of the list at `keys`.
    last: bool,
    within: Vec<String>,
}

impl Place {
    fn dotted(&self) -> String {
        self.keys.join(".")
    }
}

/// Parses the JSONPaths that such extensions contain: `$.data`, `$['a']['b']`, `$.items[*]`, `$.items[-1].id`, `$`.
fn place(path: &str) -> Option<Place> {
    place_in(path.trim().strip_prefix('$')?)
}

fn place_in(path: &str) -> Option<Place> {
    let mut found = Place {
        keys: Vec::new(),
        last: false,
        within: Vec::new(),
    };
    let mut rest = path.trim();
    while !rest.is_empty() {
        let (key, after) = if let Some(inner) = rest.strip_prefix('[') {
            let (inner, after) = inner.split_once(']')?;
            match inner.trim() {
                "*" => {
                    rest = after;
                    continue;
                }
                "-1" | "-1:" | "(@.length-1)" | "(@.length - 1)" if !found.last => {
                    found.last = true;
                    rest = after;
                    continue;
                }
                quoted => {
                    let key = quoted
                        .strip_prefix(['\'', '"'])?
                        .strip_suffix(['\'', '"'])?;
                    (key.to_owned(), after)
                }
            }
        } else {
            let inner = rest.strip_prefix('.')?;
            let end = inner.find(['.', '[']).unwrap_or(inner.len());
            (inner[..end].to_owned(), &inner[end..])
        };
        if key.is_empty() || key == "*" {
            return None;
        }
        match found.last {
            true => found.within.push(key),
            false => found.keys.push(key),
        }
        rest = after;
    }
    (found.last != found.within.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read() {
        let keys = |path: &str| place(path).map(|place| place.dotted());
        for (path, expected) in [
            ("$.data", Some("data")),
            ("$", Some("")),
            ("$['a b'].c", Some("a b.c")),
            ("$.data.items[*]", Some("data.items")),
            ("$..x", None),
            ("$.a[", None),
            ("data", None),
            ("$.a[0]", None),
            ("$.é", Some("é")),
        ] {
            assert_eq!(keys(path).as_deref(), expected, "{path}");
        }
        let last = place("$.data[(@.length - 1)].meta.id").unwrap();
        assert!(last.last && last.dotted() == "data");
        assert_eq!(last.within, ["meta", "id"]);
    }
}
