//! The usual names of statements about lists.

/// The meaning of a value's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
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
    /// A flag that is true on the last page.
    Done,
    /// It says nothing about the list, but may stand beside it.
    Idle,
}

/// Objects that contain statements about a list.
pub(super) const HOLDERS: [&str; 20] = [
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

/// Returns a name in lower case, with only letters and digits.
pub(super) fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).take(32).collect()
}

/// What totals count.
const ROWS: [&str; 21] = [
    "",
    "count",
    "docs",
    "documents",
    "elements",
    "entries",
    "found",
    "hits",
    "item",
    "items",
    "matches",
    "num",
    "number",
    "objects",
    "record",
    "records",
    "result",
    "results",
    "row",
    "rows",
    "size",
];

/// Returns whether a name says that it counts the rows of all pages: `totalCount`, `rows_total`,
/// `numFound`.
fn is_total(plain: &str) -> bool {
    let rest = plain
        .strip_prefix("total")
        .or_else(|| plain.strip_suffix("total"));
    let rest = rest.map(|rest| rest.strip_prefix("numberof").unwrap_or(rest));
    let bare = rest.map(|rest| match rest.strip_suffix("count") {
        Some(noun) if !noun.is_empty() => noun,
        _ => rest,
    });
    bare.is_some_and(|bare| ROWS.contains(&bare))
        || matches!(
            plain,
            "fullcount"
                | "nbhits"
                | "numfound"
                | "odatacount"
                | "recordsfiltered"
                | "totalavailable"
        )
}

pub(super) fn word(plain: &str) -> Option<Word> {
    if is_total(plain) {
        return Some(Word::Total);
    }
    Some(match plain {
        "count" | "itemcount" | "itemscount" | "resultcount" | "resultscount" | "rowcount"
        | "recordcount" | "entrycount" | "found" | "numresults" => Word::Count,
        "pages" | "totalpages" | "totalpage" | "pagecount" | "pagescount" | "totalpagecount"
        | "pagestotal" | "pagetotal" | "numpages" | "nbpages" | "numberofpages"
        | "totalnumberofpages" => Word::Pages,
        "lastpage" => Word::LastPage,
        "more" | "hasmore" | "hasnext" | "hasnextpage" | "hasmorepages" | "hasmoreitems"
        | "hasmoreresults" | "hasmoredata" | "moreresults" | "moreavailable"
        | "moreitemsinlist" | "nextpageexists" | "istruncated" | "truncated"
        | "remainingitemcount" | "remainingitems" | "remainingcount" | "remainingresults"
        | "remainingrecords" | "remainingrows" | "itemsremaining" | "recordsremaining"
        | "resultsremaining" | "rowsremaining" => Word::More,
        "last" | "islast" | "islastpage" | "endoflist" | "isend" => Word::Last,
        "next" | "nexturl" | "nexturi" | "nextlink" | "nexthref" | "nextpage" | "nextpageurl"
        | "nextpageuri" | "nextpagelink" | "nextpagetoken" | "nextpagecursor" | "nextpagekey"
        | "nextcursor" | "nexttoken" | "nextkey" | "nextmarker" | "nextoffset" | "nextstart"
        | "nextrecordsurl" | "odatanextlink" | "continuation" | "continuationtoken"
        | "continue" | "continuetoken" | "paginationtoken" | "after" => Word::Next,
        "error" | "errors" => Word::Error,
        "incompleteresults" | "incomplete" | "isincomplete" | "partial" | "ispartial"
        | "partialresults" | "partialresult" | "timedout" | "terminatedearly" => Word::Incomplete,
        "done" | "isdone" | "complete" | "iscomplete" | "finished" | "isfinished" => Word::Done,
        "limit" | "perpage" | "pagesize" | "offset" | "currentpage" | "pagenumber" | "number"
        | "size" | "first" | "prev" | "previous" | "previouspage" | "before" | "kind" | "etag"
        | "requestid" | "self" | "startat" | "maxresults" => Word::Idle,
        _ => return None,
    })
}
