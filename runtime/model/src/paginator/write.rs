//! Writes a paginator as a table.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::{Common, LinkHeader, Offset, PageNumber, Paginator, Token, Total};

impl Serialize for Paginator {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("kind", self.kind())?;
        if let Some(param) = self.param() {
            map.serialize_entry("param", param)?;
        }
        match self {
            Paginator::LastId(it) => {
                if let Some(field) = &it.field {
                    map.serialize_entry("field", field)?;
                }
            }
            Paginator::Token(Token { next, first, .. }) => {
                map.serialize_entry("next", next)?;
                if let Some(first) = first {
                    map.serialize_entry("first", first)?;
                }
            }
            Paginator::PageNumber(PageNumber { first, .. }) if *first != 1 => {
                map.serialize_entry("first", first)?;
            }
            Paginator::LinkHeader(LinkHeader { first, .. }) if *first != 1 => {
                map.serialize_entry("first", first)?;
            }
            Paginator::Offset(Offset { first, .. }) if *first != 0 => {
                map.serialize_entry("first", first)?;
            }
            Paginator::NextUrl(it) => map.serialize_entry("next", &it.next)?,
            _ => {}
        }
        if let Some(common) = self.common() {
            write_common(common, &mut map)?;
        }
        map.end()
    }
}

fn write_common<M: SerializeMap>(common: &Common, map: &mut M) -> Result<(), M::Error> {
    if let Some(more) = &common.more {
        map.serialize_entry("more", more)?;
    }
    match &common.total {
        Some(Total::Items(at)) => map.serialize_entry("total", at)?,
        Some(Total::Pages(at)) => map.serialize_entry("pages", at)?,
        Some(Total::Ignored) => map.serialize_entry("total", &false)?,
        None => {}
    }
    if let Some(size) = &common.page_size {
        map.serialize_entry("size", &size.param)?;
        map.serialize_entry("page_size", &size.rows)?;
    }
    if common.in_body {
        map.serialize_entry("in_body", &true)?;
    }
    if let Some(param) = &common.in_json {
        map.serialize_entry("in_json", param)?;
    }
    if let Some(param) = &common.in_pairs {
        map.serialize_entry("in_pairs", param)?;
    }
    if let Some(most) = common.empty_pages {
        map.serialize_entry("empty_pages", &most)?;
    }
    Ok(())
}
