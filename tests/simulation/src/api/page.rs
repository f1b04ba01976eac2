//! Requests, and the page that an honest API returns.

use super::rows::Row;
use crate::scenario::{ListSpec, Paging, Total};

/// The start of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// The row with this index, counted from 0.
    Index(usize),
    /// The row after that place; `hop` means that the previous page was empty.
    Behind { place: i64, hop: bool },
    /// A token that the API returns only in a lie.
    Token(String),
    /// The request is invalid.
    Nonsense,
}

/// A request, as the API understands it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub start: Start,
    pub since: Option<i64>,
    pub until: Option<i64>,
    /// The number of rows of a full page.
    pub size: usize,
}

/// The statement that leads to the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lead {
    To(Start),
    /// JSON that is sent unchanged.
    Raw(String),
}

/// The value in place of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    List,
    /// An object without the key `data` and without statements.
    EmptyObject,
    /// `null` instead of the list.
    Null,
    /// An object instead of the list.
    Object,
    /// `errors` next to an empty list.
    Errors,
    /// `{"ok": false, "error": …}`.
    Refusal,
    /// No body.
    Nothing,
}

/// A response that is a page.
#[derive(Clone, Debug)]
pub struct Page {
    pub status: u16,
    pub shape: Shape,
    pub rows: Vec<Row>,
    /// The index of its first row.
    pub index: usize,
    /// The number of rows, or pages, of the whole list.
    pub total: Option<i64>,
    pub more: Option<bool>,
    pub next: Option<Lead>,
}

impl Asked {
    /// Reads the query of a request. `first_page` is the number of the first page.
    pub fn of(spec: &ListSpec, query: impl Fn(&str) -> Option<String>, first_page: usize) -> Self {
        let number = |name: &str| query(name).map(|text| text.parse::<i64>());
        let size = match number("limit") {
            Some(Ok(asked)) => usize::try_from(asked).unwrap_or(1).clamp(1, spec.cap),
            _ => spec.cap,
        };
        let index = |asked: Option<Result<i64, _>>, width: usize, from: usize| match asked {
            None => Start::Index(0),
            Some(Ok(number)) => match usize::try_from(number - from as i64) {
                Ok(number) => Start::Index(number.saturating_mul(width)),
                Err(_) => Start::Nonsense,
            },
            Some(Err::<_, std::num::ParseIntError>(_)) => Start::Nonsense,
        };
        let token = query("token").or_else(|| query("after"));
        let start = match spec.paging {
            Paging::Single => Start::Index(0),
            Paging::Offset => index(number("offset"), 1, 0),
            // Before the first page some APIs have the first one, some nothing; others refuse it.
            Paging::Number if number("page") == Some(Ok(0)) && first_page == 1 => [
                Start::Nonsense,
                Start::Index(0),
                Start::Index(usize::MAX / 2),
            ][spec.names % 3]
                .clone(),
            Paging::Number => index(number("page"), size, first_page),
            Paging::NextUrl | Paging::Link if spec.numbered => index(number("page"), size, 1),
            Paging::LastId => match number("after") {
                None => Start::Index(0),
                Some(Ok(place)) => Start::Behind { place, hop: false },
                Some(Err(_)) => Start::Nonsense,
            },
            _ => token.as_deref().map_or(Start::Index(0), read_token),
        };
        Asked {
            start,
            since: number("since").and_then(Result::ok),
            until: number("until").and_then(Result::ok),
            size,
        }
    }
}

fn read_token(token: &str) -> Start {
    let place = |text: &str| text.parse::<i64>().ok();
    match (token.strip_prefix('k'), token.strip_prefix('h')) {
        (Some(at), _) if place(at).is_some() => Start::Behind {
            place: place(at).unwrap_or_default(),
            hop: false,
        },
        (_, Some(at)) if place(at).is_some() => Start::Behind {
            place: place(at).unwrap_or_default(),
            hop: true,
        },
        _ => Start::Token(token.to_owned()),
    }
}

/// Returns the text of a token.
pub fn write_token(start: &Start) -> String {
    match start {
        Start::Index(index) => index.to_string(),
        Start::Behind { place, hop: false } => format!("k{place}"),
        Start::Behind { place, hop: true } => format!("h{place}"),
        Start::Token(text) => text.clone(),
        Start::Nonsense => "?".to_owned(),
    }
}

impl Page {
    /// Returns a page without rows and without statements.
    pub fn bare(status: u16, shape: Shape) -> Self {
        Page {
            status,
            shape,
            rows: Vec::new(),
            index: 0,
            total: None,
            more: None,
            next: None,
        }
    }

    /// Returns the page of an honest API. `rows` are those that pass the filter, in the order of
    /// the list.
    pub fn honest(spec: &ListSpec, asked: &Asked, rows: &[Row]) -> Page {
        let (index, hop) = match &asked.start {
            Start::Index(index) => (*index, false),
            Start::Behind { place, hop } => (behind(spec, rows, *place), *hop),
            Start::Token(_) | Start::Nonsense => return Page::bare(400, Shape::Refusal),
        };
        let size = match spec.paging {
            Paging::Single => rows.len(),
            _ => asked.size,
        };
        if index >= rows.len() && index > 0 && spec.past_end != 200 && spec.by_place() {
            let shape = match spec.past_end {
                204 => Shape::Nothing,
                _ => Shape::Refusal,
            };
            return Page::bare(spec.past_end, shape);
        }
        let shown = match hole(spec, &asked.start, size) {
            Some(shown) if !hop => shown,
            _ => size,
        };
        let page = rows.iter().skip(index).take(shown).cloned();
        let page: Vec<Row> = page.collect();
        let end = index + page.len();
        let goes_on = end < rows.len() || spec.lazy_end && page.len() == size && size > 0;
        Page {
            status: 200,
            shape: Shape::List,
            index,
            total: match spec.total {
                Total::None => None,
                Total::Items => Some(rows.len() as i64),
                Total::Pages => Some(rows.len().div_ceil(size.max(1)) as i64),
            },
            more: spec.more.then_some(end < rows.len()),
            next: (goes_on && spec.leads_on())
                .then(|| Lead::To(next(spec, &asked.start, &page, end))),
            rows: page,
        }
    }
}

/// Returns the index of the first row after a place.
fn behind(spec: &ListSpec, rows: &[Row], place: i64) -> usize {
    rows.partition_point(|row| match spec.newest_first {
        true => row.place >= place,
        false => row.place <= place,
    })
}

/// Returns the number of rows of a page that an API filters after paging.
fn hole(spec: &ListSpec, start: &Start, size: usize) -> Option<usize> {
    let Start::Behind { place, .. } = start else {
        return None;
    };
    let drawn = crate::random::mix(*place as u64) as usize;
    (spec.holes && drawn.is_multiple_of(3)).then(|| drawn / 3 % size.max(1))
}

/// Returns the start of the page after this one.
pub fn next(spec: &ListSpec, start: &Start, page: &[Row], end: usize) -> Start {
    match (page.last(), start) {
        _ if spec.numbered => Start::Index(end),
        (Some(last), _) => Start::Behind {
            place: last.place,
            hop: false,
        },
        (None, Start::Behind { place, .. }) => Start::Behind {
            place: *place,
            hop: true,
        },
        (None, _) => Start::Index(end),
    }
}
