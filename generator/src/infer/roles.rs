//! Finds the paging parameters of an operation, and their roles.

use crate::spec::api::{Api, Location, Operation, SchemaId, Style};

use super::described::{
    Part, counts_rows, described, goes_back, is_opaque, is_reserved, is_set_by_server,
    names_a_record, told_field, turns_pages,
};
use super::node::Node;
use super::rules::{among, rule, tells};
use super::words::{flat, says, words};

/// The place of a parameter in a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Place {
    #[default]
    Query,
    /// A field of the JSON body.
    Body,
    /// A field of the JSON object that this query parameter carries.
    Json(String),
    /// A parameter of its own that the document declares as a field of this object: `page[number]`
    /// of `page`, `size` of `pageable`.
    Part(String),
    /// A part of the value of this query parameter: `number,1,size,2`.
    Pairs(String),
    /// The same, joined by other characters.
    Joined(String),
}

impl Place {
    /// Returns the parameter that carries the object, if the parameter is a field of one.
    fn holder(&self) -> Option<&str> {
        match self {
            Place::Query | Place::Body => None,
            Place::Json(holder)
            | Place::Part(holder)
            | Place::Pairs(holder)
            | Place::Joined(holder) => Some(holder),
        }
    }
}

/// A query parameter, a property of a request's body, or one of a JSON parameter.
#[derive(Clone, Debug)]
pub(super) struct Param {
    pub name: String,
    /// The description in lower case.
    pub description: String,
    pub schema: SchemaId,
    pub deprecated: bool,
    pub place: Place,
    /// The field of a record whose last value it takes, if its description names it.
    pub field: Option<String>,
    /// The path of the list that declares it, if this one does not.
    pub borrowed: Option<String>,
}

impl Param {
    /// Returns the object of which it is a field, unless that is the whole body.
    fn object(&self) -> Option<&str> {
        match self.place {
            Place::Body => self.name.rsplit_once('.').map(|(object, _)| object),
            _ => self.place.holder(),
        }
    }

    /// Returns whether clients leave it alone: it is reserved, or the server sets it in its links.
    fn is_others(&self) -> bool {
        is_reserved(&self.description) || is_set_by_server(&self.description)
    }
}

/// The paging parameters.
#[derive(Clone, Debug, Default)]
pub(super) struct Roles {
    pub size: Option<Param>,
    pub page: Option<Param>,
    pub offset: Option<Param>,
    pub cursor: Option<Param>,
    pub last_id: Option<Param>,
}

impl Roles {
    /// Returns whether one of them selects the page.
    pub fn advance(&self) -> bool {
        self.page.is_some()
            || self.offset.is_some()
            || self.cursor.is_some()
            || self.last_id.is_some()
    }

    pub fn any(&self) -> bool {
        self.advance() || self.size.is_some()
    }

    fn slot(&mut self, part: Part) -> &mut Option<Param> {
        match part {
            Part::Size => &mut self.size,
            Part::Page => &mut self.page,
            Part::Offset => &mut self.offset,
            Part::Cursor => &mut self.cursor,
            Part::LastId => &mut self.last_id,
        }
    }

    /// Gives a role to a parameter. The first one wins, unless it is deprecated or goes back.
    fn take(&mut self, param: &Param, part: Part) {
        let slot = self.slot(part);
        let back = |param: &Param| rule("forward before backward", goes_back(&param.name));
        let worse =
            |other: &Param| other.deprecated && !param.deprecated || back(other) && !back(param);
        if slot.as_ref().is_none_or(worse) {
            *slot = Some(param.clone());
        }
    }

    /// Finds the parameter that takes the next token: `ShardIterator` if the response has
    /// `NextShardIterator`.
    pub fn follow(&mut self, api: &Api, operation: &Operation, token: Option<&str>) {
        let name = token.and_then(|path| path.rsplit('.').next()).map(words);
        let Some(("next", rest)) = name.as_deref().and_then(|name| {
            let (first, rest) = name.split_first()?;
            Some((first.as_str(), rest.concat()))
        }) else {
            return;
        };
        if self.advance() {
            return;
        }
        let followed = parameters(api, operation).into_iter().find(|param| {
            let text = Node::of_schema(api, param.schema).is_text();
            text && rule("a next of a parameter", flat(&param.name) == rest)
        });
        self.cursor = followed;
    }

    /// Forgets the parameter that goes back where another one goes forward.
    fn drop_backward(&mut self) {
        let back = |param: &Option<Param>| param.as_ref().map(|param| goes_back(&param.name));
        match (back(&self.cursor), back(&self.last_id)) {
            (Some(true), Some(false)) => self.cursor = None,
            (Some(false), Some(true)) => self.last_id = None,
            _ => {}
        }
    }

    /// Forgets the fields of an object, such as `filter[from]`, that alone do not ask for pages: an
    /// object that does has a size and a position, or is named after pages.
    fn drop_lonely(&mut self) {
        let of = |param: &Option<Param>| {
            let param = param.as_ref()?;
            let part = is_field(&param.place) || param.place == Place::Body;
            param.object().filter(|_| part).map(str::to_owned)
        };
        let size = of(&self.size);
        let positions = [&self.page, &self.offset, &self.cursor, &self.last_id].map(of);
        let whole = |holder: &str| {
            let about = words(holder).iter().any(|word| word.starts_with("pag"));
            let both = positions.iter().flatten().any(|other| other == holder);
            about || size.as_deref() == Some(holder) && both
        };
        let lonely = |param: &mut Param| {
            let holder = of(&Some(param.clone()));
            holder.is_some_and(|holder| !whole(&holder))
        };
        self.size.take_if(lonely);
        for position in [
            &mut self.page,
            &mut self.offset,
            &mut self.cursor,
            &mut self.last_id,
        ] {
            position.take_if(lonely);
        }
    }

    /// Returns the names of all paging parameters, and of the parameters that carry them.
    pub fn names(&self) -> Vec<&str> {
        [
            &self.size,
            &self.page,
            &self.offset,
            &self.cursor,
            &self.last_id,
        ]
        .into_iter()
        .flatten()
        .map(|param| param.place.holder().unwrap_or(&param.name))
        .collect()
    }
}

const SIZES: [&str; 27] = [
    "limit",
    "perpage",
    "pagesize",
    "pagelimit",
    "maxresults",
    "maxitems",
    "resultsperpage",
    "itemsperpage",
    "recordsperpage",
    "pagecount",
    "numresults",
    "count",
    "size",
    "top",
    "take",
    "rows",
    "maxrecords",
    "maxkeys",
    "maxcount",
    "numitems",
    "batchsize",
    "limitsize",
    "maxpagesize",
    "nbresults",
    "resultlimit",
    "pageperpage",
    "first",
];
const PAGES: [&str; 12] = [
    "page",
    "pagenumber",
    "pagenum",
    "pageno",
    "pageindex",
    "currentpage",
    "p",
    "pagenr",
    "startpage",
    "paged",
    "pageid",
    "pagepage",
];
const OFFSETS: [&str; 14] = [
    "offset",
    "skip",
    "start",
    "startat",
    "startindex",
    "from",
    "pageoffset",
    "startfrom",
    "startrow",
    "firstresult",
    "startposition",
    "begin",
    "offsetvalue",
    "rowstart",
];
const CURSORS: [&str; 34] = [
    "cursor",
    "pagetoken",
    "nexttoken",
    "continuationtoken",
    "continuation",
    "continue",
    "marker",
    "pagecursor",
    "pageafter",
    "startcursor",
    "streamposition",
    "after",
    "nextcursor",
    "nextpagetoken",
    "scrollid",
    "bookmark",
    "nextpage",
    "starttoken",
    "startingtoken",
    "paginationtoken",
    "aftercursor",
    "cursormark",
    "resumetoken",
    "next",
    "skiptoken",
    "iterator",
    "nextmarker",
    "paginationcursor",
    "position",
    "pagestart",
    "pageid",
    "pageref",
    "pagekey",
    "exclusivestartkey",
];
const LAST_IDS: [&str; 10] = [
    "startingafter",
    "sinceid",
    "afterid",
    "lastid",
    "startafter",
    "beforeid",
    "maxid",
    "fromid",
    "startafterid",
    "lastkey",
];

/// Finds the roles by name, or by description if names do not decide.
pub(super) fn roles(api: &Api, operation: &Operation) -> Roles {
    let params = parameters(api, operation);
    let mut roles = Roles::default();
    let mut told: Vec<(&Param, Part)> = Vec::new();
    for param in params.iter().filter(|param| !param.is_others()) {
        let node = Node::of_schema(api, param.schema);
        // Of an object, the fields may ask for pages.
        if !node.is_scalar() && !node.properties().is_empty() {
            continue;
        }
        let by_text = described(&param.name, &param.description, &node);
        let by_text = by_text.filter(|_| !is_field(&param.place));
        match named(param, &node, &roles) {
            Some(part) => roles.take(param, part),
            None => told.extend(by_text.map(|part| (param, part))),
        }
    }
    roles.drop_lonely();
    for (param, part) in told {
        // A size alone may bound anything, and an array in a body is a request, not a page.
        if roles.slot(part).is_none() && (part != Part::Size || roles.advance()) {
            let field = Some(part).filter(|part| *part == Part::LastId);
            let field = field.and_then(|_| told_field(&param.description));
            let param = Param {
                field,
                ..param.clone()
            };
            roles.take(&param, part);
        }
    }
    roles.drop_backward();
    roles
}

/// Returns the role that a parameter's name suggests, if its type and description agree.
fn named(param: &Param, node: &Node<'_>, roles: &Roles) -> Option<Part> {
    let spelt = spoken(param);
    let name = flat(&spelt);
    let name = name.as_str();
    let text = param.description.as_str();
    let number = node.is_integer();
    let free = !node.is_scalar();
    let opaque = is_opaque(text);
    let counts = number || free || (node.is_text() && !opaque);
    if among("size", &SIZES, name) && counts && is_size(name, text, roles) {
        Some(Part::Size)
    } else if among("last id", &LAST_IDS, name)
        || rule(
            "an id that pages go on from",
            !number && is_id_cursor(name, text),
        )
    {
        Some(Part::LastId)
    } else if among("page", &PAGES, name) && (number || (!opaque && !node.is_boolean())) {
        Some(Part::Page)
    } else if among("offset", &OFFSETS, name) && (number || free || (node.is_text() && !opaque)) {
        is_offset(name, text, number, node.format()).then_some(Part::Offset)
    } else if rule(
        "an offset by its words",
        (number || counts_rows(text)) && !opaque && is_offset_by_words(&spelt, text, node),
    ) {
        Some(Part::Offset)
    } else if is_cursor(name, &spelt, text, node, opaque) {
        Some(Part::Cursor)
    } else {
        let by_words = counts && rule("a size by its words", is_size_by_words(&spelt));
        let per = || number && rule("per what a page is called", is_per_page(name, text));
        (by_words || per()).then_some(Part::Size)
    }
}

/// Returns whether a name has only words of where rows begin: `start_position`, `firstRow`,
/// `result_offset`.
fn is_offset_by_words(name: &str, text: &str, node: &Node<'_>) -> bool {
    let words = words(name);
    let begins = ["start", "starting", "first", "begin", "skip"];
    let rows = [
        "row", "rows", "record", "records", "item", "items", "result", "results", "entry", "index",
        "position", "number",
    ];
    let is = |list: &[&str], word: &String| list.contains(&word.as_str());
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return false;
    };
    let dated = matches!(node.format(), Some("date" | "date-time"));
    let begin = is(&begins, first) && words.iter().skip(1).all(|word| is(&rows, word));
    let offset = last == "offset" && words.iter().rev().skip(1).all(|word| is(&rows, word));
    !dated && words.len() > 1 && (begin || offset) && is_offset("offset", text, true, None)
}

/// Returns whether a parameter is the number of rows per page, whatever a page is called:
/// `per_sheet`.
fn is_per_page(name: &str, text: &str) -> bool {
    let amount = text.starts_with("how many") || text.starts_with("number of");
    name.starts_with("per") && amount
}

/// Returns whether a name has only words of amounts and rows: `resultsPerPage`, `max_page_items`.
fn is_size_by_words(name: &str) -> bool {
    let amounts = [
        "limit", "size", "count", "max", "maximum", "per", "num", "length", "nb",
    ];
    let units = [
        "page", "results", "result", "items", "item", "records", "record", "rows", "entries",
        "objects", "elements", "batch", "list", "number", "of", "in",
    ];
    let words = words(name);
    let amount = |word: &String| amounts.contains(&word.as_str());
    words.len() > 1
        && words.iter().any(amount)
        && words
            .iter()
            .all(|word| amount(word) || units.contains(&word.as_str()))
}

/// Returns the name by which a parameter's role is known. A field of an object is known by its own
/// name, unless the object is named after pages: `page[number]`, but `offset` of `options[offset]`.
fn spoken(param: &Param) -> String {
    let Some(holder) = param.object() else {
        return param.name.clone();
    };
    let fields: Vec<&str> = param.name.split(['[', ']', '.']).collect();
    let fields: Vec<&str> = fields.into_iter().filter(|part| !part.is_empty()).collect();
    let own = fields.last().copied().unwrap_or_default();
    let of = match fields.as_slice() {
        [.., of, _] => of,
        _ => holder,
    };
    match flat(of).as_str() {
        "page" if !matches!(param.place, Place::Json(_)) || fields.len() > 1 => {
            format!("page {own}")
        }
        _ => own.to_owned(),
    }
}

/// Returns the query parameters, and the properties of a POST's body and of parameters that carry
/// JSON.
pub(super) fn parameters(api: &Api, operation: &Operation) -> Vec<Param> {
    let query = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.location == Location::Query);
    let query = query.map(|parameter| {
        let schema = api.schemas.0.get(parameter.schema.0);
        let inner = schema
            .map(|schema| schema.description.as_str())
            .unwrap_or_default();
        let description = format!("{} {inner}", parameter.description)
            .trim()
            .to_lowercase();
        // Many documents state the deprecation in the description only.
        let marked =
            description.starts_with("deprecated") || description.starts_with("**deprecated");
        Param {
            name: parameter.name.clone(),
            deprecated: parameter.deprecated || marked,
            description,
            schema: parameter.schema,
            place: Place::Query,
            field: None,
            borrowed: None,
        }
    });
    // The body comes first: a POST that accepts both uses the body.
    let mut params: Vec<Param> = Vec::new();
    if operation.method == "post"
        && let Some(body) = operation.request_body
    {
        let own = fields(api, body, &Place::Body);
        let nested: Vec<Param> = own.iter().flat_map(|field| within(api, field)).collect();
        params.extend(own);
        params.extend(nested);
    }
    params.extend(query);
    let query = operation.parameters.iter();
    for holder in query.filter(|parameter| parameter.location == Location::Query) {
        let name = holder.name.clone();
        let (place, open, close) = match holder.style {
            Style::Json => (Place::Json(name), String::new(), ""),
            Style::Deep => (Place::Part(name), format!("{}[", holder.name), "]"),
            Style::Exploded => (Place::Part(name), String::new(), ""),
            Style::Pairs => (Place::Pairs(name), String::new(), ""),
            Style::Joined => (Place::Joined(name), String::new(), ""),
        };
        let inner = fields(api, holder.schema, &place).into_iter();
        params.extend(inner.flat_map(|field| {
            // Objects within the JSON of a parameter are fields at a dotted path.
            let nested = match holder.style {
                Style::Json => within(api, &field),
                _ => Vec::new(),
            };
            let name = format!("{open}{}{close}", field.name);
            std::iter::once(Param { name, ..field }).chain(nested)
        }));
    }
    params
}

/// Returns whether a parameter is a field of an object in the query that is not JSON.
fn is_field(place: &Place) -> bool {
    matches!(place, Place::Part(_) | Place::Pairs(_) | Place::Joined(_))
}

/// Returns the fields of an object that is a field itself, each at its dotted path.
fn within(api: &Api, object: &Param) -> Vec<Param> {
    let fields = fields(api, object.schema, &object.place).into_iter();
    let fields = fields.map(|field| Param {
        name: format!("{}.{}", object.name, field.name),
        ..field
    });
    fields.collect()
}

/// Returns the properties of an object as parameters.
fn fields(api: &Api, object: SchemaId, place: &Place) -> Vec<Param> {
    let properties = Node::of_schema(api, object).properties().into_iter();
    let params = properties.filter_map(|(name, node)| {
        Some(Param {
            name,
            description: node.description(),
            schema: node.schema?,
            deprecated: node.deprecated(),
            place: place.clone(),
            field: None,
            borrowed: None,
        })
    });
    params.collect()
}

fn is_size(name: &str, text: &str, roles: &Roles) -> bool {
    let telling = [
        "number of",
        "maximum",
        "per page",
        "page size",
        "limit",
        "how many",
        "results",
        "items",
    ];
    match name {
        // GraphQL-like `first` and bare `count` need further evidence.
        "first" | "count" | "rows" | "size" => {
            (text.is_empty() && name != "first")
                || (tells("told size", text, &telling) && roles.size.is_none())
        }
        _ => true,
    }
}

/// Returns whether a parameter such as `after` takes the id of a record.
fn is_id_cursor(name: &str, text: &str) -> bool {
    matches!(
        name,
        "after" | "before" | "since" | "startafter" | "from" | "cursor"
    ) && names_a_record(text)
        && turns_pages(text)
}

/// Returns whether a parameter is an offset: `start` and `from` are often dates.
fn is_offset(name: &str, text: &str, number: bool, format: Option<&str>) -> bool {
    if matches!(format, Some("date" | "date-time")) {
        return false;
    }
    if !matches!(name, "start" | "from" | "begin" | "startat") {
        return true;
    }
    let dated = ["date", "time", "timestamp", "iso", "day"]
        .iter()
        .any(|word| says(text, word));
    let counted = [
        "offset",
        "index",
        "first",
        "skip",
        "page",
        "pagination",
        "number of",
        "position",
    ];
    !dated && (number || counted.iter().any(|word| says(text, word)))
}

fn is_cursor(name: &str, spelt: &str, text: &str, node: &Node<'_>, opaque: bool) -> bool {
    if node.is_boolean() || matches!(node.format(), Some("date" | "date-time")) {
        return false;
    }
    match name {
        "after" | "next" | "position" | "continue" | "pageid" | "continuation" => {
            (opaque || turns_pages(text) || text.is_empty() && name != "position")
                && among("cursor", &CURSORS, name)
        }
        // The value is a token, despite the name of an offset.
        "offset" | "page" | "start" | "startat" | "pageoffset" => {
            rule("a number's name for a token", opaque && !node.is_integer())
        }
        _ => {
            among("cursor", &CURSORS, name)
                || rule("a cursor by its words", is_cursor_by_words(spelt))
        }
    }
}

/// Returns whether a name has a word for a position in a list, or is a page token: `page[cursor]`,
/// `nextPageToken`, `marker_after`.
fn is_cursor_by_words(name: &str) -> bool {
    let words = words(name);
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
    let page = [
        "page",
        "paging",
        "pagination",
        "next",
        "start",
        "starting",
        "continuation",
        "resume",
    ];
    has(&["cursor", "marker", "bookmark"]) && !has(&["size", "limit", "direction", "use"])
        || has(&page) && has(&["token"])
}
