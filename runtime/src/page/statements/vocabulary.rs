//! The words of which names of statements about lists consist.

/// All rows, not those of one page.
pub(super) const SUMS: &[&str] = &["total", "totals", "overall"];
/// The rows that a request matches.
pub(super) const MATCHED: &[&str] = &["matched", "matching", "match", "matches", "found", "all"];
pub(super) const NUMBERS: &[&str] = &["count", "cnt", "num", "number", "size", "quantity"];
/// What totals count.
pub(super) const ROWS: &[&str] = &[
    "nodes",
    "node",
    "edges",
    "edge",
    "items",
    "item",
    "records",
    "record",
    "rows",
    "row",
    "results",
    "result",
    "entries",
    "entry",
    "elements",
    "element",
    "objects",
    "object",
    "documents",
    "document",
    "docs",
    "hits",
    "hit",
    "resources",
];
pub(super) const PAGES: &[&str] = &[
    "pages",
    "page",
    "pagina",
    "paginas",
    "p\u{e1}gina",
    "p\u{e1}ginas",
    "seite",
    "seiten",
    "pagine",
];
/// Words that hold names together.
pub(super) const FILLS: &[&str] = &[
    "is",
    "are",
    "was",
    "were",
    "been",
    "be",
    "has",
    "have",
    "had",
    "the",
    "there",
    "any",
    "of",
    "in",
    "to",
    "for",
    "on",
    "that",
    "list",
    "lists",
    "collection",
    "set",
    "data",
    "query",
    "search",
    "response",
    "output",
    "batch",
    "stream",
    "file",
    "chunk",
    "chunks",
    "feed",
];
/// Those that names of totals may have.
pub(super) const JOINS: &[&str] = &[
    "the",
    "of",
    "in",
    "for",
    "list",
    "data",
    "collection",
    "set",
];
/// What holds the rows of a list.
pub(super) const HOLD: &[&str] = &[
    "container",
    "bucket",
    "folder",
    "directory",
    "table",
    "index",
];
pub(super) const MORE: &[&str] = &["more", "additional", "further"];
pub(super) const LEFT: &[&str] = &["remaining", "left", "outstanding"];
/// That something comes.
pub(super) const COMES: &[&str] = &[
    "coming",
    "available",
    "exist",
    "exists",
    "follow",
    "follows",
    "come",
    "load",
    "fetch",
    "waiting",
];
pub(super) const NEXT: &[&str] = &[
    "next",
    "proxima",
    "proximo",
    "pr\u{f3}xima",
    "pr\u{f3}ximo",
    "siguiente",
    "suivante",
    "suivant",
    "successiva",
    "weiter",
];
pub(super) const ENDS: &[&str] = &[
    "end",
    "ended",
    "complete",
    "completed",
    "loaded",
    "finished",
    "done",
    "exhausted",
    "final",
];
/// Ends that need no other word.
pub(super) const EOF: &[&str] = &["eof", "eos", "eol"];
pub(super) const ENDING: &[&str] = &["fully", "all", "loading", "scan", "job", "completely"];
/// That the API has cut the list.
pub(super) const CUT: &[&str] = &[
    "truncated",
    "limited",
    "sampled",
    "capped",
    "cut",
    "clipped",
    "trimmed",
    "shortened",
    "abridged",
];
pub(super) const REACHED: &[&str] = &["over", "exceed", "exceeds", "exceeded", "reached", "hit"];
pub(super) const LIMITS: &[&str] = &["limit", "limits", "max", "maximum", "cap", "threshold"];
/// That rows are certainly left out.
pub(super) const ABSENT: &[&str] = &[
    "unreachable",
    "unavailable",
    "inaccessible",
    "omitted",
    "dropped",
    "withheld",
    "undelivered",
];
/// That rows may be left out.
pub(super) const HIDDEN: &[&str] = &[
    "skipped",
    "missing",
    "hidden",
    "excluded",
    "suppressed",
    "redacted",
    "filtered",
    "unprocessed",
    "unresolved",
];
pub(super) const RIGHTS: &[&str] = &["permission", "permissions", "access", "acl", "security"];
/// States in which a response may be incomplete or old.
pub(super) const BAD: &[&str] = &[
    "stale",
    "degraded",
    "timeout",
    "throttled",
    "indexing",
    "reindexing",
    "rebuilding",
    "overloaded",
    "loading",
    "processing",
    "pending",
    "syncing",
    "initializing",
];
pub(super) const GOOD: &[&str] = &["available", "ready", "healthy"];
/// What has a state.
pub(super) const SERVED: &[&str] = &["service", "cluster", "backend", "cache", "rate"];
/// Parts of an API of which each may fail.
pub(super) const SOURCES: &[&str] = &[
    "sources",
    "shards",
    "backends",
    "regions",
    "partitions",
    "upstreams",
    "replicas",
];
/// Tokens of all kinds.
pub(super) const TOKENS: &[&str] = &["token", "key", "cookie"];
/// Tokens that hardly are those of something else.
pub(super) const CURSORS: &[&str] = &["cursor", "marker", "bookmark", "continuation"];
/// Which token leads on.
pub(super) const ONWARD: &[&str] = &[
    "skip",
    "page",
    "paging",
    "pagination",
    "list",
    "scan",
    "scroll",
    "continuation",
    "resume",
    "resumption",
    "last",
    "more",
    "offset",
    "fetch",
    "continue",
];
/// What may follow `next`.
pub(super) const PLACES: &[&str] = &[
    "batch", "cursor", "href", "id", "key", "link", "marker", "offset", "page", "position",
    "start", "token", "chunk", "index", "range", "cookie", "url", "uri", "query", "skip", "slice",
];
/// Tokens of something else: of other pages, of later changes, of a person.
pub(super) const OTHER: &[&str] = &[
    "prev", "previous", "before", "first", "start", "end", "current", "self", "this", "sync",
    "delta", "run", "update", "event", "payment", "csrf", "xsrf", "access", "session", "refresh",
    "release", "retry",
];
/// What is used up by requests, not by the rows of a list.
pub(super) const QUOTA: &[&str] = &[
    "rate",
    "ratelimit",
    "quota",
    "quotas",
    "usage",
    "used",
    "credit",
    "credits",
    "budget",
    "api",
    "call",
    "calls",
    "request",
    "requests",
    "billing",
    "plan",
    "storage",
    "allowance",
];
/// Settings and requests: what is wanted, not what is.
pub(super) const WANTED: &[&str] = &[
    "include",
    "exclude",
    "show",
    "hide",
    "with",
    "without",
    "skip",
    "ignore",
    "allow",
    "only",
    "no",
    "default",
    "requested",
    "sort",
    "order",
    "filter",
    "read",
    "see",
    "learn",
    "min",
    "per",
];
/// Parts of records.
pub(super) const FIELDS: &[&str] = &[
    "field",
    "fields",
    "column",
    "columns",
    "property",
    "properties",
    "attribute",
    "attributes",
    "key",
    "keys",
    "tag",
    "tags",
    "label",
    "labels",
    "reason",
    "since",
    "until",
    "at",
];
/// What belongs to one page.
pub(super) const OF_PAGE: &[&str] = &[
    "page", "this", "returned", "current", "batch", "max", "maximum", "limit", "first", "last",
    "start", "end", "offset", "sub", "chunk",
];
/// Texts about the response.
pub(super) const NOTES: &[&str] = &[
    "note",
    "notes",
    "notice",
    "notices",
    "alert",
    "alerts",
    "remark",
    "remarks",
    "hint",
    "info",
    "information",
    "title",
];
/// Texts that say why there is nothing.
pub(super) const REASONS: &[&str] = &["detail", "details", "reason", "msg"];
/// Words that are known only to divide names.
const OTHERS: &[&str] = &[
    "xml",
    "too",
    "many",
    "after",
    "message",
    "evaluated",
    "exception",
];

/// All words, by which names are divided that have no other sign of it.
pub(super) const KNOWN: &[&[&str]] = &[
    SUMS, MATCHED, NUMBERS, ROWS, PAGES, FILLS, HOLD, MORE, LEFT, COMES, NEXT, ENDS, EOF, ENDING,
    CUT, REACHED, LIMITS, ABSENT, HIDDEN, RIGHTS, BAD, GOOD, SERVED, SOURCES, TOKENS, CURSORS,
    ONWARD, PLACES, OTHER, QUOTA, WANTED, FIELDS, OF_PAGE, NOTES, REASONS, OTHERS,
];
