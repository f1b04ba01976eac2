//! What one answer says of the list that it belongs to: totals, numbers of pages, flags, tokens and links, under any of their
//! usual names, in the body and in its headers, whether or not the document declares them.

use etlgen_model::{ResponsePath, Total};
use reqwest::header::HeaderMap;

use super::paginator::Pager;
use crate::http::next_link;
use crate::record::beside::{Beside, Interest, listen};

/// What a statement says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Says {
    /// So many items are in all pages.
    Total(u64),
    /// So many items are in all pages, or in this one.
    Count(u64),
    /// There are so many pages.
    Pages(u64),
    /// More follows, or nothing does.
    More(bool),
    /// A token or a link that leads on.
    Next,
    /// There is no token or link that leads on.
    NoNext,
    /// Something went wrong; in its own words.
    Error(String),
    /// The answer does not hold all that it should.
    Incomplete,
}

/// One statement of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Statement {
    pub says: Says,
    /// Where it stands: `meta.total`, `X-Total-Count`.
    pub place: String,
    /// The paginator names the place.
    pub declared: bool,
}

/// All that one answer says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Statements(pub Vec<Statement>);

/// What the name of a value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Total,
    Count,
    Pages,
    /// The number of the last page, or a flag.
    LastPage,
    More,
    Last,
    Next,
    Error,
    Incomplete,
    /// It says nothing of the list, and may stand beside it.
    Idle,
}

/// What is wanted of a key that stands beside the records.
pub(crate) fn hears(key: &str) -> Interest {
    let name = plain(key);
    let word = word(&name);
    Interest {
        value: word.is_some_and(|word| word != Word::Idle),
        within: HOLDERS.contains(&name.as_str()),
        alone: word.is_some_and(|word| !matches!(word, Word::Error | Word::Incomplete))
            || HOLDERS.contains(&name.as_str()),
    }
}

/// Objects that hold what is said of a list.
const HOLDERS: [&str; 20] = [
    "cursors",
    "info",
    "links",
    "listinfo",
    "listmetadata",
    "meta",
    "metadata",
    "next",
    "page",
    "pageinfo",
    "pager",
    "pages",
    "pagination",
    "paginationinfo",
    "pagingmetadata",
    "paging",
    "responsemetadata",
    "resultinfo",
    "resultset",
    "searchmetadata",
];

/// A name without what styles differ in.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).take(32).collect()
}

fn word(plain: &str) -> Option<Word> {
    Some(match plain {
        "total"
        | "totalcount"
        | "totalitems"
        | "totalresults"
        | "totalrecords"
        | "totalelements"
        | "totalrows"
        | "totalhits"
        | "totalentries"
        | "totalsize"
        | "totalnumber"
        | "totalnum"
        | "totalobjects"
        | "totalmatches"
        | "totaldocs"
        | "totaldocuments"
        | "totalitemcount"
        | "totalitemscount"
        | "totalrecordcount"
        | "totalresultcount"
        | "totalresultscount"
        | "totalrowcount"
        | "totalfound"
        | "totalavailable"
        | "totalnumberofresults"
        | "totalnumberofitems"
        | "itemstotal"
        | "numtotal"
        | "numfound"
        | "nbhits"
        | "recordstotal"
        | "recordsfiltered"
        | "odatacount"
        | "fullcount" => Word::Total,
        "count" | "itemcount" | "itemscount" | "resultcount" | "resultscount" | "rowcount"
        | "recordcount" | "entrycount" | "found" | "numresults" => Word::Count,
        "pages" | "totalpages" | "totalpage" | "pagecount" | "pagescount" | "totalpagecount"
        | "pagestotal" | "pagetotal" | "numpages" | "nbpages" | "numberofpages"
        | "totalnumberofpages" => Word::Pages,
        "lastpage" => Word::LastPage,
        "more" | "hasmore" | "hasnext" | "hasnextpage" | "hasmorepages" | "hasmoreitems"
        | "hasmoreresults" | "hasmoredata" | "moreresults" | "moreavailable"
        | "moreitemsinlist" | "nextpageexists" | "istruncated" | "truncated" => Word::More,
        "last" | "islast" | "islastpage" | "endoflist" | "isend" => Word::Last,
        "next" | "nexturl" | "nexturi" | "nextlink" | "nexthref" | "nextpage" | "nextpageurl"
        | "nextpageuri" | "nextpagelink" | "nextpagetoken" | "nextpagecursor" | "nextpagekey"
        | "nextcursor" | "nexttoken" | "nextkey" | "nextmarker" | "nextoffset" | "nextstart"
        | "nextrecordsurl" | "odatanextlink" | "continuation" | "continuationtoken"
        | "paginationtoken" | "after" => Word::Next,
        "error" | "errors" | "errormessage" | "errormessages" => Word::Error,
        "incompleteresults" => Word::Incomplete,
        "limit" | "perpage" | "pagesize" | "offset" | "currentpage" | "pagenumber" | "number"
        | "size" | "first" | "prev" | "previous" | "previouspage" | "before" | "kind" | "etag"
        | "requestid" | "self" | "startat" | "maxresults" => Word::Idle,
        _ => return None,
    })
}

impl Statement {
    /// A number of the last page may be that of the second one.
    pub fn may_count_from_0(&self) -> bool {
        let last = self
            .place
            .rsplit(['.', '-', ' '])
            .next()
            .unwrap_or_default();
        word(&plain(last)) == Some(Word::LastPage)
    }
}

impl Statements {
    /// What a body says, of which these values stand beside the records, and these headers.
    pub fn of(beside: &[Beside], headers: &HeaderMap) -> Self {
        let mut statements = Statements::default();
        for value in beside {
            statements.beside(value, value.path.clone());
        }
        for (name, value) in headers {
            let Ok(value) = value.to_str() else { continue };
            statements.header(name.as_str(), value);
        }
        statements
    }

    fn header(&mut self, name: &str, value: &str) {
        match name {
            "link" => {
                if next_link(value).is_some() {
                    self.say(Says::Next, "the header Link");
                }
                return;
            }
            "content-range" if !value.trim_start().starts_with("bytes") => {
                let total = value.rsplit_once('/').and_then(|(_, total)| count(total));
                if let Some(total) = total {
                    self.say(Says::Total(total), "the header Content-Range");
                }
                return;
            }
            "x-pagination" | "pagination" => {
                for value in listen(value, hears) {
                    let place = format!("{} in the header {name}", value.path);
                    self.beside(&value, place);
                }
                return;
            }
            _ => {}
        }
        let heads = ["x-wp-", "x-pagination-", "pagination-", "x-list-", "x-"];
        let bare = heads.iter().find_map(|head| name.strip_prefix(head));
        let known = bare.or_else(|| name.starts_with("total-").then_some(name));
        let Some(bare) = known.filter(|bare| !matches!(*bare, "error" | "after" | "last")) else {
            return;
        };
        // A header is text: what is none of JSON's words is a string.
        let json = match value.trim() {
            "" => "null".to_owned(),
            text if text.parse::<f64>().is_ok() || matches!(text, "true" | "false") => {
                text.to_owned()
            }
            text => serde_json::Value::from(text).to_string(),
        };
        self.value(bare, &json, format!("the header {name}"));
    }

    fn beside(&mut self, value: &Beside, place: String) {
        let (holder, key) = value.path.split_at(value.key_at);
        // Positions of the first and the last record, not a token: they stand on each page.
        if plain(key) != "after" || !plain(holder).ends_with("cursors") {
            self.value(key, &value.json, place);
        }
    }

    /// What the value of a key says; `place`: how a sentence names it.
    fn value(&mut self, key: &str, json: &str, place: String) {
        let Some(word) = word(&plain(key)) else {
            return;
        };
        let value: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
        let says = match word {
            Word::Total => number(&value).map(Says::Total),
            Word::Count => number(&value).map(Says::Count),
            Word::Pages => number(&value).map(Says::Pages),
            Word::LastPage => match flag(&value) {
                Some(last) => Some(Says::More(!last)),
                None => number(&value).map(Says::Pages),
            },
            Word::More => match &value {
                serde_json::Value::Number(number) => number.as_f64().map(|n| Says::More(n != 0.0)),
                value => flag(value).map(Says::More),
            },
            Word::Last => flag(&value).map(|last| Says::More(!last)),
            Word::Next => leads(&value).map(|leads| if leads { Says::Next } else { Says::NoNext }),
            Word::Error => wrong(&value).map(Says::Error),
            Word::Incomplete => (flag(&value) == Some(true)).then_some(Says::Incomplete),
            Word::Idle => None,
        };
        if let Some(says) = says {
            self.say(says, place);
        }
    }

    fn say(&mut self, says: Says, place: impl Into<String>) {
        self.0.push(Statement {
            says,
            place: place.into(),
            declared: false,
        });
    }

    /// Puts what the paginator names in its place: it is heard there as it is declared, and once.
    pub fn declare(&mut self, paginator: &Pager, total: Option<u64>, more: Option<bool>) {
        let mut add = |says: Says, place: String| {
            self.0.retain(|said| said.place != place);
            self.0.push(Statement {
                says,
                place,
                declared: true,
            });
        };
        match paginator.total().zip(total) {
            Some((Total::Items(at), count)) => add(Says::Total(count), place(at)),
            Some((Total::Pages(at), count)) => add(Says::Pages(count), place(at)),
            Some((Total::Ignored, _)) | None => {}
        }
        if let Some((path, more)) = paginator.more().zip(more) {
            add(Says::More(more), path.to_owned());
        }
        // A total of all records that a filter leaves, beside one of all that there are.
        if self
            .0
            .iter()
            .any(|said| said.place.ends_with("recordsFiltered"))
        {
            self.0
                .retain(|said| !said.place.ends_with("recordsTotal") || said.declared);
        }
    }

    /// Leaves out all that counts.
    pub fn without_counts(&mut self) {
        self.0
            .retain(|said| !matches!(said.says, Says::Total(_) | Says::Count(_) | Says::Pages(_)));
    }

    /// The first statement that `of` wants.
    pub fn find<'a, T>(
        &'a self,
        of: impl Fn(&'a Statement) -> Option<T>,
    ) -> Option<(T, &'a Statement)> {
        self.0
            .iter()
            .find_map(|said| of(said).map(|found| (found, said)))
    }

    pub fn has(&self, says: &Says) -> bool {
        self.0.iter().any(|said| said.says == *says)
    }

    /// Whether more follows: a flag that is declared counts before others, `true` before `false`.
    pub fn more(&self) -> Option<(bool, &Statement)> {
        let flags = self.0.iter().filter_map(|said| match said.says {
            Says::More(more) => Some((more, said)),
            _ => None,
        });
        flags.max_by_key(|(more, said)| (said.declared, *more))
    }

    /// A token or a link that leads on.
    pub fn leads(&self) -> Option<&Statement> {
        self.0.iter().find(|said| said.says == Says::Next)
    }
}

/// How a sentence names a place of an answer.
fn place(at: &ResponsePath) -> String {
    match at {
        ResponsePath::Header(name) => format!("the header {}", name.to_ascii_lowercase()),
        ResponsePath::Body(path) => path.clone(),
    }
}

/// A count: not below zero, and whole.
pub(super) fn count(text: &str) -> Option<u64> {
    let text = text.trim();
    text.parse::<u64>().ok().or_else(|| {
        let number = text.parse::<f64>().ok()?;
        (number >= 0.0 && number.fract() == 0.0 && number < 1e18).then_some(number as u64)
    })
}

fn number(value: &serde_json::Value) -> Option<u64> {
    match value {
        serde_json::Value::Number(number) => count(&number.to_string()),
        serde_json::Value::String(text) => count(text),
        _ => None,
    }
}

fn flag(value: &serde_json::Value) -> Option<bool> {
    match value {
        serde_json::Value::Bool(flag) => Some(*flag),
        serde_json::Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        serde_json::Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Whether the value of a token or of a link leads on; `None`: it cannot be told.
fn leads(value: &serde_json::Value) -> Option<bool> {
    use serde_json::Value;
    Some(match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => {
            let mut values = object.values();
            values.any(|value| match value {
                Value::String(text) => !text.is_empty(),
                Value::Number(_) => true,
                _ => false,
            })
        }
    })
}

/// The words of an error, if it is one.
fn wrong(value: &serde_json::Value) -> Option<String> {
    use serde_json::Value;
    let words = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => return None,
        Value::Object(object) if object.is_empty() => return None,
        Value::Array(_) | Value::Object(_) => {
            let inner = value.pointer("/0").unwrap_or(value);
            let message = ["message", "detail", "title", "code"]
                .iter()
                .find_map(|key| inner.get(key)?.as_str());
            message.map_or_else(|| inner.to_string(), str::to_owned)
        }
        Value::Bool(true) => "true".to_owned(),
        _ => return None,
    };
    let words: String = words
        .chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect();
    (!words.trim().is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str, headers: &[(&str, &str)]) -> Vec<(String, Says)> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        let statements = Statements::of(&listen(body, hears), &map);
        let said = statements.0.into_iter();
        said.map(|said| (said.place, said.says)).collect()
    }

    fn one(body: &str) -> Option<Says> {
        let mut said = said(body, &[]);
        assert!(said.len() < 2, "{said:?}");
        said.pop().map(|(_, says)| says)
    }

    #[test]
    fn totals_are_heard_under_their_usual_names_and_only_where_they_are_counts() {
        for body in [
            r#"{"total": 53}"#,
            r#"{"totalCount": "53"}"#,
            r#"{"total_count": 53.0}"#,
            r#"{"@odata.count": 53}"#,
            r#"{"meta": {"total": 53}}"#,
            r#"{"paging": {"total": 53}}"#,
            r#"{"page": {"totalElements": 53, "size": 10, "number": 0}}"#,
            r#"{"meta": {"pagination": {"total": 53}}}"#,
        ] {
            assert_eq!(one(body), Some(Says::Total(53)), "{body}");
        }
        for body in [
            r#"{"total": -1}"#,
            r#"{"total": 12.5}"#,
            r#"{"total": null}"#,
            r#"{"total": {"value": 53}}"#,
            r#"{"total": "many"}"#,
            r#"{"facets": {"total": 53}}"#,
            r#"{"a": {"b": {"c": {"total": 53}}}}"#,
        ] {
            assert_eq!(one(body), None, "{body}");
        }
        assert_eq!(one(r#"{"count": 53}"#), Some(Says::Count(53)));
    }

    #[test]
    fn pages_and_flags_are_heard() {
        for body in [
            r#"{"meta": {"last_page": 6}}"#,
            r#"{"totalPages": 6}"#,
            r#"{"info": {"pages": 6}}"#,
        ] {
            assert_eq!(one(body), Some(Says::Pages(6)), "{body}");
        }
        for (body, more) in [
            (r#"{"has_more": true}"#, true),
            (r#"{"hasMore": "false"}"#, false),
            (r#"{"pageInfo": {"hasNextPage": true}}"#, true),
            (r#"{"last": true}"#, false),
            (r#"{"isLast": false}"#, true),
            (r#"{"last_page": true}"#, false),
        ] {
            assert_eq!(one(body), Some(Says::More(more)), "{body}");
        }
    }

    #[test]
    fn tokens_and_links_lead_on_or_say_that_nothing_does() {
        for (body, leads) in [
            (r#"{"next": "/x?page=2"}"#, true),
            (r#"{"nextPageToken": "t"}"#, true),
            (r#"{"next_cursor": 7}"#, true),
            (r#"{"next": {"href": "/x"}}"#, true),
            (r#"{"_links": {"next": {"href": "/x"}}}"#, true),
            (r#"{"links": {"next": null}}"#, false),
            (r#"{"next": ""}"#, false),
            (r#"{"next_cursor": 0}"#, false),
            (r#"{"list_metadata": {"before": null, "after": "x"}}"#, true),
            (r#"{"next": ["t"]}"#, true),
            (r#"{"next": true}"#, true),
        ] {
            let says = if leads { Says::Next } else { Says::NoNext };
            assert_eq!(one(body), Some(says), "{body}");
        }
        // Positions of the page's own records.
        assert_eq!(one(r#"{"paging": {"cursors": {"after": "x"}}}"#), None);
    }

    #[test]
    fn headers_are_heard() {
        let heard = |name: &str, value: &str| said("{}", &[(name, value)]);
        for (name, value) in [
            ("X-Total-Count", "53"),
            ("X-Total", "53"),
            ("X-WP-Total", "53"),
            ("Total-Count", "53"),
            ("X-Pagination-Total-Count", "53"),
            ("Content-Range", "items 0-9/53"),
            ("X-Pagination", r#"{"TotalCount":53}"#),
        ] {
            let [(place, Says::Total(53))] = &heard(name, value)[..] else {
                panic!("{name}: {:?}", heard(name, value))
            };
            assert!(place.contains("header"), "{place}");
        }
        let says = |name: &str, value: &str| heard(name, value).pop().map(|(_, says)| says);
        assert_eq!(says("X-Total-Pages", "6"), Some(Says::Pages(6)));
        assert_eq!(says("X-WP-TotalPages", "6"), Some(Says::Pages(6)));
        assert_eq!(says("X-Next-Page", "2"), Some(Says::Next));
        assert_eq!(says("X-Next-Page", ""), Some(Says::NoNext));
        assert_eq!(says("Link", "</x?page=2>; rel=\"next\""), Some(Says::Next));
        assert_eq!(says("Link", "</x?page=1>; rel=\"prev\""), None);
        assert_eq!(says("Content-Range", "bytes 0-9/53"), None);
        assert_eq!(says("X-RateLimit-Limit", "53"), None);
    }

    #[test]
    fn errors_beside_the_records_are_heard_in_their_words() {
        for body in [
            r#"{"errors": [{"message": "quota"}]}"#,
            r#"{"error": "quota"}"#,
            r#"{"error": {"detail": "quota"}}"#,
        ] {
            assert_eq!(one(body), Some(Says::Error("quota".into())), "{body}");
        }
        for body in [
            r#"{"errors": []}"#,
            r#"{"error": null}"#,
            r#"{"error": false}"#,
        ] {
            assert_eq!(one(body), None, "{body}");
        }
    }

    #[test]
    fn values_of_any_kind_say_nothing_or_something_and_never_panic() {
        let values = [
            "null",
            "true",
            "0",
            "-1",
            "1e400",
            "\"\"",
            "[]",
            "{}",
            "[[{}]]",
            "{\"a\":{}}",
        ];
        for key in [
            "total",
            "count",
            "pages",
            "last_page",
            "has_more",
            "last",
            "next",
            "errors",
        ] {
            for value in values {
                said(&format!("{{\"{key}\": {value}}}"), &[]);
                said(&format!("{{\"meta\": {{\"{key}\": {value}}}}}"), &[]);
            }
        }
    }
}
