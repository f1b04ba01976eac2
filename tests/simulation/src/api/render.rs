//! Writes a page as a response.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::page::{Lead, Page, Shape, Start, write_token};
use super::rows::{Row, tags};
use crate::lies::Lie;
use crate::scenario::{ListSpec, Paging};

/// A response.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    /// Creates a response that is not a page.
    pub fn plain(status: u16, body: &str) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }
}

/// The data of the request that the response depends on.
pub struct Wire<'a> {
    pub spec: &'a ListSpec,
    pub lie: Option<Lie>,
    pub path: &'a str,
    /// The number of rows of a full page.
    pub size: usize,
    /// What the events of the feed report, by their versions.
    pub reports: &'a BTreeMap<u32, String>,
}

/// A statement of the body: its dotted path, and JSON.
type Statement = (&'static str, String);

impl Wire<'_> {
    /// Writes a page.
    pub fn render(&self, page: &Page) -> Answer {
        let spec = self.spec;
        let mut answer = Answer::plain(page.status, "");
        let mut envelope: Vec<Statement> = Vec::new();
        match page.total {
            Some(total) if spec.total_in_header => {
                answer.headers.push((spec.total_name(), total.to_string()));
            }
            Some(total) => envelope.push((spec.total_name(), total.to_string())),
            None => {}
        }
        if let Some(more) = page.more {
            envelope.push((spec.more_name(), more.to_string()));
        }
        envelope.extend(self.lead(page));
        answer.headers.extend(self.lead_in_header(page));
        let list = match page.shape {
            Shape::Nothing => return answer,
            Shape::EmptyObject => {
                answer.body = "{}".to_owned();
                return answer;
            }
            Shape::Refusal => {
                answer.body = r#"{"ok": false, "error": "invalid_request"}"#.to_owned();
                return answer;
            }
            Shape::Null => "null".to_owned(),
            Shape::Object => r#"{"message": "something else"}"#.to_owned(),
            Shape::Errors => {
                envelope.push(("errors", r#"[{"message": "timed out"}]"#.to_owned()));
                "[]".to_owned()
            }
            Shape::List => self.list(&page.rows),
        };
        answer.body = match spec.bare {
            true => list,
            false => {
                envelope.insert(0, ("data", list));
                object(&envelope)
            }
        };
        answer
    }

    /// Returns how the response names the next page, including undeclared tokens and links.
    fn paging(&self) -> Paging {
        match (self.spec.paging, self.lie) {
            (Paging::Single, Some(Lie::TokenUndeclared)) => Paging::Token,
            (Paging::Single, Some(Lie::LinkUndeclared)) => Paging::Link,
            (paging, _) => paging,
        }
    }

    /// Returns the statement about the next page in the body.
    fn lead(&self, page: &Page) -> Option<Statement> {
        let spec = self.spec;
        let json = match (&page.next, self.paging()) {
            (Some(Lead::To(start)), Paging::Token) => format!("{:?}", write_token(start)),
            (Some(Lead::To(start)), Paging::NextUrl) => format!("{:?}", self.url(start)),
            (Some(Lead::Raw(raw)), Paging::Token | Paging::NextUrl) => raw.clone(),
            // Each API states the end in one of several ways.
            (None, Paging::Token | Paging::NextUrl) if page.status == 200 && spec.names % 3 < 2 => {
                ["null", "\"\""][spec.names % 2].to_owned()
            }
            _ => return None,
        };
        Some((spec.next_name(), json))
    }

    /// Returns the statement about the next page in the headers.
    fn lead_in_header(&self, page: &Page) -> Option<Statement> {
        match (&page.next, self.paging()) {
            (Some(Lead::To(start)), Paging::HeaderToken) => Some(("x-next", write_token(start))),
            (Some(Lead::To(start)), Paging::Link) => {
                Some(("link", format!("<{}>; rel=\"next\"", self.url(start))))
            }
            _ => None,
        }
    }

    /// Writes the list of records.
    fn list(&self, rows: &[Row]) -> String {
        let rows: Vec<String> = rows.iter().map(|row| self.row(row)).collect();
        format!("[{}]", rows.join(","))
    }

    fn row(&self, row: &Row) -> String {
        if self.spec.embedded {
            let path = format!("/items/{}/tags/{}", row.key, row.version);
            return fields(row, "", &page_of_tags(&path, row.version, 0));
        }
        match self.reports.get(&row.version) {
            Some(report) => {
                let tags = format!("[{}]", numbers(0..row.tags()));
                fields(row, &format!("{report},"), &tags)
            }
            None => record(row, self.spec.fed),
        }
    }

    /// Returns the URL of the page that begins there.
    fn url(&self, start: &Start) -> String {
        let path = self.path;
        let limit = self.spec.asks.map(|asks| format!("&limit={asks}"));
        let limit = limit.unwrap_or_default();
        match (self.spec.numbered, start) {
            (true, Start::Index(index)) => {
                format!("{path}?page={}{limit}", 1 + index / self.size.max(1))
            }
            _ => format!("{path}?token={}{limit}", write_token(start)),
        }
    }
}

/// The number of tags on a page.
const TAGS: usize = 2;

/// Returns a page of the tags of a row in one of its states, from one of them on.
pub fn page_of_tags(path: &str, version: u32, from: usize) -> String {
    let all = tags(version);
    let end = all.min(from + TAGS);
    let next = (end < all).then(|| format!("\"t{end}\""));
    format!(
        r#"{{"data":[{}],"has_more":{},"next":{},"url":"{path}"}}"#,
        numbers(from..end),
        end < all,
        next.as_deref().unwrap_or("null")
    )
}

fn numbers(range: std::ops::Range<usize>) -> String {
    let numbers: Vec<String> = range.map(|tag| tag.to_string()).collect();
    numbers.join(",")
}

/// Writes an item or a part, with the time at which it was added if the connector reads it by that.
pub fn record(row: &Row, dated: bool) -> String {
    let created = match dated {
        true => format!(r#""created":{},"#, row.created),
        false => String::new(),
    };
    let tags = format!("[{}]", numbers(0..row.tags()));
    fields(row, &created, &tags)
}

/// Writes a record with these fields in its middle.
fn fields(row: &Row, more: &str, tags: &str) -> String {
    format!(
        r#"{{"id":"{}","v":{},{more}"updated":{},"tags":{tags}}}"#,
        row.key, row.version, row.updated
    )
}

/// Writes an object from dotted paths of at most two keys.
fn object(values: &[(&str, String)]) -> String {
    let mut out = String::from("{");
    for (at, (name, value)) in values.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let _ = match name.split_once('.') {
            None => write!(out, "{name:?}:{value}"),
            Some((outer, _)) => {
                let same = |(name, value): &&(&str, String)| {
                    let (other, inner) = name.split_once('.')?;
                    (other == outer).then(|| format!("{inner:?}:{value}"))
                };
                let first = values.iter().position(|(name, _)| {
                    name.split_once('.')
                        .is_some_and(|(other, _)| other == outer)
                });
                if first != Some(at) {
                    out.pop();
                    continue;
                }
                let inner: Vec<String> = values.iter().filter_map(|pair| same(&pair)).collect();
                write!(out, "{outer:?}:{{{}}}", inner.join(","))
            }
        };
    }
    out.push('}');
    out
}
