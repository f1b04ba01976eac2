//! A page as an answer on the wire.

use std::fmt::Write;

use super::page::{Lead, Page, Shape, Start, write_token};
use super::rows::Row;
use crate::lies::Lie;
use crate::scenario::{ListSpec, Paging};

/// An answer on the wire.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    /// An answer that is no page.
    pub fn plain(status: u16, body: &str) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }
}

/// Writes the page of a list at that path.
pub fn render(spec: &ListSpec, lie: Option<Lie>, path: &str, size: usize, page: &Page) -> Answer {
    let mut answer = Answer::plain(page.status, "");
    let mut envelope: Vec<(&str, String)> = Vec::new();
    if let Some(total) = page.total {
        match spec.total_in_header {
            true => answer.headers.push((spec.total_name(), total.to_string())),
            false => envelope.push((spec.total_name(), total.to_string())),
        }
    }
    if let Some(more) = page.more {
        envelope.push((spec.more_name(), more.to_string()));
    }
    lead(spec, lie, path, size, page, &mut answer, &mut envelope);
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
        Shape::List => list(&page.rows),
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

/// Says what leads on, where the list says it.
fn lead(
    spec: &ListSpec,
    lie: Option<Lie>,
    path: &str,
    size: usize,
    page: &Page,
    answer: &mut Answer,
    envelope: &mut Vec<(&str, String)>,
) {
    let paging = match (spec.paging, lie) {
        (Paging::Single, Some(Lie::TokenUndeclared)) => Paging::Token,
        (Paging::Single, Some(Lie::LinkUndeclared)) => Paging::Link,
        (paging, _) => paging,
    };
    let url = |start: &Start| {
        let limit = spec.asks.map(|asks| format!("&limit={asks}"));
        let limit = limit.unwrap_or_default();
        match spec.numbered {
            true => {
                let Start::Index(index) = start else {
                    return String::new();
                };
                format!("{path}?page={}{limit}", 1 + index / size.max(1))
            }
            false => format!("{path}?token={}{limit}", write_token(start)),
        }
    };
    match (&page.next, paging) {
        (Some(Lead::To(start)), Paging::Token) => {
            envelope.push((spec.next_name(), format!("{:?}", write_token(start))));
        }
        (Some(Lead::To(start)), Paging::NextUrl) => {
            envelope.push((spec.next_name(), format!("{:?}", url(start))));
        }
        (Some(Lead::Raw(raw)), Paging::Token | Paging::NextUrl) => {
            envelope.push((spec.next_name(), raw.clone()));
        }
        (Some(Lead::To(start)), Paging::HeaderToken) => {
            answer.headers.push(("x-next", write_token(start)));
        }
        (Some(Lead::To(start)), Paging::Link) => {
            let link = format!("<{}>; rel=\"next\"", url(start));
            answer.headers.push(("link", link));
        }
        // APIs say it in different ways, each in one.
        (None, Paging::Token | Paging::NextUrl) if page.status == 200 && spec.names % 3 < 2 => {
            let none = ["null", "\"\""][spec.names % 2];
            envelope.push((spec.next_name(), none.to_owned()));
        }
        _ => {}
    }
}

fn list(rows: &[Row]) -> String {
    let mut out = String::from("[");
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let tags: Vec<String> = (0..row.tags()).map(|tag| tag.to_string()).collect();
        // Writing to a string does not fail.
        let _ = write!(
            out,
            r#"{{"id":"{}","v":{},"updated":{},"tags":[{}]}}"#,
            row.key,
            row.version,
            row.updated,
            tags.join(",")
        );
    }
    out.push(']');
    out
}

/// An object of dotted paths of at most two keys.
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
