//! The kinds of paginators and their keys, as `etlgen.toml` and the lock write them.

use super::Paginator;

/// A kind of paginator with the keys of its table.
///
/// ```
/// use etlgen_model::Kind;
///
/// let token = Kind::named("token").unwrap();
/// assert_eq!(token.needs, ["param", "next"]);
/// assert!(token.takes("first"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// A sentence about it.
    pub about: &'static str,
    /// The keys that it needs.
    pub needs: &'static [&'static str],
    /// The keys that it may have.
    pub may: &'static [&'static str],
}

/// A key of a paginator's table.
///
/// ```
/// use etlgen_model::Key;
///
/// assert!(Key::ALL.iter().any(|key| key.name == "page_size"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// A description of its value.
    pub about: &'static str,
}

const fn key(name: &'static str, about: &'static str) -> Key {
    Key { name, about }
}

impl Key {
    /// All keys besides `kind`.
    pub const ALL: &'static [Key] = &[
        key("param", "the parameter that asks for a page"),
        key(
            "next",
            "the place of the next token or URL: a dotted path of the body, or `header:NAME`",
        ),
        key(
            "field",
            "the field of the last record that is sent, as a dotted path, if it is not the primary key",
        ),
        key(
            "first",
            "the value that requests the first page: the number of the first page or row, or the first token, which may be empty",
        ),
        key(
            "more",
            "the dotted path of a boolean: whether more pages follow",
        ),
        key(
            "total",
            "the place of the number of items in all pages: a dotted path or `header:NAME`; `false`: the API's totals are wrong",
        ),
        key(
            "pages",
            "the place of the number of pages: a dotted path or `header:NAME`",
        ),
        key(
            "size",
            "the parameter that takes the number of rows of a page",
        ),
        key("page_size", "the number of rows to request per page"),
        key(
            "in_body",
            "whether page parameters are fields of the JSON body of a POST",
        ),
        key(
            "in_json",
            "the query parameter that carries the page parameters as a JSON object",
        ),
        key(
            "in_pairs",
            "the query parameter whose value joins names and values of the page parameters: `limit,20,offset,40`",
        ),
        key(
            "empty_pages",
            "how many consecutive empty pages are followed, each with a new token; the default is 1000",
        ),
    ];
}

const COMMON: &[&str] = &[
    "more",
    "total",
    "pages",
    "size",
    "page_size",
    "in_body",
    "in_json",
    "in_pairs",
    "empty_pages",
];
const FIELD: &[&str] = &[
    "field",
    "more",
    "total",
    "pages",
    "size",
    "page_size",
    "in_body",
    "in_json",
    "in_pairs",
    "empty_pages",
];
const PARAM: &[&str] = &[
    "param",
    "first",
    "more",
    "total",
    "pages",
    "size",
    "page_size",
    "in_body",
    "in_json",
    "in_pairs",
    "empty_pages",
];
const FIRST: &[&str] = &[
    "first",
    "more",
    "total",
    "pages",
    "size",
    "page_size",
    "in_body",
    "in_json",
    "in_pairs",
    "empty_pages",
];

impl Kind {
    /// All kinds.
    pub const ALL: &'static [Kind] = &[
        Kind {
            name: "single",
            about: "everything comes in one response",
            needs: &[],
            may: &[],
        },
        Kind {
            name: "page_number",
            about: "a parameter carries the number of the page",
            needs: &["param"],
            may: FIRST,
        },
        Kind {
            name: "offset",
            about: "a parameter carries the number of rows received so far",
            needs: &["param"],
            may: FIRST,
        },
        Kind {
            name: "token",
            about: "a parameter carries a token that the previous page returned",
            needs: &["param", "next"],
            may: FIRST,
        },
        Kind {
            name: "last_id",
            about: "a parameter carries the id of the last record received",
            needs: &["param"],
            may: FIELD,
        },
        Kind {
            name: "next_url",
            about: "the body holds the URL of the next page",
            needs: &["next"],
            may: COMMON,
        },
        Kind {
            name: "link_header",
            about: "the `Link` header with `rel=\"next\"` holds the URL of the next page",
            needs: &[],
            may: PARAM,
        },
        Kind {
            name: "undecided",
            about: "etlgen could not tell: the resource is off; a run that names it reads one page, which must prove the end",
            needs: &[],
            may: &[],
        },
    ];

    /// Returns the kind of that name.
    pub fn named(name: &str) -> Option<&'static Kind> {
        Kind::ALL.iter().find(|kind| kind.name == name)
    }

    /// Returns the names of all kinds.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Kind::ALL.iter().map(|kind| kind.name)
    }

    /// Returns whether the key belongs to it.
    pub fn takes(&self, key: &str) -> bool {
        self.keys().any(|known| known == key)
    }

    /// Returns the keys that it needs, then those that it may have.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.needs.iter().chain(self.may).copied()
    }

    /// Names of earlier releases, and their replacements.
    pub(super) const OLD: &'static [(&'static str, &'static str)] = &[
        ("cursor_param", "it is `token`"),
        ("cursor", "it is `token`"),
        (
            "header_cursor",
            "it is `token`, with `next = \"header:NAME\"`",
        ),
        ("cursor_last_id", "it is `last_id`"),
        ("token_in_body_post", "it is `token`, with `in_body = true`"),
        ("none", "it is `single`"),
    ];
}

impl Paginator {
    /// Returns the name of its kind, in `etlgen.toml`, in the lock and in `inspect`.
    pub fn kind(&self) -> &'static str {
        match self {
            Paginator::Single => "single",
            Paginator::Undecided => "undecided",
            Paginator::LastId(_) => "last_id",
            Paginator::Token(_) => "token",
            Paginator::PageNumber(_) => "page_number",
            Paginator::Offset(_) => "offset",
            Paginator::NextUrl(_) => "next_url",
            Paginator::LinkHeader(_) => "link_header",
        }
    }
}
