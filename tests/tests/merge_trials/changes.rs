//! Random changes of an API.

use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// Changes a document, preferably near the schemas in `near`. Returns `None` if the chosen change
/// does not apply.
pub fn change(document: &mut Value, near: &[String], chance: &mut Chance) -> Option<String> {
    let number = chance.below(1000);
    match chance.below(10) {
        kind @ 0..=5 => {
            let name = schema(document, near, chance)?;
            let schema = &mut document["components"]["schemas"][&name];
            property(schema, kind, number, chance).map(|what| format!("{what} of {name}"))
        }
        6 => {
            let path = list(document, chance)?;
            document["paths"].as_object_mut()?.shift_remove(&path)?;
            Some(format!("removes {path}"))
        }
        7 => {
            let path = list(document, chance)?;
            let mut copy = document["paths"][&path].clone();
            copy.as_object_mut()?.retain(|method, _| method == "get");
            copy["get"]["operationId"] = json!(format!("newOperation{number}"));
            let new = format!("{}_new_{number}", path.trim_end_matches('/'));
            insert(
                document["paths"].as_object_mut()?,
                chance,
                new.clone(),
                copy,
            );
            Some(format!("adds {new}"))
        }
        8 => {
            let name = schema(document, near, chance)?;
            let new = format!("{name}New{number}");
            let body = document["components"]["schemas"]
                .as_object_mut()?
                .shift_remove(&name)?;
            document["components"]["schemas"]
                .as_object_mut()?
                .insert(new.clone(), body);
            let text = document.to_string();
            let quoted = |name: &str| format!("\"#/components/schemas/{name}\"");
            *document = serde_json::from_str(&text.replace(&quoted(&name), &quoted(&new))).unwrap();
            Some(format!("renames {name} to {new}"))
        }
        _ => {
            let text = document.to_string();
            let (old, new) = *chance.of(&[
                ("\"name\":\"starting_after\"", "\"name\":\"after\""),
                ("\"name\":\"limit\"", "\"name\":\"page_size\""),
                ("\"has_more\"", "\"more_follows\""),
            ])?;
            let changed = text.replace(old, new);
            if changed == text {
                return None;
            }
            *document = serde_json::from_str(&changed).unwrap();
            Some(format!("pages by {new}"))
        }
    }
}

fn property(schema: &mut Value, kind: usize, number: usize, chance: &mut Chance) -> Option<String> {
    let properties = schema["properties"].as_object_mut()?;
    let names: Vec<String> = properties.keys().cloned().collect();
    let name = chance.of(&names)?.clone();
    match kind {
        0 | 1 => {
            insert(
                properties,
                chance,
                format!("new_{number}"),
                json!({"type": "integer"}),
            );
            Some(format!("adds new_{number}"))
        }
        2 => {
            properties.shift_remove(&name)?;
            Some(format!("removes {name}"))
        }
        3 => {
            let body = properties.shift_remove(&name)?;
            insert(properties, chance, format!("{name}_new"), body);
            Some(format!("renames {name}"))
        }
        4 => {
            properties[&name] = match properties[&name]["type"].as_str() {
                Some("string") => json!({"type": "integer"}),
                _ => json!({"type": "string"}),
            };
            Some(format!("retypes {name}"))
        }
        _ => {
            let body = properties.get_mut(&name)?.as_object_mut()?;
            body.insert(
                "description".to_owned(),
                json!(format!("Now said otherwise, {number}.")),
            );
            Some(format!("describes {name}"))
        }
    }
}

/// Inserts at a random position.
fn insert(map: &mut Map<String, Value>, chance: &mut Chance, key: String, value: Value) {
    let at = chance.below(map.len() + 1);
    let old = std::mem::take(map);
    let mut new = Some((key, value));
    for (place, (key, value)) in old.into_iter().enumerate() {
        if place == at
            && let Some((key, value)) = new.take()
        {
            map.insert(key, value);
        }
        map.insert(key, value);
    }
    if let Some((key, value)) = new {
        map.insert(key, value);
    }
}

fn schema(document: &Value, near: &[String], chance: &mut Chance) -> Option<String> {
    let schemas = document["components"]["schemas"].as_object()?;
    let has = |name: &&String| {
        schemas
            .get(*name)
            .is_some_and(|it| it["properties"].is_object())
    };
    let near: Vec<&String> = near.iter().filter(has).collect();
    let all: Vec<&String> = schemas.keys().filter(has).collect();
    match chance.below(4) {
        0 => chance.of(&all),
        _ => chance.of(&near).or(chance.of(&all)),
    }
    .map(|name| (*name).clone())
}

fn list(document: &Value, chance: &mut Chance) -> Option<String> {
    let paths = document["paths"].as_object()?;
    let lists = paths
        .iter()
        .filter(|(path, item)| item["get"].is_object() && !path.ends_with('}'));
    let lists: Vec<&String> = lists.map(|(path, _)| path).collect();
    // The crate must keep at least one list.
    (lists.len() > 1).then(|| chance.of(&lists).map(|path| (*path).clone()))?
}
