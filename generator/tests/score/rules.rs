//! The rules that decide whether a cell is right, which are those of the labels' own `score.py`.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

const COLUMNS: [&str; 9] = [
    "records_path",
    "primary_key",
    "paginator",
    "page_param",
    "size_param",
    "next_path",
    "incremental_param",
    "incremental_field",
    "parent",
];

/// One labelled endpoint.
pub struct Row(HashMap<String, String>);

impl Row {
    pub fn cell(&self, column: &str) -> &str {
        self.0.get(column).map_or("", String::as_str)
    }
}

/// The number of right cells, and of all cells.
pub type Count = (u32, u32);

#[derive(Default)]
pub struct Tally {
    pub all: Count,
    pub hard: Count,
    pub stated: Count,
    pub misses: Vec<String>,
}

pub fn percent((right, all): Count) -> f64 {
    100.0 * f64::from(right) / f64::from(all.max(1))
}

/// Reads tab-separated text with a header.
pub fn rows(text: &str) -> Vec<Row> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let cells = header.iter().zip(line.split('\t'));
            Row(cells
                .map(|(name, cell)| ((*name).to_owned(), cell.to_owned()))
                .collect())
        })
        .collect()
}

/// Counts the cells of one API.
pub fn judge(rows: &[&Row], inspected: &Value, tally: &mut Tally) {
    let empty = Vec::new();
    let resources = inspected["resources"].as_array().unwrap_or(&empty);
    // Of two resources at one path, the last one counts, as in a dictionary.
    let found: HashMap<(String, String), &Value> = resources
        .iter()
        .map(|resource| {
            let method = resource["method"].as_str().unwrap_or("get").to_lowercase();
            let path = path_key(resource["path"].as_str().unwrap_or_default());
            ((method, path), resource)
        })
        .collect();
    for row in rows {
        let key = (
            row.cell("method").to_lowercase(),
            path_key(row.cell("path")),
        );
        let resource = found.get(&key).copied();
        if row.cell("kind") == "single" {
            let right = resource.is_none_or(|resource| resource["kind"] == "single");
            count(tally, row, "kind", right, false, "");
            continue;
        }
        count(tally, row, "kind", resource.is_some(), false, "");
        for column in COLUMNS {
            let said = resource.map(|resource| said(resource, column));
            let verdict = match &said {
                Some(said) => right(column, said, row),
                None if answers(row, column).contains("?") => None,
                None => Some(false),
            };
            let Some(verdict) = verdict else { continue };
            let states = said
                .as_deref()
                .is_some_and(|said| said != "-" && said != "none");
            count(
                tally,
                row,
                column,
                verdict,
                states,
                said.as_deref().unwrap_or("no resource"),
            );
        }
    }
}

fn count(tally: &mut Tally, row: &Row, column: &str, right: bool, states: bool, said: &str) {
    let add = |count: &mut Count| {
        count.0 += u32::from(right);
        count.1 += 1;
    };
    add(&mut tally.all);
    if usual(column).is_some_and(|usual| !answers(row, column).contains(usual)) {
        add(&mut tally.hard);
    }
    if states {
        add(&mut tally.stated);
    }
    if !right {
        let (spec, path) = (row.cell("spec_file"), row.cell("path"));
        tally
            .misses
            .push(format!("{spec} {path} {column}: said {said}"));
    }
}

/// Returns the most common answer of a column. Cells with another answer are the hard ones.
fn usual(column: &str) -> Option<&'static str> {
    match column {
        "kind" => None,
        "records_path" => Some("data"),
        "primary_key" => Some("id"),
        "size_param" => Some("limit"),
        _ => Some("-"),
    }
}

/// Returns the value of `inspect` in a column.
fn said(resource: &Value, column: &str) -> String {
    let text = |value: &Value| norm(value.as_str().unwrap_or_default());
    let page = &resource["paginator"];
    match column {
        "records_path" => match resource["records_path"].as_str() {
            None | Some("") => "$".to_owned(),
            Some(path) => norm(path),
        },
        "primary_key" => {
            let names = resource["primary_key"].as_array();
            let names = names.into_iter().flatten().filter_map(Value::as_str);
            norm(&names.collect::<Vec<_>>().join(","))
        }
        "paginator" => kind(page).to_owned(),
        "incremental_param" => text(&resource["incremental"]["param"]),
        "incremental_field" => text(&resource["incremental"]["field"]),
        "parent" => text(&resource["parent"]["path"]),
        other => text(&page[other]),
    }
}

/// Returns the paginator's kind, in the words of the labels.
fn kind(page: &Value) -> &str {
    match page["kind"].as_str() {
        Some("token") if page["in_body"] == true => "token_in_body_post",
        Some("token") => "cursor_param",
        Some("last_id") => "cursor_last_id",
        Some("single") | None => "none",
        Some(kind) => kind,
    }
}

/// Returns whether a value is right; `None`: the cell is not scored.
fn right(column: &str, said: &str, row: &Row) -> Option<bool> {
    let accepted = answers(row, column);
    if accepted.contains("?") {
        return None;
    }
    let set = |text: &str| text.split(',').map(str::to_owned).collect::<BTreeSet<_>>();
    let path = |text: &str| match text {
        "-" => path_key("-"),
        path => path_key(&format!("/{path}")),
    };
    match column {
        "paginator" if said == "none" => Some(accepted.contains("-")),
        "parent" => Some(accepted.iter().any(|one| path(one) == path(said))),
        "primary_key" => Some(accepted.iter().any(|one| set(one) == set(said))),
        // The parameters of a list without a paginator do not count.
        "page_param" | "size_param" | "next_path" if accepted.iter().eq(["-"]) => None,
        _ => Some(accepted.contains(said)),
    }
}

fn norm(value: &str) -> String {
    let value = value.trim().trim_matches('/').replace("[]", "");
    if matches!(value.as_str(), "" | "-" | "none" | "null") {
        return "-".to_owned();
    }
    let value = value.strip_prefix("$.").unwrap_or(&value);
    if value.starts_with("header:") {
        value.to_lowercase()
    } else {
        value.to_owned()
    }
}

/// Returns every accepted value of a cell: its own, and those of `ALT(column=value; …)` or
/// `ALT:column=value;` in the note.
fn answers(row: &Row, column: &str) -> BTreeSet<String> {
    let mut accepted = BTreeSet::from([norm(row.cell(column))]);
    let note = row.cell("note");
    let mut parts: Vec<&str> = Vec::new();
    for (at, sign) in note.match_indices("ALT(") {
        let body = note.get(at + sign.len()..).unwrap_or_default();
        parts.extend(within(body).into_iter().flat_map(|body| body.split(';')));
    }
    for (at, sign) in note.match_indices("ALT:") {
        let body = note.get(at + sign.len()..).unwrap_or_default();
        parts.extend(body.split(';').next());
    }
    for part in parts {
        if let Some((name, value)) = part.split_once('=')
            && name.trim() == column
        {
            let value = value.split(", with ").next().unwrap_or_default();
            let value = value.split(" (").next().unwrap_or_default();
            accepted.insert(norm(value));
        }
    }
    accepted
}

/// Returns the text up to the matching closing parenthesis.
fn within(text: &str) -> Option<&str> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return text.get(..at),
            ')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Returns a path with unnamed placeholders.
fn path_key(path: &str) -> String {
    let mut key = String::new();
    let mut rest = path.trim_end_matches('/');
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, after)) = after.split_once('}') else {
            break;
        };
        key.push_str(before);
        key.push_str("{}");
        rest = after;
    }
    key.push_str(rest);
    if key.is_empty() { "/".to_owned() } else { key }
}

/// Compares kind, names (ignoring case) and base URL (one of several).
pub fn auth_is_right(row: &Row, inspected: &Value) -> bool {
    let api = &inspected["api"];
    let set = |text: &str| {
        text.to_lowercase()
            .split(',')
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    let named = api["auth"]["name"].as_str().unwrap_or_default();
    let base = api["base_url"].as_str().unwrap_or_default();
    api["auth"]["kind"] == row.cell("auth_kind")
        && set(named) == set(row.cell("header_or_query_name"))
        && row.cell("base_url").split('|').any(|url| url == base)
}
