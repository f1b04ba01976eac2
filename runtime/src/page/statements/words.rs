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

pub(super) fn word(plain: &str) -> Option<Word> {
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
        "error" | "errors" => Word::Error,
        "incompleteresults" => Word::Incomplete,
        "limit" | "perpage" | "pagesize" | "offset" | "currentpage" | "pagenumber" | "number"
        | "size" | "first" | "prev" | "previous" | "previouspage" | "before" | "kind" | "etag"
        | "requestid" | "self" | "startat" | "maxresults" => Word::Idle,
        _ => return None,
    })
}
