//! The form for people: a table, and below it what is open.

use crate::diagnostics::printable;
use crate::infer::facts::{Decision, Facts, PaginatorKind, ResourceFacts, ResourceKind, SURE};
use crate::spec::api::{Api, Operation};

use super::json::{auth, kind};
use super::top::top;

/// How wide a table may be if nobody says.
const WIDTH: usize = 160;
/// An endpoint is not made shorter than this.
const LEAST: usize = 40;
const COLUMNS: usize = 7;
const ENDPOINT: usize = 1;

/// What is shown, and how wide.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Only so many lists: the commonest.
    pub top: Option<usize>,
    /// Characters in a line, where the table can be made to fit.
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

/// Everything.
pub fn table(api: &Api, facts: &Facts) -> String {
    show(api, facts, &View::default())
}

/// What a view wants to see.
pub fn show(api: &Api, facts: &Facts, view: &View) -> String {
    let of_kind = |kind| move |resource: &&ResourceFacts| resource.kind == kind;
    let all: Vec<&ResourceFacts> = facts
        .resources
        .iter()
        .filter(of_kind(ResourceKind::List))
        .collect();
    let singles: Vec<&ResourceFacts> = facts
        .resources
        .iter()
        .filter(of_kind(ResourceKind::Single))
        .collect();
    let lists: Vec<&ResourceFacts> = match view.top {
        Some(count) => top(api, facts, count)
            .into_iter()
            .filter_map(|index| facts.resources.get(index))
            .collect(),
        None => all.clone(),
    };
    let mut text = headline(api, facts);
    text.push_str(&rows(api, &lists, view.width));
    if lists.len() < all.len() {
        text.push_str(&format!(
            "\nand {} more lists, {} single objects (without `--top` all are shown)\n",
            all.len() - lists.len(),
            singles.len()
        ));
    } else if !singles.is_empty() {
        text.push_str("\nkind `single`, one object each:\n");
        let names = singles.iter().map(|resource| resource.name.as_str());
        text.push_str(&wrapped(names, view.width));
    }
    text.push_str(&open(&lists));
    text
}

fn headline(api: &Api, facts: &Facts) -> String {
    let (kind, name) = auth(&facts.auth.value);
    let mut text = format!(
        "{}  {}  auth: {kind}",
        one_line(&api.title),
        one_line(&facts.base_url)
    );
    if !name.is_empty() {
        text.push_str(&format!(" ({})", one_line(&name)));
    }
    if facts.auth.confidence < SURE {
        text.push('?');
    }
    for rate in &facts.rates {
        let (requests, seconds) = (rate.requests, rate.seconds);
        text.push_str(&format!("  at most {requests} requests in {seconds} s"));
    }
    text.push_str("\n\n");
    text
}

fn rows(api: &Api, lists: &[&ResourceFacts], width: usize) -> String {
    let header = [
        "resource",
        "endpoint",
        "records",
        "key",
        "paginator",
        "cursor",
        "parent",
    ]
    .map(str::to_owned);
    let mut rows: Vec<[String; COLUMNS]> = vec![header];
    for resource in lists {
        if let Some(operation) = api.operations.get(resource.operation) {
            rows.push(row(operation, resource));
        }
    }
    let mut widths = widths(&rows);
    let whole: usize = widths.iter().sum::<usize>() + 2 * (COLUMNS - 1);
    let longest = widths[ENDPOINT]
        .saturating_sub(whole.saturating_sub(width))
        .max(LEAST);
    if longest < widths[ENDPOINT] {
        for row in &mut rows {
            row[ENDPOINT] = shortened(&row[ENDPOINT], longest);
        }
        widths = self::widths(&rows);
    }
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn widths(rows: &[[String; COLUMNS]]) -> [usize; COLUMNS] {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    widths
}

fn row(operation: &Operation, resource: &ResourceFacts) -> [String; COLUMNS] {
    let records = match resource.records_path.value.join(".") {
        body if body.is_empty() => "$".to_owned(),
        path => path,
    };
    let cursor = resource
        .cursor
        .value
        .as_ref()
        .map(|cursor| match &cursor.param {
            Some(param) => format!("{} > {param}", cursor.field),
            // Nothing filters by it: all rows are read each time.
            None => "-".to_owned(),
        });
    let parent = resource.parent.value.as_ref();
    let page = resource.paginator.value.kind;
    [
        resource.name.clone(),
        format!("{} {}", operation.method.to_uppercase(), operation.path),
        marked(&resource.records_path, records),
        marked(&resource.primary_key, resource.primary_key.value.join(", ")),
        if page == PaginatorKind::Undecided {
            "undecided?".to_owned()
        } else {
            marked(&resource.paginator, kind(page).to_owned())
        },
        marked(&resource.cursor, cursor.unwrap_or_default()),
        marked(
            &resource.parent,
            parent
                .map(|parent| parent.resource.clone())
                .unwrap_or_default(),
        ),
    ]
    .map(|cell| one_line(&cell))
}

/// A cell: `-` where there is nothing, `(…)?` where it is not sure enough to be acted upon.
fn marked<T>(decision: &Decision<T>, shown: String) -> String {
    let sure = decision.confidence >= SURE;
    match (shown.is_empty(), sure) {
        (true, true) => "-".to_owned(),
        (true, false) => "-?".to_owned(),
        (false, true) => shown,
        (false, false) => format!("({shown})?"),
    }
}

/// Begin and end of a text: `GET /repos/{owner}…/comments`.
fn shortened(text: &str, length: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= length {
        return text.to_owned();
    }
    // The end tells more than the beginning, which many share.
    let tail = length.saturating_sub(1).div_ceil(2);
    let head = length.saturating_sub(1).saturating_sub(tail);
    let head: String = chars.iter().take(head).collect();
    let tail: String = chars.iter().skip(chars.len() - tail).collect();
    format!("{head}…{tail}")
}

/// Words in lines, indented.
fn wrapped<'a>(words: impl Iterator<Item = &'a str>, width: usize) -> String {
    let mut text = String::new();
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && line.len() + word.len() + 4 > width {
            text.push_str(&format!("  {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        text.push_str(&format!("  {line}\n"));
    }
    text
}

/// The questions that are left open.
fn open(lists: &[&ResourceFacts]) -> String {
    let mut text = String::new();
    let unsure = lists.iter().filter(|resource| !resource.doubts.is_empty());
    for (index, resource) in unsure.enumerate() {
        if index == 0 {
            text.push_str(
                "\nOpen questions, each with the lines for etlgen.toml that settle it:\n",
            );
        }
        text.push_str(&format!("\n[resources.{}]\n", resource.name));
        for doubt in &resource.doubts {
            text.push_str(&format!(
                "# {}\n{}\n",
                one_line(&doubt.question),
                one_line(&doubt.settle)
            ));
        }
    }
    text
}

/// Text of a document on one line of a terminal.
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
    fn what_is_unsure_is_marked() {
        let decision = |confidence| Decision {
            value: (),
            confidence,
            reasons: Vec::new(),
        };
        assert_eq!(marked(&decision(0.9), "id".to_owned()), "id");
        assert_eq!(marked(&decision(0.4), "id".to_owned()), "(id)?");
        assert_eq!(marked(&decision(0.8), String::new()), "-");
    }

    #[test]
    fn words_are_wrapped() {
        let words = ["one", "two", "three"];
        assert_eq!(wrapped(words.into_iter(), 12), "  one, two\n  three\n");
    }
}
