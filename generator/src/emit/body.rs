//! Emits the JSON body of a resource's requests. The printer of Rust has no layout for `json!`, so
//! that the body is put in after the file is printed.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use serde_json::{Map, Number, Value};

use crate::plan::{ParameterValue, Resource};

/// The mark that the printed file has in place of the body.
const MARK: &str = "json!(__BODY__)";
/// The indentation of the calls of a declaration.
const INDENT: usize = 8;
/// The longest body on one line.
const WIDTH: usize = 70;

/// Emits the fixed fields of the body: `.body(json!({"state": "open"}))`, with the mark in place of
/// the JSON.
pub fn fixed(resource: &Resource) -> Option<TokenStream> {
    (!fields(resource).is_empty()).then(|| quote!(.body(json!(__BODY__))))
}

/// Puts the body into the printed file of a resource.
pub fn filled(resource: &Resource, file: &str) -> String {
    let body = json(&Value::Object(fields(resource)), INDENT);
    file.replacen(MARK, &format!("json!({body})"), 1)
}

fn fields(resource: &Resource) -> Map<String, Value> {
    let parameters = resource.parameters.iter();
    let fields = parameters.filter_map(|parameter| match &parameter.value {
        ParameterValue::Json(value) => Some((parameter.name.clone(), value.clone())),
        _ => None,
    });
    fields.collect()
}

/// Returns a value in the syntax of `json!`: on one line if it is short.
fn json(value: &Value, indent: usize) -> String {
    let (open, items, close) = match value {
        Value::Null => return "null".to_owned(),
        Value::Bool(flag) => return flag.to_string(),
        Value::String(text) => return Literal::string(text).to_string(),
        Value::Number(value) => return number(value),
        Value::Array(items) => {
            let items = items.iter().map(|item| json(item, indent + 4));
            ('[', items.collect::<Vec<_>>(), ']')
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                format!("{}: {}", Literal::string(name), json(value, indent + 4))
            });
            ('{', fields.collect(), '}')
        }
    };
    let line = format!("{open}{}{close}", items.join(", "));
    if line.len() + indent <= WIDTH && !line.contains('\n') {
        return line;
    }
    let space = " ".repeat(indent);
    let items: Vec<String> = items
        .iter()
        .map(|item| format!("{space}    {item},\n"))
        .collect();
    format!("{open}\n{}{space}{close}", items.concat())
}

/// Returns a number. Rust takes a literal without a suffix as an `i32`.
fn number(number: &Number) -> String {
    match (number.as_i64(), number.as_u64()) {
        (Some(small), _) if i32::try_from(small).is_ok() => small.to_string(),
        (Some(large), _) => format!("{large}i64"),
        (None, Some(large)) => format!("{large}u64"),
        (None, None) => number.to_string(),
    }
}
