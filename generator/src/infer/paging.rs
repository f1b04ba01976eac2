//! Paging in the form in which `inspect` and `explain` show it.

use etlgen_model::{LastId, LinkHeader, Offset, PageNumber, Paginator, Token, Total};
use serde::Serialize;
use serde_json::Value;

use super::facts::ResourceFacts;
use crate::diagnostics::toml_string;

/// The paging of a resource as `inspect --format json` prints it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Paging {
    /// The name of the paginator.
    pub kind: &'static str,
    pub page_param: Option<String>,
    pub size_param: Option<String>,
    pub max_page_size: Option<u64>,
    /// Dotted path in the body (`next_page.offset`), `header:NAME`, or `last_record.id`.
    pub next_path: Option<String>,
    pub more_path: Option<String>,
    pub total_path: Option<String>,
    /// Whether the total counts pages, not items.
    pub total_is_pages: bool,
    /// The number of the first page, or of the first row.
    pub first_page: u64,
    pub in_body: bool,
    /// The query parameter that carries the page parameters as a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_json: Option<String>,
    /// The query parameter whose value joins the names and values of the page parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_pairs: Option<String>,
}

impl ResourceFacts {
    /// Returns the decided paging, completed by the signs in the document.
    pub fn paging(&self) -> Paging {
        let (found, signs) = (&self.paginator.value, &self.signs);
        let size = found.page_size();
        let total = found.total().or(signs.total.as_ref());
        let text = |said: Option<&str>, shown: &Option<String>| {
            said.map(str::to_owned).or_else(|| shown.clone())
        };
        let asked = size.map(|size| size.rows.get());
        Paging {
            kind: found.kind(),
            page_param: text(found.param(), &signs.page_param),
            size_param: text(size.map(|size| size.param.as_str()), &signs.size_param),
            // Without signs, the requested page size is that of the owner.
            max_page_size: signs
                .max_page_size
                .or_else(|| asked.filter(|_| signs.size_param.is_none())),
            next_path: self.next_path(),
            more_path: text(found.more(), &signs.more),
            total_path: total.and_then(Total::at).map(ToString::to_string),
            total_is_pages: matches!(total, Some(Total::Pages(_))),
            first_page: match found {
                Paginator::PageNumber(PageNumber { first, .. })
                | Paginator::Offset(Offset { first, .. })
                | Paginator::LinkHeader(LinkHeader { first, .. }) => *first,
                _ => 1,
            },
            in_body: found.in_body() || signs.in_body,
            in_json: text(found.in_json(), &signs.in_json),
            in_pairs: text(found.in_pairs(), &signs.in_pairs),
        }
    }

    fn next_path(&self) -> Option<String> {
        match &self.paginator.value {
            Paginator::LastId(LastId { field, .. }) => {
                let key = self.primary_key.value.last();
                let field = field.as_ref().or(key).map_or("id", String::as_str);
                Some(format!("last_record.{field}"))
            }
            Paginator::Token(Token { next, .. }) => Some(next.to_string()),
            Paginator::NextUrl(it) => Some(it.next.clone()),
            Paginator::LinkHeader(_) => Some("header:Link".to_owned()),
            _ => self.signs.next.clone(),
        }
    }
}

/// Returns the line of `etlgen.toml` that declares a paginator.
pub(super) fn line(paginator: &Paginator) -> Option<String> {
    let Value::Object(table) = serde_json::to_value(paginator).ok()? else {
        return None;
    };
    let pairs = table.iter().map(|(key, value)| match value {
        Value::String(text) => format!("{key} = {}", toml_string(text)),
        other => format!("{key} = {other}"),
    });
    let pairs: Vec<String> = pairs.collect();
    Some(format!("paginate = {{ {} }}", pairs.join(", ")))
}
