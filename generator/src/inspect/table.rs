//! The table of `etlgen inspect`, and the open questions below it.

use etlgen_model::Paginator;
use indexmap::IndexMap;

use crate::diagnostics::{counted, printable};
use crate::draft::{Decided, Draft};
use crate::infer::facts::{Decision, Facts, ResourceFacts, ResourceKind, SURE};
use crate::spec::api::{Api, Operation};

use super::json::{auth, renewal};
use super::top::top;

/// The width of a table if the terminal's width is unknown.
const WIDTH: usize = 80;
/// The width up to which an endpoint may be shortened for one line.
const LEAST: usize = 40;
/// The least width of a column.
const NARROWEST: usize = 8;
/// The blanks between two columns.
const GAP: usize = 2;
const COLUMNS: usize = 7;
const ENDPOINT: usize = 1;
const RECORDS: usize = 2;
/// The columns with names of resources, which are never shortened: a user copies them.
const NAMES: [usize; 2] = [0, 6];
const HEADER: [&str; COLUMNS] = [
    "resource",
    "endpoint",
    "records",
    "key",
    "paginator",
    "cursor",
    "parent",
];

/// The number of lists in a table, and its width.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The number of lists that are shown, the most common ones; `None`: all of them.
    pub top: Option<usize>,
    /// The number of characters in a line, as far as the table can be fitted.
    pub width: usize,
}

impl Default for View {
    fn default() -> Self {
        View {
            top: None,
            width: WIDTH,
        }
    }
}

/// Returns the resources to generate, and the open questions.
pub fn table(draft: &Draft, view: &View) -> String {
    let Draft { api, facts, .. } = draft;
    let decided = draft.decided();
    let of_kind = |kind| {
        let resources = decided.iter();
        let resources = resources.filter(move |resource| resource.facts.kind == kind);
        resources.collect::<Vec<&Decided>>()
    };
    let (all, singles) = (of_kind(ResourceKind::List), of_kind(ResourceKind::Single));
    let lists: Vec<&Decided> = match view.top {
        Some(count) => {
            let found: Vec<&ResourceFacts> = all.iter().map(|list| &list.facts).collect();
            let top = top(api, &found, count).into_iter();
            top.filter_map(|index| all.get(index).copied()).collect()
        }
        None => all.clone(),
    };
    let mut text = headline(api, facts, view.width);
    text.push_str(&rows(api, &lists, view.width));
    if lists.len() < all.len() {
        text.push_str(&format!(
            "\nand {}, {} (without `--top` all are shown)\n",
            counted(all.len() - lists.len(), "more list"),
            counted(singles.len(), "single object")
        ));
    } else if !singles.is_empty() {
        text.push_str("\nkind `single`, one object each:\n");
        let names = singles.iter().map(|single| single.facts.name.as_str());
        text.push_str(&wrapped(names, view.width));
    }
    text.push_str(&legend(&text));
    text.push_str(&off(&decided, view.width));
    text.push_str(&missed(facts, view.width));
    text.push_str(&open(facts, &lists, view.width));
    text
}

/// Lists what runs leave out unless `--resources` names it.
fn off(decided: &[Decided<'_>], width: usize) -> String {
    let off = decided.iter().filter_map(|decided| {
        let reason = decided.planned.off.as_ref()?;
        let text = one_line(&format!("{}: {reason}", decided.facts.name));
        Some(lines("  ", text.split(' ').map(str::to_owned), width))
    });
    let off: String = off.collect();
    match off.is_empty() {
        true => off,
        false => format!("\nOff: `sync` leaves these out unless `--resources` names them\n{off}"),
    }
}

/// Lists operations that return rows and are no resources, by their reasons.
fn missed(facts: &Facts, width: usize) -> String {
    let mut reasons: IndexMap<&str, Vec<String>> = IndexMap::new();
    for skipped in facts.skipped.iter().filter(|skipped| skipped.is_missed) {
        let endpoint = format!("{} {}", skipped.method.to_uppercase(), skipped.path);
        let of_reason = reasons.entry(&skipped.reason).or_default();
        of_reason.push(one_line(&endpoint));
    }
    if reasons.is_empty() {
        return String::new();
    }
    let mut text = "\nLeft out: no run can ask for all their rows\n".to_owned();
    for (reason, endpoints) in reasons {
        let line = format!("{reason}: {}", endpoints.join(", "));
        text.push_str(&lines("  ", line.split(' ').map(str::to_owned), width));
    }
    text
}

/// Explains the marks that a table contains.
fn legend(table: &str) -> String {
    let marks = [
        ("$", " $", "the body of the response is the list itself"),
        (
            "x?",
            "?",
            "etlgen is not sure of it: see the open questions, or `etlgen explain`",
        ),
        ("(x)?", ")?", "found, but not sure enough to be used"),
    ];
    let used = marks.iter().filter(|(_, sign, _)| table.contains(sign));
    let lines: Vec<String> = used
        .map(|(mark, _, meaning)| format!("{mark:4}  {meaning}\n"))
        .collect();
    match lines.is_empty() {
        true => String::new(),
        false => format!("\n{}", lines.concat()),
    }
}

/// Returns title, URL, credentials and limits: on one line, or on one line each.
fn headline(api: &Api, facts: &Facts, width: usize) -> String {
    let (kind, name) = auth(&facts.auth.value);
    let mut credentials = format!("auth: {kind}");
    if !name.is_empty() {
        credentials.push_str(&format!(" ({})", one_line(&name)));
    }
    if facts.auth.confidence < SURE {
        credentials.push('?');
    }
    if let Some(renewal) = renewal(&facts.auth.value) {
        credentials.push_str(&format!(", or {}", one_line(&renewal)));
    }
    let mut parts = vec![one_line(&api.title), one_line(&facts.base_url), credentials];
    parts.extend(facts.rates.iter().map(|rate| {
        let requests = usize::try_from(rate.requests).unwrap_or(usize::MAX);
        format!(
            "at most {} in {} s",
            counted(requests, "request"),
            rate.seconds
        )
    }));
    let text = parts.join("  ");
    match text.chars().count() <= width {
        true => format!("{text}\n\n"),
        false => format!("{}\n\n", parts.join("\n")),
    }
}

/// Returns one line for each list, or two if one would be longer than `width`: the endpoint and the
/// place of the records are on the second. If the first is still too long, the name has a line of
/// its own.
fn rows(api: &Api, lists: &[&Decided<'_>], width: usize) -> String {
    let mut rows = vec![HEADER.map(str::to_owned)];
    for resource in lists {
        if let Some(operation) = api.operations.get(resource.facts.operation) {
            rows.push(row(operation, resource));
        }
    }
    let widest = |at: usize| rows.iter().map(|row| row[at].chars().count()).max();
    let mut widths: [usize; COLUMNS] = std::array::from_fn(|at| widest(at).unwrap_or(0));
    let rest = widths.iter().sum::<usize>() - widths[ENDPOINT] + GAP * (COLUMNS - 1);
    let is_one_line = rest + widths[ENDPOINT].min(LEAST) <= width;
    let mut first: Vec<usize> = match is_one_line {
        true => {
            widths[ENDPOINT] = widths[ENDPOINT].min(width - rest);
            (0..COLUMNS).collect()
        }
        false => (0..COLUMNS)
            .filter(|at| ![ENDPOINT, RECORDS].contains(at))
            .collect(),
    };
    let whole = widths;
    let is_apart = !is_one_line && !fit(&mut widths, &first, width);
    if is_apart {
        first.remove(0);
        widths = whole;
        fit(&mut widths, &first, width.saturating_sub(GAP));
    }
    let mut text = String::new();
    for row in &rows {
        let cells = first.iter().map(|at| {
            let width = widths[*at];
            format!("{:width$}", shortened(&row[*at], width))
        });
        let cells: Vec<String> = cells.collect();
        if is_apart {
            text.push_str(&format!("{}\n  ", row[0]));
        }
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
        if !is_one_line {
            let second = format!("{}  {}", row[ENDPOINT], row[RECORDS]);
            let second = shortened(&second, width.saturating_sub(GAP));
            text.push_str(&format!("  {second}\n"));
        }
    }
    text
}

/// Makes the widest of some columns narrower until a line of them fits, except for names. Returns
/// whether it fits.
fn fit(widths: &mut [usize; COLUMNS], columns: &[usize], width: usize) -> bool {
    loop {
        let whole: usize = columns.iter().map(|at| widths[*at] + GAP).sum();
        if whole <= width + GAP {
            return true;
        }
        let columns = columns.iter().copied().filter(|at| !NAMES.contains(at));
        let widest = columns.max_by_key(|at| widths[*at]);
        let Some(widest) = widest.filter(|at| widths[*at] > NARROWEST) else {
            return false;
        };
        widths[widest] -= 1;
    }
}

fn row(operation: &Operation, decided: &Decided<'_>) -> [String; COLUMNS] {
    let (facts, planned) = (&decided.facts, decided.planned);
    let records = match facts.records_path.value.join(".") {
        body if body.is_empty() => "$".to_owned(),
        path => path,
    };
    let cursor = facts.cursor.value.as_ref();
    let cursor = cursor.map(|cursor| match &cursor.param {
        Some(param) if cursor.field.is_empty() => format!("? > {param}"),
        Some(param) => format!("{} > {param}", cursor.field),
        None if decided.is_incremental() => cursor.field.clone(),
        // Without a filter each run reads all rows.
        None => "-".to_owned(),
    });
    let parent = decided.found.parent.value.as_ref();
    let parent = parent.map(|parent| parent.resource.clone());
    [
        facts.name.clone(),
        format!("{} {}", operation.method.to_uppercase(), operation.path),
        cell(&facts.records_path, records, true),
        cell(&facts.primary_key, facts.primary_key.value.join(", "), true),
        match &facts.paginator.value {
            Paginator::Undecided => "undecided?".to_owned(),
            page => cell(&facts.paginator, page.kind().to_owned(), true),
        },
        cell(
            &facts.cursor,
            cursor.unwrap_or_default(),
            decided.is_incremental(),
        ),
        cell(
            &facts.parent,
            parent.unwrap_or_default(),
            planned.parent.is_some(),
        ),
    ]
    .map(|cell| one_line(&cell))
}

/// Returns a cell: `-` if empty, `x?` if used but uncertain, `(x)?` if not used.
fn cell<T>(decision: &Decision<T>, shown: String, used: bool) -> String {
    let sure = decision.confidence >= SURE;
    match (shown.as_str(), used, sure) {
        ("" | "-", _, true) => "-".to_owned(),
        ("" | "-", _, false) => "-?".to_owned(),
        (shown, false, _) => format!("({shown})?"),
        (shown, true, false) => format!("{shown}?"),
        (_, true, true) => shown,
    }
}

/// Returns the beginning and the end of a text: `GET /repos/{owner}…/comments`.
fn shortened(text: &str, length: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= length {
        return text.to_owned();
    }
    // The end distinguishes better: many paths share the beginning.
    let tail = length.saturating_sub(1).div_ceil(2);
    let head = length.saturating_sub(1).saturating_sub(tail);
    let head: String = chars.iter().take(head).collect();
    let tail: String = chars.iter().skip(chars.len() - tail).collect();
    format!("{head}…{tail}")
}

/// Wraps names into indented lines, with commas between them.
fn wrapped<'a>(names: impl Iterator<Item = &'a str>, width: usize) -> String {
    let names: Vec<&str> = names.collect();
    let last = names.len().saturating_sub(1);
    let words = names.iter().enumerate().map(|(at, name)| match at == last {
        true => (*name).to_owned(),
        false => format!("{name},"),
    });
    lines("  ", words, width)
}

/// Puts words into lines that begin with a prefix.
fn lines(prefix: &str, words: impl Iterator<Item = String>, width: usize) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for word in words {
        let length = prefix.len() + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && length > width {
            text.push_str(&format!("{prefix}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() {
        text.push_str(&format!("{prefix}{line}\n"));
    }
    text
}

/// Returns a question as lines of comment.
fn question(text: &str, width: usize) -> String {
    let text = one_line(text);
    lines("# ", text.split(' ').map(str::to_owned), width)
}

/// Returns the open questions.
fn open(facts: &Facts, lists: &[&Decided<'_>], width: usize) -> String {
    let mut text = String::new();
    if facts.auth.confidence < SURE {
        let reason = facts.auth.reasons.first().map_or("", String::as_str);
        let line = match auth(&facts.auth.value).0 {
            kind @ ("basic" | "none") => kind,
            _ => "bearer",
        };
        let asked = question(
            &format!("how do requests carry credentials? {reason}"),
            width,
        );
        text.push_str(&format!("\n{asked}auth = \"{line}\"\n"));
    }
    let lists = lists.iter().map(|list| &list.facts);
    let unsure = lists.filter(|resource| !resource.doubts.is_empty());
    for resource in unsure {
        text.push_str(&format!("\n[resources.{}]\n", resource.name));
        for doubt in &resource.doubts {
            let asked = question(&doubt.question, width);
            text.push_str(&format!("{asked}{}\n", one_line(&doubt.settle)));
        }
    }
    match text.is_empty() {
        true => text,
        false => {
            format!("\nOpen questions, each with the lines for etlgen.toml that settle it:\n{text}")
        }
    }
}

/// Returns text of a document as one line for a terminal.
fn one_line(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_endpoint_keeps_its_begin_and_its_end() {
        assert_eq!(shortened("GET /a/{b}/c", 12), "GET /a/{b}/c");
        let short = shortened("GET /repos/{owner}/{repo}/pulls/{number}/comments", 20);
        assert_eq!(short, "GET /repo…r}/comments".replace("r}", "}"));
        assert_eq!(short.chars().count(), 20);
    }

    #[test]
    fn what_is_unsure_or_unused_is_marked() {
        let decision = |confidence| Decision {
            value: (),
            confidence,
            reasons: Vec::new(),
            others: Vec::new(),
        };
        let shown =
            |text: &str, confidence, used| cell(&decision(confidence), text.to_owned(), used);
        assert_eq!(shown("id", 0.9, true), "id");
        assert_eq!(shown("id", 0.4, true), "id?");
        assert_eq!(shown("id", 0.4, false), "(id)?");
        assert_eq!(shown("id", 0.9, false), "(id)?");
        assert_eq!(shown("", 0.8, false), "-");
        assert_eq!(shown("", 0.4, false), "-?");
    }

    fn drafted(document: &str) -> Draft {
        let input = crate::spec::Input {
            name: "t.yaml".to_owned(),
            bytes: document.as_bytes().to_vec(),
            ..Default::default()
        };
        Draft::new(input, &Default::default(), &Default::default()).unwrap()
    }

    #[test]
    fn names_are_never_cut() {
        let document = "openapi: 3.0.0
info: {title: T, version: '1'}
paths:
  /very_long_names_of_organisations_that_nobody_shortens:
    get: &list
      responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {an_identifier_of_many_words_id: {type: string}, id: {type: string}}}}}}}}
  /very_long_names_of_organisations_that_nobody_shortens/{id}/members_and_their_many_roles: {get: *list}
  /jobs/cancel: {get: *list}
";
        let draft = drafted(document);
        let shown = table(&draft, &View::default());
        for list in &draft.facts.resources {
            assert!(shown.contains(&list.name), "{}: {shown}", list.name);
        }
        let off = shown.split("\nOff: ").nth(1).unwrap_or_default();
        assert!(
            off.contains("its request may do something: `cancel`"),
            "{shown}"
        );
        let json = crate::inspect::json(&draft);
        assert_eq!(json["off"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn lists_that_are_left_out_are_named_with_the_reason() {
        let document = "openapi: 3.0.0
info: {title: T, version: '1'}
paths:
  /users: {get: {responses: {'200': {description: ok, content: {application/json: {schema: {type: array, items: {type: object, properties: {id: {type: string}}}}}}}}}}
  /metrics/meetings:
    get:
      parameters: [{name: from, in: query, required: true, schema: {type: string, format: date}}, {name: to, in: query, required: true, schema: {type: string, format: date}}]
      responses: {'200': {description: ok, content: {application/json: {schema: {type: object, properties: {meetings: {type: array, items: {type: object, properties: {host: {type: string}, minutes: {type: integer}}}}}}}}}}
";
        let draft = drafted(document);
        let shown = table(&draft, &View::default());
        assert!(
            shown.contains("a report over a required time span: GET /metrics/meetings"),
            "{shown}"
        );
    }

    #[test]
    fn words_are_wrapped() {
        let words = ["one", "two", "three"];
        assert_eq!(wrapped(words.into_iter(), 12), "  one, two,\n  three\n");
    }
}
