//! The usual names of statements about lists.

use super::faults::{Sign, sign};

/// The meaning of a name by its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// More follows if it is true, or more than 0.
    More,
    /// More may follow if it is true: it may concern something else.
    MayBeMore,
    /// The list has not ended if it is false.
    End,
    /// The API has cut the list if it is true.
    Cut,
    /// What is not in the list.
    Absent,
    /// What may not be in the list.
    Hidden,
    /// The same, also if it is only true.
    Redacted,
    /// The number of rows that a filter has left, or left out.
    Filtered,
    /// How much was skipped.
    Skipped,
    /// It may be old or incomplete if it is true.
    Bad,
    /// The same, if it is false.
    Good,
    /// When to ask again.
    Retry,
    /// Parts of the API, each with its state.
    Sources,
    /// The number of all rows.
    Total,
    /// The number of all rows, or of those of the page.
    Matched,
    /// The number of rows of what holds the list.
    Held,
    /// A token that may be a date of the request.
    After,
    /// Records under another name.
    Records,
}

/// The meaning of a value's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Total,
    Count,
    /// A number of something, which may be the rows: `things_total`.
    Named,
    /// A flag that makes the total beside it a lower bound.
    Bound,
    Pages,
    /// The number of the last page, or a flag.
    LastPage,
    More,
    /// What remains, of the list or of something else.
    Left,
    Last,
    Next,
    /// A token that may lead on, or that is the one that was requested.
    Token,
    Offset,
    Page,
    Links,
    Fault(Sign),
    Incomplete,
    /// A flag that is true on a last page at which the API stopped.
    Limit,
    /// A flag that is true on the last page.
    Done,
    /// The number of all rows, beside a length of pages.
    Size,
    /// The number of rows of the page.
    OfPage,
    /// The length of pages.
    Length,
    /// What the words of the name say.
    Hint(Hint),
    /// It says nothing about the list, but may stand beside it.
    Idle,
}

/// Objects that contain statements about a list.
pub(super) const HOLDERS: [&str; 26] = [
    "cursors",
    "hits",
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
    "query",
    "responsemetadata",
    "resultinfo",
    "resultset",
    "searchmetadata",
    "shards",
    "status",
    "summary",
    "view",
];

/// Holders that, without a list beside them, are no empty list.
pub(super) const NOT_ALONE: [&str; 6] = ["hits", "query", "shards", "status", "summary", "view"];

/// Objects that repeat the request, or sum the records up: of their values only totals count.
pub(super) const LOOSE: [&str; 2] = ["query", "summary"];

/// Parts of the names of objects that count and lead to something other than the records.
pub(super) const OTHERS: [&str; 12] = [
    "account",
    "aggregat",
    "aggs",
    "billing",
    "bucket",
    "credit",
    "facet",
    "quota",
    "ratelimit",
    "subscription",
    "usage",
    "user",
];

/// Returns whether an object of such a name may describe the response that it is in: `d`, `result`,
/// `queryResponse`, `resultSetMetaData`.
pub(super) fn is_envelope(plain: &str) -> bool {
    const ENDS: [&str; 5] = ["context", "envelope", "metadata", "response", "result"];
    plain == "d" || ENDS.iter().any(|end| plain.ends_with(end))
}

/// Returns a name in lower case, with only letters and digits.
pub(in crate::page) fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).take(32).collect()
}

/// What totals count.
const ROWS: [&str; 31] = [
    "",
    "available",
    "count",
    "docs",
    "documents",
    "elementos",
    "elements",
    "entries",
    "filas",
    "found",
    "hits",
    "item",
    "items",
    "lignes",
    "matches",
    "nombre",
    "num",
    "number",
    "objects",
    "record",
    "records",
    "registros",
    "resources",
    "result",
    "resultados",
    "resultats",
    "results",
    "row",
    "rows",
    "size",
    "zeilen",
];

/// Returns what a name counts, if it says so: `things` for `totalThings`, `things_count` and
/// `num_things`, and `""` for `total`.
pub(super) fn noun(plain: &str) -> Option<&str> {
    let rest = plain
        .strip_prefix("total")
        .or_else(|| plain.strip_suffix("total"));
    let rest = rest.map(|rest| rest.strip_prefix("numberof").unwrap_or(rest));
    let bare = rest.map(|rest| match rest.strip_suffix("count") {
        Some(noun) if !noun.is_empty() => noun,
        _ => rest,
    });
    bare.or_else(|| plain.strip_suffix("count"))
        .or_else(|| plain.strip_prefix("numberof"))
        .or_else(|| plain.strip_prefix("num"))
        .or_else(|| plain.strip_prefix("nb"))
}

/// Returns whether totals count what this noun names.
pub(super) fn is_row(noun: &str) -> bool {
    ROWS.contains(&noun)
}

/// Returns whether a name says that it counts the rows of all pages: `totalCount`, `rows_total`,
/// `numFound`.
fn is_total(plain: &str) -> bool {
    let of_total = plain.starts_with("total") || plain.ends_with("total");
    of_total && noun(plain).is_some_and(is_row)
        || matches!(
            plain,
            "allcount"
                | "foundposts"
                | "fullcount"
                | "gesamt"
                | "gesamtanzahl"
                | "listtotalcount"
                | "nbhits"
                | "numbermatched"
                | "numfound"
                | "odatacount"
                | "recordsfiltered"
                | "totalcnt"
                | "totalnum"
                | "xtotal"
        )
}

/// Returns what one of the usual names means.
pub(super) fn usual(name: &str) -> Option<Word> {
    let bare = bare(name);
    let known = known(&plain(name));
    match bare.len() == name.len() {
        true => known,
        false => known.or_else(|| self::known(&plain(bare))),
    }
}

/// Returns a name without that of its namespace: `hydra:totalItems`, `@odata.nextLink`.
pub(super) fn bare(name: &str) -> &str {
    let bare = name.rsplit(':').next().unwrap_or(name);
    match bare.starts_with('@') {
        true => bare.rsplit('.').next().unwrap_or(bare),
        false => bare,
    }
}

fn known(plain: &str) -> Option<Word> {
    if is_total(plain) {
        return Some(Word::Total);
    }
    Some(match plain {
        "count" | "itemcount" | "itemscount" | "resultcount" | "resultscount" | "rowcount"
        | "rowscount" | "recordcount" | "recordscount" | "entrycount" | "entriescount"
        | "found" | "numresults" | "numitems" | "numrecords" | "numrows" | "nbresults"
        | "nbitems" | "nbrecords" | "numberofresults" | "numberofitems" | "numberofrecords"
        | "hits" | "of" => Word::Count,
        "relation" | "totalrelation" | "countrelation" | "totaliscapped" | "totalcapped"
        | "istotalcapped" | "iscapped" | "capped" | "countiscapped" | "countcapped"
        | "approximate" | "isapproximate" | "totalisapproximate" | "estimated" | "isestimated"
        | "totalisestimated" | "isestimate" | "totalisestimate" => Word::Bound,
        "pages" | "totalpages" | "totalpage" | "pagecount" | "pagescount" | "totalpagecount"
        | "pagestotal" | "pagetotal" | "numpages" | "nbpages" | "numberofpages"
        | "totalnumberofpages" => Word::Pages,
        "lastpage" => Word::LastPage,
        "more"
        | "hasmore"
        | "hasnext"
        | "hasnextpage"
        | "hasmorepages"
        | "hasmoreitems"
        | "hasmoreresults"
        | "hasmoredata"
        | "hasmorerecords"
        | "hasmorerows"
        | "moreresults"
        | "moreavailable"
        | "morerecords"
        | "ismore"
        | "moreitemsinlist"
        | "nextpageexists"
        | "istruncated"
        | "truncated"
        | "exceededtransferlimit"
        | "remainingitemcount"
        | "remainingitems"
        | "remainingcount"
        | "remainingresults"
        | "remainingrecords"
        | "remainingrows"
        | "itemsremaining"
        | "recordsremaining"
        | "resultsremaining"
        | "rowsremaining" => Word::More,
        "remaining" | "left" => Word::Left,
        "last" | "islast" | "islastpage" | "endoflist" | "isend" => Word::Last,
        "next" | "nexturl" | "nexturi" | "nextlink" | "nexthref" | "nextpage" | "nextpageurl"
        | "nextpageuri" | "nextpagelink" | "nextpagetoken" | "nextpagecursor" | "nextpagekey"
        | "nextcursor" | "nexttoken" | "nextkey" | "nextmarker" | "nextoffset" | "nextstart"
        | "nextrecordsurl" | "odatanextlink" | "continuation" | "continuationtoken"
        | "continue" | "continuetoken" | "paginationtoken" | "after" => Word::Next,
        "cursor" | "bookmark" | "scrollid" | "pagetoken" | "resumptiontoken" | "resumetoken"
        | "lastevaluatedkey" | "pagingtoken" | "pagingcursor" | "cursormark" | "marker"
        | "scroll" => Word::Token,
        "offset" => Word::Offset,
        "page" => Word::Page,
        "links" | "link" => Word::Links,
        "incompleteresults" | "incomplete" | "isincomplete" | "partial" | "ispartial"
        | "partialresults" | "partialresult" | "haspartialresults" | "partialdata"
        | "partialfailure" | "timedout" | "terminatedearly" => Word::Incomplete,
        "limitreached" | "limitexceeded" | "limitwasreached" | "maxreached"
        | "maxresultsreached" | "resultlimitreached" | "capreached" => Word::Limit,
        "done" | "isdone" | "complete" | "iscomplete" | "completed" | "iscompleted"
        | "finished" | "isfinished" | "jobcomplete" | "jobcompleted" | "jobdone"
        | "querycomplete" | "querycompleted" => Word::Done,
        "size" => Word::Size,
        "returned" | "numberreturned" | "numreturned" | "returnedcount" | "countreturned"
        | "recordsreturned" | "itemsreturned" | "rowsreturned" | "resultsreturned" | "length"
        | "itemsinpage" | "itemsonpage" | "recordsinpage" | "rowsinpage" | "resultsinpage"
        | "currentpagecount" | "currentcount" | "currentitemcount" => Word::OfPage,
        "perpage" | "pagesize" | "pagelen" | "pagelength" | "itemsperpage" => Word::Length,
        "limit" | "currentpage" | "pagenumber" | "number" | "first" | "prev" | "previous"
        | "previouspage" | "before" | "kind" | "etag" | "requestid" | "self" | "startat"
        | "maxresults" => Word::Idle,
        _ => return other(plain),
    })
}

/// Returns what a name means that is not one of the usual ones.
fn other(plain: &str) -> Option<Word> {
    const PLACES: [&str; 12] = [
        "batch", "cursor", "href", "id", "key", "link", "marker", "offset", "page", "position",
        "start", "token",
    ];
    if let Some(sign) = sign(plain) {
        return Some(Word::Fault(sign));
    }
    // The tokens of later changes are none of the list.
    let later = ["sync", "delta", "run", "update", "event", "payment"];
    if let Some(what) = plain.strip_prefix("next")
        && PLACES.iter().any(|place| what.contains(place))
        && !later.iter().any(|word| what.contains(word))
    {
        return Some(Word::Token);
    }
    None
}
