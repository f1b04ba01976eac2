//! The first format of the lock, in which paginators, cursors and embedded lists of the surface
//! have another form.

use serde_json::{Map, Value, json};

/// Converts a lock of the first format to the second.
pub fn raise(lock: &mut Value) {
    let resources = lock.pointer_mut("/surface/resources");
    let resources = resources.and_then(Value::as_array_mut);
    for resource in resources.into_iter().flatten() {
        if let Some(found) = resource.get_mut("paginator")
            && let Some(raised) = paginator(found)
        {
            *found = raised;
        }
        let lists = resource.get_mut("embedded").and_then(Value::as_array_mut);
        for list in lists.into_iter().flatten() {
            if let Some(raised) = embedded(list) {
                *list = raised;
            }
        }
        let cursor = resource.get_mut("cursor").and_then(Value::as_object_mut);
        cursor.map(raise_cursor);
    }
}

/// Converts a paginator; `None`: the first format does not have it.
fn paginator(old: &Value) -> Option<Value> {
    let mut new = Map::new();
    let mut set = |key: &str, value: &Value| {
        if !value.is_null() {
            new.insert(key.to_owned(), value.clone());
        }
    };
    match old.get("kind")? {
        Value::String(kind) => set("kind", &json!(kind)),
        Value::Object(kind) => {
            let (name, said) = kind.iter().next()?;
            let kind = match name.as_str() {
                "cursor" | "header_cursor" => "token",
                name => name,
            };
            set("kind", &json!(kind));
            match name.as_str() {
                "next_url" => set("next", said),
                _ => set("param", said.get(0)?),
            }
            match name.as_str() {
                "last_id" => set("field", said.get(1)?),
                "page_number" | "offset" => set("first", said.get(1)?),
                "cursor" => set("next", said.get(1)?),
                "header_cursor" => {
                    set("next", &json!(format!("header:{}", said.get(1)?.as_str()?)));
                }
                _ => {}
            }
        }
        _ => return None,
    }
    for key in ["more", "in_body"] {
        set(key, old.get(key).unwrap_or(&Value::Null));
    }
    if let Some(total) = old.get("total") {
        let key = match total.get(1)?.as_bool()? {
            true => "pages",
            false => "total",
        };
        set(key, total.get(0)?);
    }
    if let Some(size) = old.get("page_size") {
        set("size", size.get(0)?);
        set("page_size", size.get(1)?);
    }
    Some(Value::Object(new))
}

fn embedded(old: &Value) -> Option<Value> {
    let mut new = json!({"list": old.get("list")?});
    for (key, value) in old.get("place")?.as_object().into_iter().flatten() {
        new[key] = value.clone();
    }
    Some(new)
}

fn raise_cursor(cursor: &mut Map<String, Value>) {
    let meaning = match cursor.remove("updated") {
        Some(Value::Bool(true)) => "updated",
        _ => "created",
    };
    cursor.insert("meaning".to_owned(), json!(meaning));
    if let Some(strict) = cursor.remove("strict") {
        cursor.insert("exclusive".to_owned(), strict);
    }
}

#[cfg(test)]
mod tests {
    use etlgen_model::Paginator;

    use super::*;

    #[test]
    fn every_paginator_of_the_first_format_is_read() {
        let cases: [(Value, Paginator); 8] = [
            (json!({"kind": "single"}), Paginator::single()),
            (json!({"kind": "undecided"}), Paginator::undecided()),
            (
                json!({"kind": "link_header", "page_size": ["per_page", 100]}),
                Paginator::link_header().page_size("per_page", 100).into(),
            ),
            (
                json!({"kind": {"last_id": ["after", null]}, "more": "has_more"}),
                Paginator::last_id("after").more("has_more").into(),
            ),
            (
                json!({"kind": {"page_number": ["page", 0]}, "total": ["pages", true]}),
                Paginator::page_number("page")
                    .starting_at(0)
                    .total_pages("pages")
                    .into(),
            ),
            (
                json!({"kind": {"cursor": ["after", "meta.next"]}, "in_body": true}),
                Paginator::token("after", "meta.next").in_body().into(),
            ),
            (
                json!({"kind": {"header_cursor": ["after", "X-Next"]}, "total": ["header:X-Total", false]}),
                Paginator::token("after", "header:X-Next")
                    .total_items("header:X-Total")
                    .into(),
            ),
            (
                json!({"kind": {"next_url": "links.next"}}),
                Paginator::next_url("links.next").into(),
            ),
        ];
        for (old, new) in cases {
            let raised = paginator(&old).unwrap();
            let read: Paginator = serde_json::from_value(raised).expect("it is read");
            assert_eq!(read, new, "{old}");
        }
    }

    #[test]
    fn cursors_and_embedded_lists_are_read() {
        let mut lock = json!({"surface": {"resources": [{
            "paginator": {"kind": "single"},
            "embedded": [
                {"list": "lines", "place": {"url": "url"}},
                {"list": "notes", "place": "next"},
            ],
            "cursor": {"field": {"path": "at"}, "updated": true, "strict": true},
        }]}});
        raise(&mut lock);
        let resource = &lock["surface"]["resources"][0];
        assert_eq!(
            resource["embedded"],
            json!([{"list": "lines", "url": "url"}, {"list": "notes"}])
        );
        let cursor = json!({"field": {"path": "at"}, "meaning": "updated", "exclusive": true});
        assert_eq!(resource["cursor"], cursor);
    }
}
