//! Reads what surrounds the records in a response: next tokens and links, totals, "has more" flags.

use super::described::{counts_rows, is_opaque, is_reserved};
use super::node::Node;
use super::roles::Param;
use super::rules::{among, rule};
use super::words::{flat, same_noun, says, words};

/// Dotted paths of what surrounds the records.
#[derive(Clone, Debug, Default)]
pub(super) struct Envelope {
    pub next_url: Option<String>,
    pub next_token: Option<String>,
    /// The number of the next page, or null.
    pub next_page: Option<String>,
    pub more: Option<String>,
    pub total: Option<String>,
    pub total_is_pages: bool,
}

const TOKENS: [&str; 24] = [
    "nextcursor",
    "nextpagetoken",
    "nexttoken",
    "nextmarker",
    "endcursor",
    "nextpagecursor",
    "continuationtoken",
    "continuation",
    "nextpagekey",
    "nextcontinuationtoken",
    "nextbookmark",
    "paginationtoken",
    "nextoffset",
    "scrollid",
    "cursornext",
    "nextkey",
    "nextstarttoken",
    "cursormark",
    "nextcursormark",
    "bookmark",
    "lastevaluatedkey",
    "nextid",
    "aftercursor",
    "nextstart",
];
const URLS: [&str; 9] = [
    "nextlink",
    "odatanextlink",
    "nexturl",
    "nextpageurl",
    "nexthref",
    "nextpagelink",
    "nexturi",
    "nextpageuri",
    "nextrecordsurl",
];
const MORE: [&str; 13] = [
    "hasmore",
    "hasnext",
    "hasnextpage",
    "more",
    "moreresults",
    "hasmoreitems",
    "hasmoreresults",
    "istruncated",
    "moreavailable",
    "hasmorepages",
    "hasmorerecords",
    "moreitemsinlist",
    "moreitemsincollection",
];
const TOTALS: [&str; 16] = [
    "total",
    "totalcount",
    "totalresults",
    "totalitems",
    "totalrecords",
    "totalelements",
    "totalentries",
    "count",
    "totalsize",
    "totalhits",
    "odatacount",
    "resultcount",
    "numfound",
    "recordcount",
    "itemcount",
    "totalnumber",
];
const PAGE_TOTALS: [&str; 7] = [
    "totalpages",
    "pagecount",
    "pages",
    "lastpage",
    "numpages",
    "totalpagecount",
    "pagestotal",
];

/// Reads a body around its records.
pub(super) fn envelope(
    body: &Node<'_>,
    records: &[String],
    cursor_param: Option<&Param>,
    params: &[Param],
) -> Envelope {
    let mut envelope = Envelope::default();
    if !records.is_empty() {
        let asked = Asked {
            cursor: cursor_param,
            params: params.iter().map(|param| flat(&param.name)).collect(),
            records: records.last().cloned().unwrap_or_default(),
        };
        walk(body, records, &mut Vec::new(), &asked, &mut envelope);
    }
    envelope
}

/// The parameters that a field of the body may refer to.
struct Asked<'a> {
    cursor: Option<&'a Param>,
    /// All names in flat form.
    params: Vec<String>,
    /// The name of the records' array.
    records: String,
}

impl Asked<'_> {
    /// Returns whether a field has the name of the cursor's parameter and holds its next value.
    fn is_next_cursor(&self, node: &Node<'_>, path: &[String], ends: bool) -> bool {
        let follows = |cursor: &&Param| follows(path, &cursor.name);
        let cursor = self.cursor.filter(follows).filter(|_| !node.is_integer());
        cursor.is_some_and(|cursor| !is_echo(node, path, cursor, ends))
    }

    /// Returns whether a field names the next value of a parameter: `next_stream_position` for
    /// `stream_position`.
    fn has_next(&self, path: &[String]) -> bool {
        let words = path.last().map(|name| words(name)).unwrap_or_default();
        let rest = match words.split_first() {
            Some((first, rest)) if first == "next" => rest.concat(),
            _ => return false,
        };
        rule("a next of a parameter", self.params.contains(&rest))
    }
}

fn walk(
    node: &Node<'_>,
    records: &[String],
    path: &mut Vec<String>,
    asked: &Asked<'_>,
    found: &mut Envelope,
) {
    let properties = node.properties();
    for (name, child) in properties.clone() {
        let ends = has_end(&name, properties.keys());
        path.push(name);
        // Neither the records nor other arrays belong to the envelope.
        if path.as_slice() != records && !child.is_array() {
            if child.is_object() && path.len() < 4 {
                walk(&child, records, path, asked, found);
            }
            // A link may be text or an object; a text-or-object union offers both.
            if child.is_scalar() || child.is_free() {
                look(&child, path, asked, ends, found);
            }
        }
        path.pop();
    }
}

/// Returns whether a field has a counterpart that ends what it starts: `endRow` beside `startRow`.
fn has_end<'a>(name: &str, mut beside: impl Iterator<Item = &'a String>) -> bool {
    let mut counterpart = words(name);
    match counterpart.first_mut() {
        Some(first) if first == "start" => "end".clone_into(first),
        _ => return false,
    }
    let counterpart = counterpart.concat();
    rule(
        "an end beside a start",
        beside.any(|other| flat(other) == counterpart),
    )
}

/// Returns whether a field with the name of a parameter repeats what was asked for, instead of
/// holding the next value: the parameter counts rows, or the field is about the present page.
fn is_echo(node: &Node<'_>, path: &[String], cursor: &Param, ends: bool) -> bool {
    let next = path
        .iter()
        .any(|name| words(name).iter().any(|it| it == "next"));
    let text = node.description();
    let onward = ["next", "more", "continue", "hand it", "pass"];
    let onward = next || onward.iter().any(|sign| text.contains(sign));
    let present = says(&text, "current") || says(&text, "this");
    let counted = counts_rows(&cursor.description) && !is_opaque(&cursor.description);
    rule(
        "an echo of the request",
        !onward && (ends || present || counted),
    )
}

fn look(node: &Node<'_>, path: &[String], asked: &Asked<'_>, ends: bool, found: &mut Envelope) {
    let dotted = || Some(path.join("."));
    let mut names = path.iter().rev().map(|name| flat(name));
    let name = names.next().unwrap_or_default();
    let above = names.next().unwrap_or_default();
    let name = name.as_str();
    let text = node.description();
    if is_reserved(&text) {
        return;
    }
    if node.is_boolean() {
        let more = among("more", &MORE, name) || rule("more by its words", speaks_of_more(path));
        if more && found.more.is_none() {
            found.more = dotted();
        }
        return;
    }
    let is_link = looks_like_url(node, &text);
    let under_links = above.contains("link");
    let forward = name == "next"
        || (matches!(name, "href" | "url" | "uri" | "link") && above == "next")
        || name == "nextpage";
    let url = is_link_onward(&above, name)
        || among("next url", &URLS, name)
        || rule("a next URL by its words", is_next_url(path))
        || rule(
            "a next that is a link",
            forward && (is_link || under_links || matches!(name, "href" | "url" | "uri" | "link")),
        );
    if url {
        if found.next_url.is_none() {
            found.next_url = dotted();
        }
        return;
    }
    if node.is_integer() {
        let pages = among("total of pages", &PAGE_TOTALS, name);
        let paging = ["paging", "pagination", "meta", "page", "pageinfo", "cursor"]
            .contains(&above.as_str());
        let page_total = pages || (name == "total" && text.contains("number of pages"));
        if page_total && found.total.is_none() && (name != "pages" || paging || above.is_empty()) {
            found.total = dotted();
            found.total_is_pages = true;
            return;
        }
        let partial =
            name == "count" && (text.contains("page") || text.contains("returned") || paging);
        let total = among("total", &TOTALS, name)
            || rule("a total by its words", is_total(path, &asked.records));
        let open = found.total.is_none() || found.total_is_pages || says_more(path, found);
        if total && !partial && open {
            // A total of items is checked against the records received, which is stricter than a total of pages.
            found.total = dotted();
            found.total_is_pages = false;
            return;
        }
        let numbered = asked.has_next(path) || name == "nextpage" || (name == "next" && paging);
        if numbered && found.next_page.is_none() {
            found.next_page = dotted();
            return;
        }
    }
    let token = !node.is_integer() && asked.has_next(path)
        || among("next token", &TOKENS, name)
        || rule("a next that is no link", is_next(node, path) && !is_link)
        || rule(
            "a token within a next",
            matches!(name, "after" | "cursor" | "offset" | "token")
                && matches!(above.as_str(), "next" | "nextpage" | "cursors" | "cursor"),
        )
        || rule(
            "a token beside a page's facts",
            matches!(name, "cursor" | "after" | "continue" | "token") && is_about(&above),
        )
        || rule(
            "what is called like its parameter",
            asked.is_next_cursor(node, path, ends),
        );
    if token && found.next_token.is_none() {
        found.next_token = dotted();
    }
}

/// Returns whether a holder of links (`links`, `_links`, the `Link` header) links to the next page.
pub(super) fn is_link_onward(holder: &str, relation: &str) -> bool {
    let holds = words(holder)
        .iter()
        .any(|word| matches!(word.as_str(), "link" | "links"));
    rule("a link's relation", holds && relation == "next")
}

/// Returns whether a name has only words of the URL of a next page: `next_page_uri`.
fn is_next_url(path: &[String]) -> bool {
    let words = path.last().map(|name| words(name)).unwrap_or_default();
    let rest = [
        "page", "results", "records", "set", "url", "uri", "link", "href",
    ];
    let url = ["url", "uri", "link", "href"];
    let has = |word: &String| url.contains(&word.as_str());
    let (first, others) = match words.split_first() {
        Some((first, others)) => (first.as_str(), others),
        None => return false,
    };
    first == "next"
        && others.iter().any(has)
        && others.iter().all(|word| rest.contains(&word.as_str()))
}

/// Returns whether a field is called a total and the one that was found is only a count, which may be
/// that of the page: `total_count` beside `count`.
fn says_more(path: &[String], found: &Envelope) -> bool {
    let is_total = |name: &str| words(name).iter().any(|word| word.starts_with("total"));
    let own = path.last().is_some_and(|name| is_total(name));
    let other = found.total.as_deref().unwrap_or_default();
    let other = is_total(other.rsplit('.').next().unwrap_or_default());
    rule("a total beside a count", own && !other)
}

/// Returns whether a name has only words of a total of rows: `total_row_count`, `visit_total` beside
/// `visits`.
fn is_total(path: &[String], records: &str) -> bool {
    let words = path.last().map(|name| words(name)).unwrap_or_default();
    let units = [
        "count", "number", "of", "size", "results", "result", "records", "record", "items", "item",
        "rows", "row", "entries", "elements", "hits", "matches",
    ];
    let unit = |word: &String| units.contains(&word.as_str()) || same_noun(word, records);
    let is_word = |word: &String| word == "total" || unit(word);
    words.len() > 1 && words.iter().any(|word| word == "total") && words.iter().all(is_word)
}

/// Returns whether a field such as `next`, `next_cursor` or `nextMarker` is for the next page and
/// not a date.
fn is_next(node: &Node<'_>, path: &[String]) -> bool {
    let words = path.last().map(|name| words(name)).unwrap_or_default();
    let timely = ["at", "date", "time", "on", "run", "retry"];
    words.first().is_some_and(|first| first == "next")
        && !words.iter().any(|word| timely.contains(&word.as_str()))
        && !matches!(node.format(), Some("date" | "date-time"))
}

/// Returns whether the words of a name speak of more: `has_next_page`, `moreItemsAvailable`.
fn speaks_of_more(path: &[String]) -> bool {
    let words = path.last().map(|name| words(name)).unwrap_or_default();
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    has("more") || has("next") && has("has")
}

fn is_about(name: &str) -> bool {
    [
        "meta",
        "metadata",
        "paging",
        "pagination",
        "pageinfo",
        "responsemetadata",
        "page",
    ]
    .contains(&name)
        || rule(
            "a kind of metadata",
            name.ends_with("metadata") || name.ends_with("pagination"),
        )
}

/// Returns whether a field holds the next value of the cursor parameter: `next_stream_position` for
/// `stream_position`, or a field near the top with the parameter's own name.
fn follows(path: &[String], cursor: &str) -> bool {
    let Some(name) = path.last() else {
        return false;
    };
    let words = words(name);
    let cursor = flat(cursor);
    match words.split_first() {
        Some((first, rest)) if first == "next" => rest.concat() == cursor,
        _ if path
            .iter()
            .rev()
            .nth(1)
            .is_some_and(|above| flat(above) == "next") =>
        {
            flat(name) == cursor
        }
        _ => {
            path.len() <= 2
                && flat(name) == cursor
                && !matches!(cursor.as_str(), "after" | "next" | "position" | "page")
        }
    }
}

fn looks_like_url(node: &Node<'_>, text: &str) -> bool {
    let example = node.examples.iter().filter_map(|value| value.as_str());
    matches!(node.format(), Some("uri" | "url" | "uri-reference"))
        || ["url", "uri", "link to", "path to", "href", "hyperlink"]
            .iter()
            .any(|word| super::words::says(text, word))
        || example.into_iter().any(|value| {
            value.starts_with("http") || value.starts_with('/') || value.starts_with('?')
        })
}
