//! Collects what is to be said about a document; places are looked up once, at the end.

use std::collections::{HashMap, HashSet};

use super::node::Node;
use crate::diagnostics::{Diagnostic, Kind, Position, Severity};

/// How often one kind of finding is told; the rest is counted.
const TOLD: usize = 8;

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
    /// How often each kind was found.
    counts: HashMap<&'static str, usize>,
    /// Kind and place: the same is not said twice.
    seen: HashSet<(&'static str, usize, String)>,
}

#[derive(Debug)]
struct Finding {
    severity: Severity,
    kind: &'static str,
    file: usize,
    place: Place,
    detail: String,
    hint: Option<String>,
}

#[derive(Debug)]
enum Place {
    Pointer(String),
    /// In a file that has no documents yet, by name.
    Text(String, Option<Position>),
}

impl Report {
    /// Something was repaired or left out.
    pub fn note(&mut self, node: &Node<'_>, kind: &'static str, detail: &str) {
        self.push(Severity::Note, node, kind, detail);
    }

    /// Something may be wrong in the result.
    pub fn warn(&mut self, node: &Node<'_>, kind: &'static str, detail: &str) {
        self.push(Severity::Warning, node, kind, detail);
    }

    /// There is no result, because of something in the document.
    pub fn fail(&mut self, pointer: &str, kind: &'static str, detail: &str, hint: &str) {
        self.findings.push(Finding {
            severity: Severity::Error,
            kind,
            file: 0,
            place: Place::Pointer(pointer.to_owned()),
            detail: detail.to_owned(),
            hint: Some(hint.to_owned()),
        });
    }

    /// Something about the text of a document, before it is one.
    pub fn text(
        &mut self,
        severity: Severity,
        file: &str,
        position: Option<Position>,
        kind: &'static str,
        detail: &str,
        hint: Option<&str>,
    ) {
        self.findings.push(Finding {
            severity,
            kind,
            file: 0,
            place: Place::Text(file.to_owned(), position),
            detail: detail.to_owned(),
            hint: hint.map(str::to_owned),
        });
    }

    pub fn failed(&self) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.severity == Severity::Error)
    }

    fn push(&mut self, severity: Severity, node: &Node<'_>, kind: &'static str, detail: &str) {
        if !self.seen.insert((kind, node.file, node.pointer.clone())) {
            return;
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count > TOLD {
            return;
        }
        self.findings.push(Finding {
            severity,
            kind,
            file: node.file,
            place: Place::Pointer(node.pointer.clone()),
            detail: detail.to_owned(),
            hint: None,
        });
    }

    /// The diagnostics, the gravest first. `place` tells the name of a file and where a pointer leads in it.
    pub fn finish(
        self,
        place: impl Fn(usize, &str) -> (String, Option<Position>),
    ) -> Vec<Diagnostic> {
        let mut told: HashMap<&'static str, usize> = HashMap::new();
        let mut diagnostics: Vec<Diagnostic> = self
            .findings
            .into_iter()
            .map(|finding| {
                let nth = told.entry(finding.kind).or_default();
                *nth += 1;
                let count = self.counts.get(finding.kind).copied().unwrap_or(0);
                let more = (*nth == TOLD && count > TOLD)
                    .then(|| format!("{} more like this are not shown", count - TOLD));
                let (file, position, pointer) = match finding.place {
                    Place::Text(file, position) => (file, position, None),
                    Place::Pointer(pointer) => {
                        let (file, position) = place(finding.file, &pointer);
                        (file, position, Some(pointer))
                    }
                };
                let message = if finding.detail.is_empty() {
                    finding.kind.to_owned()
                } else {
                    format!("{}: {}", finding.kind, finding.detail)
                };
                let diagnostic = Diagnostic::new(finding.severity, Kind::Document, message)
                    .in_file(file)
                    .at(position)
                    .at_pointer(pointer.unwrap_or_default());
                match finding.hint.or(more) {
                    Some(hint) => diagnostic.with_hint(hint),
                    None => diagnostic,
                }
            })
            .collect();
        diagnostics.sort_by_key(|diagnostic| std::cmp::Reverse(diagnostic.severity()));
        diagnostics
    }
}
