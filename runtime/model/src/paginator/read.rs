//! Reads a paginator from a table or a word, with errors that name the key.

use std::fmt;
use std::num::NonZeroU64;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{
    Common, Key, Kind, LastId, LinkHeader, NextUrl, Offset, PageNumber, PageSize, Paginator, Token,
    Total,
};
use crate::ResponsePath;
use crate::near::{hint, quoted};

impl<'de> Deserialize<'de> for Paginator {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Form)
    }
}

struct Form;

impl<'de> Visitor<'de> for Form {
    type Value = Paginator;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a kind of paginator, or a table with `kind`")
    }

    fn visit_str<E: Error>(self, kind: &str) -> Result<Paginator, E> {
        Table::default().paginator(kind).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Paginator, A::Error> {
        let mut table = Table::default();
        let mut kind: Option<String> = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "kind" => kind = Some(map.next_value()?),
                "param" => table.param = Some(map.next_value()?),
                "next" => table.next = Some(map.next_value()?),
                "field" => table.field = Some(map.next_value()?),
                "first" => table.first = Some(map.next_value()?),
                "more" => table.more = Some(map.next_value()?),
                "total" => table.total = Some(map.next_value()?),
                "pages" => table.pages = Some(map.next_value()?),
                "size" => table.size = Some(map.next_value()?),
                "page_size" => table.page_size = Some(map.next_value()?),
                "in_body" => table.in_body = Some(map.next_value()?),
                "in_json" => table.in_json = Some(map.next_value()?),
                "in_pairs" => table.in_pairs = Some(map.next_value()?),
                "empty_pages" => table.empty_pages = Some(map.next_value()?),
                _ => {
                    let known = || {
                        ["kind"]
                            .into_iter()
                            .chain(Key::ALL.iter().map(|it| it.name))
                    };
                    return Err(A::Error::custom(format!(
                        "`{key}` is not a key of a paginator{}; its keys are {}",
                        hint(&key, known()),
                        quoted(known())
                    )));
                }
            }
        }
        let kind = kind.ok_or_else(|| {
            let kinds = quoted(Kind::names());
            A::Error::custom(format!("`kind` is missing: it is one of {kinds}"))
        })?;
        table.paginator(&kind).map_err(A::Error::custom)
    }
}

/// The keys of all kinds.
#[derive(Default)]
struct Table {
    param: Option<String>,
    next: Option<ResponsePath>,
    field: Option<String>,
    first: Option<First>,
    more: Option<String>,
    total: Option<TotalKey>,
    pages: Option<ResponsePath>,
    size: Option<String>,
    page_size: Option<u64>,
    in_body: Option<bool>,
    in_json: Option<String>,
    in_pairs: Option<String>,
    empty_pages: Option<u32>,
}

impl Table {
    /// Builds the paginator of that kind.
    fn paginator(mut self, kind: &str) -> Result<Paginator, String> {
        let kind = Kind::named(kind).ok_or_else(|| unknown_kind(kind))?;
        self.check_keys(kind)?;
        let common = self.common()?;
        let said = self.param.take();
        let param = || said.clone().ok_or_else(|| missing(kind, "param"));
        Ok(match kind.name {
            "single" => Paginator::Single,
            "last_id" => Paginator::LastId(LastId {
                param: param()?,
                field: self.field,
                common,
            }),
            "token" => Paginator::Token(Token {
                param: param()?,
                next: self.next.ok_or_else(|| missing(kind, "next"))?,
                first: self.first.map(First::token).transpose()?,
                common,
            }),
            "page_number" => Paginator::PageNumber(PageNumber {
                param: param()?,
                first: self.first.map_or(Ok(1), First::number)?,
                common,
            }),
            "offset" => Paginator::Offset(Offset {
                param: param()?,
                first: self.first.map_or(Ok(0), First::number)?,
                common,
            }),
            "next_url" => match self.next {
                Some(ResponsePath::Body(next)) => Paginator::NextUrl(NextUrl { next, common }),
                Some(header) => {
                    return Err(format!(
                        "`next` of `next_url` is a dotted path of the body, not `{header}`; the `Link` header is the kind `link_header`"
                    ));
                }
                None => return Err(missing(kind, "next")),
            },
            "link_header" => Paginator::LinkHeader(LinkHeader {
                param: said,
                first: self.first.map_or(Ok(1), First::number)?,
                common,
            }),
            _ => Paginator::Undecided,
        })
    }

    /// Returns which keys are present, and whether each is empty.
    fn said(&self) -> [(&'static str, Option<bool>); 13] {
        let text = |it: &Option<String>| it.as_ref().map(String::is_empty);
        let place = |it: &Option<ResponsePath>| it.as_ref().map(ResponsePath::is_empty);
        let total = self.total.as_ref();
        [
            ("param", text(&self.param)),
            ("next", place(&self.next)),
            ("field", text(&self.field)),
            ("first", self.first.as_ref().map(|_| false)),
            ("more", text(&self.more)),
            ("total", total.map(TotalKey::is_empty)),
            ("pages", place(&self.pages)),
            ("size", text(&self.size)),
            ("page_size", self.page_size.map(|_| false)),
            ("in_body", self.in_body.map(|_| false)),
            ("in_json", text(&self.in_json)),
            ("in_pairs", text(&self.in_pairs)),
            ("empty_pages", self.empty_pages.map(|_| false)),
        ]
    }

    /// Checks that each key belongs to the kind, and that none is missing or empty.
    fn check_keys(&self, kind: &Kind) -> Result<(), String> {
        let said = self.said();
        for (key, empty) in said {
            if empty.is_some() && !kind.takes(key) {
                let takes = match kind.keys().next() {
                    None => "takes no other key".to_owned(),
                    Some(_) => format!("takes {}", quoted(kind.keys())),
                };
                let name = kind.name;
                return Err(format!(
                    "`{key}` does not belong to `{name}`, which {takes}"
                ));
            }
            if empty == Some(true) {
                return Err(format!("`{key}` is empty; it is {}", about(key)));
            }
        }
        let there = |wanted: &&&str| said.iter().any(|(key, it)| key == *wanted && it.is_some());
        match kind.needs.iter().find(|key| !there(key)) {
            Some(key) => Err(missing(kind, key)),
            None => Ok(()),
        }
    }

    fn common(&mut self) -> Result<Common, String> {
        let total = match (self.total.take(), self.pages.take()) {
            (Some(_), Some(_)) => {
                return Err("`total` and `pages` exclude each other: keep one".to_owned());
            }
            (Some(TotalKey::At(at)), None) => Some(Total::Items(at)),
            (Some(TotalKey::Ignored), None) => Some(Total::Ignored),
            (None, pages) => pages.map(Total::Pages),
        };
        let page_size = match (self.size.take(), self.page_size) {
            (_, Some(0)) => {
                return Err("`page_size` is 0; it is at least 1".to_owned());
            }
            (None, Some(_)) => {
                return Err(format!("`page_size` needs `size`: {}", about("size")));
            }
            (None, None) => None,
            (Some(size), rows) => {
                let rows = rows.and_then(NonZeroU64::new).unwrap_or(PageSize::USUAL);
                Some(PageSize::new(size, rows))
            }
        };
        let places = [
            ("in_body", self.in_body == Some(true)),
            ("in_json", self.in_json.is_some()),
            ("in_pairs", self.in_pairs.is_some()),
        ];
        let said: Vec<&str> = places.iter().filter(|it| it.1).map(|it| it.0).collect();
        if let [one, other, ..] = said[..] {
            return Err(format!(
                "`{one}` and `{other}` exclude each other: keep one"
            ));
        }
        Ok(Common {
            more: self.more.take(),
            total,
            page_size,
            in_body: self.in_body.unwrap_or(false),
            in_json: self.in_json.take(),
            in_pairs: self.in_pairs.take(),
            empty_pages: self.empty_pages,
        })
    }
}

fn about(key: &str) -> &'static str {
    let mut keys = Key::ALL.iter();
    keys.find(|known| known.name == key)
        .map_or("", |known| known.about)
}

fn missing(kind: &Kind, key: &str) -> String {
    format!("`{}` needs `{key}`: {}", kind.name, about(key))
}

fn unknown_kind(kind: &str) -> String {
    match Kind::OLD.iter().find(|(old, _)| *old == kind) {
        Some((_, new)) => format!("`{kind}` is an old name of a paginator: {new}"),
        None => format!(
            "`{kind}` is not a kind of paginator{}; the kinds are {}",
            hint(kind, Kind::names()),
            quoted(Kind::names())
        ),
    }
}

/// `first = 0`, or `first = ""`.
enum First {
    Number(u64),
    Token(String),
}

impl First {
    fn number(self) -> Result<u64, String> {
        match self {
            First::Number(number) => Ok(number),
            First::Token(text) => Err(format!(
                "`first` is the text \"{text}\"; here it is a number"
            )),
        }
    }

    fn token(self) -> Result<String, String> {
        match self {
            First::Token(token) => Ok(token),
            First::Number(number) => Err(format!(
                "`first` is the number {number}; here it is the first token, as text: first = \"{number}\""
            )),
        }
    }
}

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = First;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number that is not negative, or a text")
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<First, E> {
                Ok(First::Number(number))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<First, E> {
                let whole = u64::try_from(number);
                whole
                    .map(First::Number)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(number), &self))
            }

            fn visit_str<E: Error>(self, token: &str) -> Result<First, E> {
                Ok(First::Token(token.to_owned()))
            }
        }

        from.deserialize_any(Either)
    }
}

/// `total = "meta.count"`, or `total = false`.
enum TotalKey {
    At(ResponsePath),
    Ignored,
}

impl TotalKey {
    fn is_empty(&self) -> bool {
        matches!(self, TotalKey::At(at) if at.is_empty())
    }
}

impl<'de> Deserialize<'de> for TotalKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;

        impl Visitor<'_> for Either {
            type Value = TotalKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a dotted path, `header:NAME`, or false")
            }

            fn visit_bool<E: Error>(self, on: bool) -> Result<TotalKey, E> {
                match on {
                    false => Ok(TotalKey::Ignored),
                    true => Err(E::invalid_value(serde::de::Unexpected::Bool(on), &self)),
                }
            }

            fn visit_str<E: Error>(self, at: &str) -> Result<TotalKey, E> {
                Ok(TotalKey::At(at.into()))
            }
        }

        from.deserialize_any(Either)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let read = toml::from_str::<Paginator>(text);
        read.expect_err(text).message().to_owned()
    }

    #[test]
    fn every_kind_comes_back_as_it_was_written() {
        let all: [Paginator; 13] = [
            Paginator::single(),
            Paginator::undecided(),
            Paginator::last_id("after")
                .field("uid")
                .more("has_more")
                .into(),
            Paginator::token("after", "meta.next").first("").into(),
            Paginator::token("after", "header:X-Next").in_body().into(),
            Paginator::page_number("page")
                .starting_at(0)
                .total_pages("pages")
                .into(),
            Paginator::offset("skip")
                .total_items("header:X-Total")
                .into(),
            Paginator::offset("skip")
                .starting_at(1)
                .page_size("limit", 250)
                .into(),
            Paginator::next_url("links.next")
                .without_total()
                .empty_pages(0)
                .into(),
            Paginator::link_header().page_size("per_page", 100).into(),
            Paginator::page_number("page").in_json("q").into(),
            Paginator::offset("offset").in_pairs("page").into(),
            Paginator::link_header().first_page("_page", 0).into(),
        ];
        for paginator in all {
            let json = serde_json::to_string(&paginator).unwrap();
            assert_eq!(
                serde_json::from_str::<Paginator>(&json).unwrap(),
                paginator,
                "{json}"
            );
        }
    }

    #[test]
    fn the_error_names_the_key_that_is_missing_or_does_not_belong() {
        for (text, wanted) in [
            (
                "kind = 'token'",
                "`token` needs `param`: the parameter that asks for a page",
            ),
            (
                "kind = 'token'\nparam = 'after'",
                "`token` needs `next`: the place of the next token",
            ),
            ("kind = 'next_url'", "`next_url` needs `next`"),
            ("kind = 'page_number'", "`page_number` needs `param`"),
            (
                "kind = 'page_number'\nparam = ''",
                "`param` is empty; it is the parameter",
            ),
            (
                "kind = 'token'\nparam = 'a'\nnext = 'header:'",
                "`next` is empty",
            ),
            (
                "kind = 'single'\nparam = 'page'",
                "`param` does not belong to `single`, which takes no other key",
            ),
            (
                "kind = 'page_number'\nparam = 'p'\nnext = 'n'",
                "`next` does not belong to `page_number`, which takes `param`, `first`",
            ),
            (
                "kind = 'link_header'\npage_size = 10",
                "`page_size` needs `size`",
            ),
            (
                "kind = 'link_header'\nsize = 'limit'\npage_size = 0",
                "`page_size` is 0; it is at least 1",
            ),
            (
                "kind = 'link_header'\ntotal = 'a'\npages = 'b'",
                "`total` and `pages` exclude each other",
            ),
            (
                "kind = 'offset'\nparam = 'skip'\nin_body = true\nin_json = 'q'",
                "`in_body` and `in_json` exclude each other",
            ),
            (
                "kind = 'offset'\nparam = 'skip'\nin_json = 'p'\nin_pairs = 'q'",
                "`in_json` and `in_pairs` exclude each other",
            ),
            (
                "kind = 'link_header'\ntotal = true",
                "invalid value: boolean `true`, expected a dotted path",
            ),
            (
                "kind = 'token'\nparam = 'a'\nnext = 'n'\nfirst = 0",
                "`first` is the number 0; here it is the first token, as text: first = \"0\"",
            ),
            (
                "kind = 'offset'\nparam = 'a'\nfirst = 'x'",
                "`first` is the text \"x\"; here it is a number",
            ),
            (
                "kind = 'offset'\nparam = 'a'\nfirst = -1",
                "invalid value: integer `-1`",
            ),
            (
                "kind = 'next_url'\nnext = 'header:Link'",
                "the `Link` header is the kind `link_header`",
            ),
            (
                "param = 'page'",
                "`kind` is missing: it is one of `single`, `page_number`",
            ),
            (
                "kind = 'token'\nparm = 'a'",
                "`parm` is not a key of a paginator; the nearest is `param`; its keys are `kind`, `param`",
            ),
        ] {
            let error = error(text);
            assert!(
                error.starts_with(wanted) || error.ends_with(wanted),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn an_old_name_names_the_new_one_and_an_unknown_one_the_nearest() {
        for (old, new) in [
            (
                "cursor_param",
                "`cursor_param` is an old name of a paginator: it is `token`",
            ),
            (
                "cursor_last_id",
                "`cursor_last_id` is an old name of a paginator: it is `last_id`",
            ),
            (
                "token_in_body_post",
                "`token_in_body_post` is an old name of a paginator: it is `token`, with `in_body = true`",
            ),
            (
                "none",
                "`none` is an old name of a paginator: it is `single`",
            ),
        ] {
            assert_eq!(error(&format!("kind = '{old}'")), new);
        }
        let unknown = error("kind = 'pagenumber'\nparam = 'page'");
        let wanted = "`pagenumber` is not a kind of paginator; the nearest is `page_number`; the kinds are `single`, `page_number`, `offset`";
        assert!(unknown.starts_with(wanted), "{unknown}");
        let word = serde_json::from_str::<Paginator>("\"token\"").unwrap_err();
        assert!(
            word.to_string().starts_with("`token` needs `param`"),
            "{word}"
        );
    }

    #[test]
    fn the_size_of_a_page_may_be_left_to_etlgen() {
        let read: Paginator = toml::from_str("kind = 'link_header'\nsize = 'limit'").unwrap();
        assert_eq!(
            read,
            Paginator::link_header().page_size("limit", 100).into()
        );
        assert_eq!(
            Paginator::link_header().page_size("limit", 0),
            Paginator::link_header()
        );
    }

    #[test]
    fn each_kind_is_listed_with_its_keys() {
        for kind in Kind::ALL {
            for key in kind.keys() {
                assert!(Key::ALL.iter().any(|known| known.name == key), "{key}");
            }
        }
        assert_eq!(Paginator::from(Paginator::offset("o")).kind(), "offset");
    }
}
