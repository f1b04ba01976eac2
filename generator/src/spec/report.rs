//! Collects the findings about a document; places are looked up once, at the end.

use std::collections::{HashMap, HashSet};

use super::node::Node;
use crate::diagnostics::{Diagnostic, Kind, Position, Severity};

/// The most findings of one kind that are shown; the rest is counted.
const TOLD: usize = 8;

/// The findings so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
    /// The number of findings of each kind.
    counts: HashMap<&'static str, usize>,
    /// Kind and place of each finding, so that none is reported twice.
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
    /// A place in a file that is not part of a document, by name.
    Text(String, Option<Position>),
}

impl Report {
    /// Reports that something was repaired or left out.
    pub fn note(&mut self, node: &Node<'_>, kind: &'static str, detail: &str) {
        self.push(Severity::Note, node, kind, detail);
    }

    /// Reports that something may be wrong in the result.
    pub fn warn(&mut self, node: &Node<'_>, kind: &'static str, detail: &str) {
        self.push(Severity::Warning, node, kind, detail);
    }

    /// Reports that the document has no result because of this part.
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

    /// Reports a finding about a text that is not part of a document.
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

    /// Removes the findings of one kind, which an error explains at once. Returns their number and
    /// the detail of the first.
    pub fn withdraw(&mut self, kind: &'static str) -> Option<(usize, String)> {
        let count = self.counts.remove(kind)?;
        let mut findings = self.findings.iter();
        let first = findings.find(|finding| finding.kind == kind)?;
        let first = first.detail.clone();
        self.findings.retain(|finding| finding.kind != kind);
        Some((count, first))
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

    /// Returns the diagnostics, the most severe first. `place` returns the name of a file and the
    /// position of a pointer in it.
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
                    .then(|| format!("more like this, not shown: {}", count - TOLD));
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
