//! Statements in the headers of a response.

use serde_json::Value;

use super::grammar::{self, word};
use super::words::{Hint, Word};
use super::{Says, Statements, hears, values};
use crate::http::{Response, Sent, links};
use crate::record::beside::listen;

impl Statements {
    /// Adds what the headers of a response state.
    pub(super) fn headers(&mut self, response: &Response, resource: &str) {
        for (name, value) in &response.headers {
            let Ok(value) = value.to_str() else { continue };
            self.header(name.as_str(), value, (resource, &response.sent));
        }
    }

    fn header(&mut self, name: &str, value: &str, about: (&str, &Sent)) {
        match name {
            "link" => self.link(value),
            "warning" => self.warning(value),
            "content-range" | "range" if !value.trim_start().starts_with("bytes") => {
                let says = grammar::range(value).into_iter();
                says.for_each(|says| self.say(says, format!("the header {name}")));
            }
            "content-range" | "range" => {}
            "x-pagination" | "pagination" | "x-paging" | "paging"
                if value.trim_start().starts_with('{') =>
            {
                for value in listen(value, hears) {
                    let place = format!("{} in the header {name}", value.path);
                    self.beside(&value, place, about);
                }
            }
            _ => self.named(name, value),
        }
    }

    /// Adds what a header states whose name has the words of a statement.
    fn named(&mut self, name: &str, value: &str) {
        let heads = [
            "x-wp-",
            "x-pagination-",
            "pagination-",
            "x-paging-",
            "paging-",
            "x-list-",
            "x-ms-",
            "x-",
        ];
        let head = heads.iter().find_map(|head| name.strip_prefix(head));
        let bare = head.unwrap_or(name);
        // `CB-AFTER`, but not `Retry-After` or `X-RateLimit-Reset-After`.
        let vendor = bare
            .strip_suffix("after")
            .map(|vendor| vendor.trim_end_matches('-'));
        if vendor
            .is_some_and(|vendor| !vendor.contains('-') && !["retry", "reset"].contains(&vendor))
        {
            let (word, place) = (Word::Hint(Hint::After), format!("the header {name}"));
            return self.value(word, &json(value), place);
        }
        if matches!(bare, "last" | "continue" | "of" | "hits") {
            return;
        }
        let Some(word) = word(bare) else { return };
        let heard = match word {
            Word::Total | Word::Pages => true,
            Word::LastPage => head.is_some(),
            Word::Next => head.is_some() || name.starts_with("next") || name.contains('-'),
            Word::Hint(hint) => hint.is_of_headers() && name.contains('-'),
            Word::Count | Word::More | Word::Incomplete => head.is_some() || name.contains('-'),
            Word::Token => head.is_some() || name.starts_with("next"),
            _ => false,
        };
        // A header that came twice may be joined.
        let mut parts = value.split(',').map(str::trim);
        let first = parts.next().unwrap_or_default();
        let value = match parts.all(|part| part == first) {
            true => first,
            false => value,
        };
        if heard {
            self.value(word, &json(value), format!("the header {name}"));
        }
    }

    fn link(&mut self, value: &str) {
        for link in links(value) {
            if link.leads_on() {
                self.say(Says::Next, "the header Link");
            } else if link.may_lead_on() {
                self.say(Says::MayLead(values::clean(link.target)), "the header Link");
            } else if link.is("last") {
                let query = link.target.split_once('?').map_or("", |(_, query)| query);
                let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                let number = pairs.find(|(name, _)| matches!(*name, "page" | "p" | "pageNumber"));
                if let Some(number) = number.and_then(|(_, number)| number.parse().ok()) {
                    self.say(Says::LastLink(number), "the header Link");
                }
            }
        }
    }

    /// Adds a warning: the codes below 199 concern caches, of which 110 to 112 send an old response.
    fn warning(&mut self, value: &str) {
        let lower = value.to_ascii_lowercase();
        let about_rows = !lower.contains("deprecat") && !lower.contains("sunset");
        let code = value.split_whitespace().next().unwrap_or_default();
        if about_rows && !matches!(code, "113" | "214") {
            let words = values::clean(value);
            self.say(Says::Unclear(words), "the header Warning");
        }
    }
}

/// Returns the value of a header; text that is not a JSON literal is a string.
fn json(value: &str) -> Value {
    match value.trim() {
        "" => Value::Null,
        text => match serde_json::from_str(text) {
            Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
            _ => text.into(),
        },
    }
}
