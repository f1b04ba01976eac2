//! The report of a run as one page of HTML, which loads nothing: no script, no font, no image.

use super::text::{ends, many, tree};
use crate::record::rfc3339;
use crate::run::{Outcome, ResourceReport, RunReport};
use crate::text::{bytes, grouped};

/// The styles of the page, for light and dark screens.
const STYLE: &str = include_str!("report.css");

/// Returns the report as a page. Every text of it is escaped.
pub(crate) fn page(report: &RunReport) -> String {
    let mut html = Html::default();
    let title = format!("{}: load {}", report.source, report.load_id);
    html.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.element("title", "", &title);
    html.raw(&format!(
        "<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    ));
    head(&mut html, report);
    timeline(&mut html, report);
    numbers(&mut html, report);
    failures(&mut html, report);
    details(&mut html, report);
    rest(&mut html, report);
    html.raw("</main>\n</body>\n</html>");
    html.0
}

/// HTML that grows; texts go through [`Html::text`].
#[derive(Default)]
struct Html(String);

impl Html {
    /// Adds markup.
    fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// Adds a text.
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\n' | '\t' => self.0.push(c),
                // A control character has no place in HTML.
                c if c.is_control() => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
    }

    /// Adds an element with a text. `attributes` begins with a blank.
    fn element(&mut self, name: &str, attributes: &str, text: &str) {
        self.raw(&format!("<{name}{attributes}>"));
        self.text(text);
        self.raw(&format!("</{name}>\n"));
    }

    /// Adds a list with a title; an empty list has none.
    fn list(&mut self, title: &str, items: impl IntoIterator<Item = (String, String)>) {
        let mut items = items.into_iter().peekable();
        if items.peek().is_none() {
            return;
        }
        self.element("h2", "", title);
        self.raw("<dl>\n");
        for (label, text) in items {
            self.element("dt", "", &label);
            self.element("dd", "", &text);
        }
        self.raw("</dl>\n");
    }
}

fn head(html: &mut Html, report: &RunReport) {
    let failed = |report: &&ResourceReport| matches!(report.outcome, Outcome::Failed(..));
    let stopped = |report: &&ResourceReport| matches!(report.outcome, Outcome::Stopped);
    let failed = report.resources.iter().filter(failed).count() as u64;
    let stopped = report.resources.iter().filter(stopped).count() as u64;
    let (class, outcome) = match (failed, stopped) {
        (0, 0) => ("good", "complete".to_owned()),
        (0, stopped) => ("doubt", format!("{} stopped", many(stopped, "resource"))),
        (failed, _) => ("bad", format!("{} failed", many(failed, "resource"))),
    };
    html.element(
        "h1",
        "",
        &format!("{} → {}", report.source, report.destination),
    );
    html.raw("<p>");
    html.element("span", &format!(" class=\"mark {class}\""), &outcome);
    let seconds = report.started.div_euclid(1_000_000) * 1_000_000;
    let started = rfc3339(seconds)
        .as_str()
        .replace('T', " ")
        .replace('Z', " UTC");
    html.text(&format!(" load {}, started {started}", report.load_id));
    html.raw("</p>\n<ul class=\"sums\">\n");
    let sum = |of: fn(&ResourceReport) -> u64| report.resources.iter().map(of).sum::<u64>();
    let rows = sum(|report| report.tables.iter().map(|(_, rows)| rows).sum());
    let waited: f64 = report
        .resources
        .iter()
        .map(|r| r.waited.as_secs_f64())
        .sum();
    for (name, value) in [
        ("resources", grouped(report.resources.len() as u64)),
        ("records", grouped(sum(|report| report.records))),
        ("rows", grouped(rows)),
        ("received", bytes(sum(|report| report.bytes))),
        ("requests", grouped(sum(|report| report.requests))),
        ("retries", grouped(sum(|report| report.retries))),
        ("waits for the rate limit", format!("{waited:.1} s")),
        ("time", format!("{:.1} s", report.elapsed.as_secs_f64())),
    ] {
        html.raw("<li>");
        html.element("b", "", &value);
        html.text(name);
        html.raw("</li>\n");
    }
    html.raw("</ul>\n");
}

/// Draws when each resource was read.
fn timeline(html: &mut Html, report: &RunReport) {
    let whole = report.elapsed.as_secs_f64();
    let read: Vec<_> = tree(&report.resources)
        .into_iter()
        .filter_map(|(resource, depth)| Some((resource, depth, resource.began?, resource.ended?)))
        .collect();
    if read.is_empty() || whole <= 0.0 {
        return;
    }
    html.element("h2", "", "Timeline");
    html.raw("<div class=\"timeline\">\n");
    for (resource, depth, began, ended) in read {
        let share = |seconds: f64| (seconds / whole * 100.0).clamp(0.0, 100.0);
        let from = share(began.as_secs_f64());
        let long = (share(ended.as_secs_f64()) - from).max(0.4);
        let (class, _) = end(resource);
        html.raw("<div class=\"row\">");
        html.element(
            "span",
            &format!(" class=\"name in{}\"", depth.min(4)),
            &resource.name,
        );
        html.raw(&format!(
            "<span class=\"track\"><span class=\"bar {class}\" style=\"margin-left:{from:.2}%;width:{long:.2}%\"></span></span>"
        ));
        let seconds = ended.saturating_sub(began).as_secs_f64();
        html.element("span", " class=\"time\"", &format!("{seconds:.1} s"));
        html.raw("</div>\n");
    }
    html.raw("</div>\n");
}

fn numbers(html: &mut Html, report: &RunReport) {
    html.element("h2", "", "Resources");
    html.raw("<div class=\"wide\"><table>\n<thead><tr>");
    for name in [
        "resource",
        "records",
        "unchanged",
        "pages",
        "requests",
        "retries",
        "received",
        "waited",
        "end",
    ] {
        html.element("th", "", name);
    }
    html.raw("</tr></thead>\n<tbody>\n");
    for (resource, depth) in tree(&report.resources) {
        html.raw("<tr>");
        html.element(
            "td",
            &format!(" class=\"name in{}\"", depth.min(4)),
            &resource.name,
        );
        for cell in [
            grouped(resource.records),
            grouped(resource.unchanged),
            grouped(resource.pages),
            grouped(resource.requests),
            grouped(resource.retries),
            bytes(resource.bytes),
            format!("{:.1} s", resource.waited.as_secs_f64()),
        ] {
            html.element("td", " class=\"number\"", &cell);
        }
        let (class, end) = end(resource);
        html.raw("<td>");
        html.element("span", &format!(" class=\"mark {class}\""), end);
        html.raw("</td></tr>\n");
    }
    html.raw("</tbody></table></div>\n");
}

fn failures(html: &mut Html, report: &RunReport) {
    let failed = report
        .resources
        .iter()
        .filter_map(|resource| match &resource.outcome {
            Outcome::Failed(kind, message) => Some((
                format!("{} ({})", resource.name, kind.name()),
                message.clone(),
            )),
            _ => None,
        });
    html.list("Failed", failed.collect::<Vec<_>>());
}

/// Says how the end of each resource is known, and what was noticed.
fn details(html: &mut Html, report: &RunReport) {
    html.list("How the ends are known", ends(report));
    let open = report.resources.iter().filter_map(|resource| {
        let doubt = matches!(resource.proof.grade(), "assumed" | "unproved");
        let why = resource.proof.why().filter(|_| doubt)?;
        Some((
            resource.name.clone(),
            format!("{}: {why}", resource.proof.grade()),
        ))
    });
    html.list("Not proved", open.collect::<Vec<_>>());
    let cursors = report.resources.iter().filter_map(|resource| {
        let (from, to) = resource.cursor_shown()?;
        let from = from.as_deref().unwrap_or("the beginning");
        let to = to.as_deref().unwrap_or("no value");
        Some((resource.name.clone(), format!("from {from} to {to}")))
    });
    html.list("Cursors", cursors.collect::<Vec<_>>());
    let drift = report.resources.iter().flat_map(|resource| &resource.drift);
    let drift = drift.map(|(table, key, done, values)| {
        (
            format!("{table}: {key}"),
            format!("{done} ({})", many(*values, "time")),
        )
    });
    html.list("Not declared by the structs", drift.collect::<Vec<_>>());
}

fn rest(html: &mut Html, report: &RunReport) {
    html.list("Notes", super::text::notes(report));
    let tables = report
        .resources
        .iter()
        .flat_map(|resource| &resource.tables);
    let tables = tables.map(|(name, rows)| (name.clone(), many(*rows, "row")));
    html.list("Tables", tables.collect::<Vec<_>>());
    let off = report.off.iter();
    let off = off.map(|off| (off.name.clone(), format!("{} ({})", off.reason, off.settle)));
    html.list("Off", off.collect::<Vec<_>>());
}

/// Returns the class and the words for how a resource ended.
fn end(resource: &ResourceReport) -> (&'static str, &'static str) {
    match &resource.outcome {
        Outcome::Failed(..) => ("bad", "failed"),
        Outcome::Stopped if resource.requests == 0 => ("doubt", "not read"),
        Outcome::Stopped => ("doubt", "stopped"),
        Outcome::Complete => match resource.proof.grade() {
            "open" => ("plain", "empty"),
            "unproved" => ("doubt", "not proved"),
            grade @ "assumed" => ("plain", grade),
            grade => ("good", grade),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_of_the_page_is_escaped() {
        let evil = "<script>alert('1' & \"2\")</script>\u{1b}";
        let report = json!({
            "load_id": evil, "source": evil, "destination": evil, "started_at": "2024-01-31T12:00:00Z",
            "elapsed_seconds": 2.0, "notes": [evil],
            "off": [{"name": evil, "reason": evil, "settle": evil}],
            "resources": [
                {
                    "name": evil, "outcome": "failed", "error": {"kind": "api", "message": evil},
                    "began_seconds": 0.0, "ended_seconds": 1.0,
                },
                {
                    "name": evil, "parent": evil, "outcome": "complete", "proof": {"grade": "unproved", "why": evil},
                    "began_seconds": 0.5, "ended_seconds": 2.0, "cursor": {"from": evil, "to": evil},
                    "tables": [{"name": evil, "rows": 1}], "notes": [evil],
                    "drift": [{"table": evil, "key": evil, "done": evil, "values": 1}],
                },
            ],
        });
        let html = page(&RunReport::from_json(&report).unwrap());
        assert!(html.matches("&lt;script&gt;").count() > 12, "{html}");
        assert!(
            !html.contains("<script") && !html.contains("alert('"),
            "{html}"
        );
        assert!(!html.contains('\u{1b}'), "{html}");
        // The timeline shows both parts of the two seconds.
        for part in [
            "margin-left:0.00%;width:50.00%",
            "margin-left:25.00%;width:75.00%",
        ] {
            assert!(html.contains(part), "{html}");
        }
    }
}
