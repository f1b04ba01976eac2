//! `etlgen explain`: the evidence for a resource, one of its fields or the auth, and the line of `etlgen.toml` that
//! overrides it.

mod field;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use etlgen_model::Paginator;
use serde_json::Value;

use crate::diagnostics::{Diagnostic, printable, toml_key, toml_string as quoted, toml_value};
use crate::draft::{Decided, Draft};
use crate::infer::facts::{AuthFacts, Decision, Facts, ResourceFacts, ResourceKind, SURE};
use crate::infer::of_scheme;
use crate::inspect::{auth, place, renewal};
use crate::near::unknown;
use crate::spec::api::{Api, Location};

/// Explains `RESOURCE`, `RESOURCE.FIELD` or `auth`: the decisions, the evidence, and the line that
/// overrides each.
pub fn explain(draft: &Draft, what: &str) -> Result<String, Diagnostic> {
    let api = &draft.api;
    let decided = draft.decided();
    let facts = &Facts {
        resources: decided.iter().map(|one| one.facts.clone()).collect(),
        ..draft.facts.clone()
    };
    let (name, field) = match what.split_once('.') {
        Some((name, field)) => (name, Some(field)),
        None => (what, None),
    };
    // `etlgen.toml` may have renamed it.
    let own = decided.iter().find(|one| one.facts.name == name);
    let resource = own.or_else(|| decided.iter().find(|one| one.planned.name == name));
    match (resource, field) {
        (Some(one), Some(field)) => field::field(api, facts, &one.facts, field),
        (Some(one), None) => Ok(whole(api, one)),
        (None, None) if name == "auth" => Ok(credentials(api, facts)),
        (None, _) => {
            let names = facts
                .resources
                .iter()
                .map(|resource| resource.name.as_str())
                .chain(["auth"]);
            Err(unknown(
                &format!("no resource is called `{name}`"),
                name,
                names,
            ))
        }
    }
}

/// Explains every decision about a resource.
fn whole(api: &Api, decided: &Decided<'_>) -> String {
    let resource = &decided.facts;
    let mut text = String::new();
    let Some(operation) = api.operations.get(resource.operation) else {
        return text;
    };
    let is_list = resource.kind == ResourceKind::List;
    let what = if is_list { "list" } else { "single object" };
    let endpoint = one_line(&operation.path);
    let method = operation.method.to_uppercase();
    let _ = writeln!(text, "{}  {what}  {method} {endpoint}", resource.name);
    let _ = writeln!(text, "  location: {}", one_line(&operation.pointer));
    if !operation.summary.is_empty() {
        let _ = writeln!(text, "  {}", one_line(&operation.summary));
    }
    let table = format!("[resources.{}]", resource.name);
    let mut say =
        |title: &str, shown: String, sure: Option<f32>, reasons: &[String], line: &str| {
            decision(&mut text, title, &shown, sure, reasons);
            if !line.is_empty() {
                let _ = writeln!(text, "  in etlgen.toml, below {table}: {}", one_line(line));
            }
        };
    if let Some(reason) = &decided.planned.off {
        say("off", reason.clone(), None, &[], &on(resource));
    }
    let records = path(&resource.records_path.value);
    say(
        "records",
        records.clone(),
        Some(resource.records_path.confidence),
        &why(&resource.records_path),
        &format!("records = {}", quoted(&records)),
    );
    let key = &resource.primary_key;
    let mut shown = or_none(&key.value.join(", "));
    if resource.key_within_parent {
        shown.push_str(" (together with its parent's parameters)");
    }
    let names: Vec<String> = key.value.iter().map(|name| quoted(name)).collect();
    say(
        "key",
        shown,
        Some(key.confidence),
        &why(key),
        &format!("primary_key = [{}]", names.join(", ")),
    );
    if is_list {
        let page = &resource.paginator;
        say(
            "pages",
            pages(resource),
            Some(page.confidence),
            &why(page),
            &paginate(resource),
        );
        let cursor = &resource.cursor;
        let (shown, line) = cursor_of(decided);
        say(
            "cursor",
            shown,
            Some(cursor.confidence),
            &why(cursor),
            &line,
        );
    }
    let (shown, line) = parent_of(decided);
    say(
        "parent",
        shown,
        Some(resource.parent.confidence),
        &why(&resource.parent),
        &line,
    );
    for setting in &resource.settings {
        let shown = format!("{} ({})", setting.parameter, place(setting.location));
        let mut reasons =
            vec!["it is required, and neither a parent nor a fixed value supplies it".to_owned()];
        if !setting.description.is_empty() {
            reasons.push(setting.description.clone());
        }
        if let Some(default) = &setting.default {
            reasons.push(format!("its default in the document is `{default}`"));
        }
        let value = match setting.location {
            Location::Body => "…",
            _ => "\"VALUE\"",
        };
        let line = sent(setting.location, &setting.parameter, value);
        say("setting", shown, None, &reasons, &line);
    }
    for fixed in &resource.fixed {
        let value = match &fixed.value {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let shown = format!("{} = {value} ({})", fixed.name, place(fixed.location));
        let line = sent(fixed.location, &fixed.name, &toml_value(&fixed.value));
        say(
            "fixed",
            shown,
            None,
            std::slice::from_ref(&fixed.reason),
            &line,
        );
    }
    text
}

/// Returns what speaks for a decision, and the candidates that were not chosen.
fn why<T>(decision: &Decision<T>) -> Vec<String> {
    let mut lines = decision.reasons.clone();
    lines.extend(decision.others.iter().cloned());
    lines
}

/// Returns the line that switches on a resource that is off.
fn on(resource: &ResourceFacts) -> String {
    let mut doubts = resource.doubts.iter().map(|doubt| &doubt.settle);
    let keys = ["off", "body", "paginate"];
    let line = doubts.find(|line| keys.iter().any(|key| line.starts_with(key)));
    line.cloned().unwrap_or_default()
}

/// Explains the credentials, and where they are sent.
fn credentials(api: &Api, facts: &Facts) -> String {
    let mut text = String::new();
    let (kind, name) = auth(&facts.auth.value);
    let mut shown = kind.to_owned();
    if !name.is_empty() {
        let _ = write!(shown, " ({name})");
    }
    let Decision {
        confidence,
        reasons,
        value,
        ..
    } = &facts.auth;
    let mut reasons = reasons.clone();
    if let Some(renewal) = renewal(value) {
        reasons.push(format!("tokens are fetched with {renewal}"));
    }
    if let AuthFacts::OAuth2 { scopes, .. } = value
        && !scopes.is_empty()
    {
        reasons.push(format!("scopes: {}", scopes.join(" ")));
    }
    decision(&mut text, "auth", &shown, Some(*confidence), &reasons);
    let schemes = api.security_schemes.iter();
    let schemes = schemes.filter(|(_, scheme)| of_scheme(scheme).is_some());
    let mut names: Vec<String> = schemes.map(|(name, _)| format!("{name:?}")).collect();
    let kinds = ["bearer", "basic", "none"].map(|kind| format!("{kind:?}"));
    names.extend(
        kinds
            .into_iter()
            .filter(|kind| !names.contains(kind))
            .collect::<Vec<_>>(),
    );
    let (first, others) = names.split_first().map_or(("", &[][..]), |(a, b)| (a, b));
    let _ = writeln!(
        text,
        "  in etlgen.toml: auth = {first} (or {})",
        others.join(", ")
    );
    let reasons: Vec<String> = api
        .servers
        .iter()
        .map(|server| format!("a server of the document: {}", server.url))
        .chain(api.servers.iter().flat_map(|server| {
            server.variables.iter().map(|(name, (default, text))| {
                format!(
                    "{{{name}}} is `{}` unless set otherwise. {text}",
                    or_none(default)
                )
            })
        }))
        .collect();
    decision(
        &mut text,
        "base URL",
        &or_none(&facts.base_url),
        None,
        &reasons,
    );
    let shown = match facts.base_url.as_str() {
        "" => "https://…",
        url => url,
    };
    let _ = writeln!(
        text,
        "  in etlgen.toml: base_url = {}",
        one_line(&quoted(shown))
    );
    text
}

fn decision(text: &mut String, title: &str, shown: &str, sure: Option<f32>, reasons: &[String]) {
    let _ = write!(text, "\n{title}: {}", one_line(shown));
    match sure {
        Some(sure) if sure < SURE => {
            let _ = writeln!(text, "  (confidence {sure:.2}: not sure, see below)");
        }
        Some(sure) => {
            let _ = writeln!(text, "  (confidence {sure:.2})");
        }
        None => text.push('\n'),
    }
    for reason in reasons {
        let _ = writeln!(text, "  {}", one_line(reason));
    }
}

fn pages(resource: &ResourceFacts) -> String {
    let page = resource.paging();
    let mut parts = vec![page.kind.to_owned()];
    let named = [
        ("page", &page.page_param),
        ("size", &page.size_param),
        ("next", &page.next_path),
        ("more", &page.more_path),
        ("total", &page.total_path),
    ];
    for (title, value) in named {
        if let Some(value) = value {
            parts.push(format!("{title} `{value}`"));
        }
    }
    if let Some(most) = page.max_page_size {
        parts.push(format!("at most {most} in a page"));
    }
    parts.join(", ")
}

/// Returns the line of `etlgen.toml` that declares the current paginator.
fn paginate(resource: &ResourceFacts) -> String {
    let page = &resource.paginator.value;
    if *page == Paginator::Undecided {
        let asked = resource
            .doubts
            .iter()
            .find(|doubt| doubt.settle.starts_with("paginate"));
        return asked.map_or_else(
            || "paginate = \"single\"".to_owned(),
            |doubt| doubt.settle.clone(),
        );
    }
    format!("paginate = {}", inline(page))
}

/// Returns a paginator in the form of `etlgen.toml`: a word, or a table on one line.
fn inline(paginator: &Paginator) -> String {
    let table = match serde_json::to_value(paginator) {
        Ok(Value::Object(table)) if table.len() > 1 => table,
        _ => return quoted(paginator.kind()),
    };
    toml_value(&Value::Object(table))
}

fn cursor_of(decided: &Decided<'_>) -> (String, String) {
    let Some(cursor) = &decided.facts.cursor.value else {
        let line = "incremental = { field = \"FIELD\", param = \"PARAMETER\" }";
        return ("none: every run reads all rows".to_owned(), line.to_owned());
    };
    let meaning = cursor.meaning.name();
    let format = cursor.format.name();
    let filter = cursor.param.as_ref().map_or_else(
        || "nothing filters by it".to_owned(),
        |param| match &cursor.template {
            Some(template) => format!("filtered by `{param}`, which holds `{template}`"),
            None => format!("filtered by `{param}`"),
        },
    );
    let field = match cursor.field.as_str() {
        "" => "an unknown field",
        field => field,
    };
    let mut shown = format!("{field} ({meaning}, {format}), {filter}");
    if !decided.is_incremental() {
        shown.push_str("; it is not used: every run reads all rows");
    }
    let field = if cursor.field.is_empty() {
        "FIELD"
    } else {
        field
    };
    let mut parts = vec![format!("field = {}", quoted(field))];
    for (title, value) in [
        ("param", &cursor.param),
        ("template", &cursor.template),
        ("until", &cursor.until),
    ] {
        if let Some(value) = value {
            parts.push(format!("{title} = {}", quoted(value)));
        }
    }
    let line = format!("incremental = {{ {} }} (or false)", parts.join(", "));
    (shown, line)
}

fn parent_of(decided: &Decided<'_>) -> (String, String) {
    let unused = decided.planned.parent.is_none();
    let Some(parent) = &decided.found.parent.value else {
        return ("none".to_owned(), "parent = \"RESOURCE\"".to_owned());
    };
    let mut parts: Vec<String> = parent
        .links
        .iter()
        .map(|link| {
            format!(
                "`{}` ({}) is its `{}`",
                link.param,
                place(link.location),
                link.field
            )
        })
        .collect();
    for (own, theirs) in &parent.inherited {
        parts.push(format!("`{own}` is the `{theirs}` of its own request"));
    }
    let mut shown = format!("{}: {}", parent.resource, parts.join(", "));
    if unused {
        shown.push_str("; it is not used: these parameters are settings");
    }
    let line = format!("parent = {} (or false)", quoted(&parent.resource));
    (shown, line)
}

/// Returns the line of `etlgen.toml` that sends a value with every request; empty: no key does.
fn sent(location: Location, name: &str, value: &str) -> String {
    let key = match location {
        Location::Query => "query",
        Location::Body => "body",
        Location::Path | Location::Header | Location::Cookie => return String::new(),
    };
    format!("{key}.{} = {value}", toml_key(name))
}

fn path(keys: &[String]) -> String {
    if keys.is_empty() {
        "$".to_owned()
    } else {
        keys.join(".")
    }
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none" } else { text }.to_owned()
}

/// Returns text of a document as one line for a terminal.
fn one_line(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}
