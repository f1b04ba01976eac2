//! Errors, warnings and notes, each with its place and a hint.
//!
//! [`Diagnostic`] is the only error type of the crate. A phase that can continue collects warnings and notes and returns
//! them with its result; an error ends the phase.

use std::error::Error;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The severity of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something was repaired or left out; the result is valid.
    Note,
    /// Something may be wrong in the result.
    Warning,
    /// The operation failed and has no result.
    Error,
}

/// The subject of a diagnostic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// Options that contradict each other, or a value that an option does not accept.
    Usage,
    /// A file, a folder or a URL that cannot be read or written.
    Io,
    /// The OpenAPI document, or one of its overlays.
    Document,
    /// `etlgen.toml`.
    Overrides,
    /// Samples of an API's responses.
    Samples,
    /// A crate on disk that differs from what etlgen wrote.
    Crate,
    /// A file that its owner and the new generation both changed.
    Conflict,
    /// A program that etlgen runs: `rustfmt`, `git`.
    Tool,
    /// A defect of etlgen.
    Internal,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1; 0: the whole line.
    pub column: usize,
}

impl Position {
    /// Returns the place of a byte in a text, or the end of the text for an offset beyond it.
    ///
    /// ```
    /// let place = etlgen::Position::of("a = 1\nb = 2\n", 10);
    /// assert_eq!((place.line, place.column), (2, 5));
    /// ```
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Position {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        }
    }
}

/// An error, a warning or a note, with kind, message, place and hint.
///
/// It has the size of a pointer, so that a `Result` stays small. `Display` prints what the command line prints: the
/// severity, the place, the message and the hint, then the related diagnostics that are not notes.
#[derive(Clone, Debug)]
pub struct Diagnostic(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    severity: Severity,
    kind: Kind,
    message: String,
    file: String,
    position: Option<Position>,
    pointer: Option<String>,
    hint: Option<String>,
    source: Option<Arc<dyn Error + Send + Sync>>,
    related: Vec<Diagnostic>,
}

/// Constructors: start with [`error`](Self::error), [`warning`](Self::warning) or [`note`](Self::note), then add place,
/// hint and cause.
impl Diagnostic {
    pub(crate) fn new(severity: Severity, kind: Kind, message: impl Into<String>) -> Self {
        Diagnostic(Box::new(Parts {
            severity,
            kind,
            message: message.into(),
            file: String::new(),
            position: None,
            pointer: None,
            hint: None,
            source: None,
            related: Vec::new(),
        }))
    }

    /// Creates an error: the operation failed and has no result.
    pub(crate) fn error(kind: Kind, message: impl Into<String>) -> Self {
        Diagnostic::new(Severity::Error, kind, message)
    }

    /// Creates a warning: something may be wrong in the result.
    pub(crate) fn warning(kind: Kind, message: impl Into<String>) -> Self {
        Diagnostic::new(Severity::Warning, kind, message)
    }

    /// Creates a note: the result is valid.
    pub(crate) fn note(kind: Kind, message: impl Into<String>) -> Self {
        Diagnostic::new(Severity::Note, kind, message)
    }

    /// Creates the error for a file or a folder that cannot be read or written.
    pub(crate) fn io(path: &Path, error: std::io::Error) -> Self {
        Diagnostic::error(Kind::Io, io_reason(&error))
            .in_file(path.display().to_string())
            .caused_by(error)
    }

    /// Sets the file or URL that it is about.
    pub(crate) fn in_file(mut self, file: impl Into<String>) -> Self {
        self.0.file = file.into();
        self
    }

    /// Sets the place in the file, if it is known.
    pub(crate) fn at(mut self, position: impl Into<Option<Position>>) -> Self {
        self.0.position = position.into();
        self
    }

    /// Sets the part of the document, as a JSON pointer; an empty pointer is the whole document and is not shown.
    pub(crate) fn at_pointer(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = Some(pointer.into()).filter(|pointer| !pointer.is_empty());
        self
    }

    /// Sets the hint.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Sets the hint, unless one is set.
    pub(crate) fn or_hint(self, hint: &str) -> Self {
        match self.0.hint {
            Some(_) => self,
            None => self.with_hint(hint),
        }
    }

    /// Sets the underlying error.
    pub(crate) fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Arc::new(source));
        self
    }

    /// Adds the other diagnostics of the same phase.
    pub(crate) fn with_related(mut self, related: Vec<Diagnostic>) -> Self {
        self.0.related = related;
        self
    }
}

/// Accessors.
impl Diagnostic {
    /// Returns its severity.
    pub fn severity(&self) -> Severity {
        self.0.severity
    }

    /// Returns its subject.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Returns the message alone, without severity, place and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the file or URL that it is about; empty if there is none.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// Returns the place in the file.
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }

    /// Returns the part of the document, as a JSON pointer.
    pub fn pointer(&self) -> Option<&str> {
        self.0.pointer.as_deref()
    }

    /// Returns the hint, which says how to settle it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Returns the other errors, warnings and notes of the same phase.
    pub fn related(&self) -> &[Diagnostic] {
        &self.0.related
    }

    /// Returns this diagnostic as the command line prints it, without the related ones.
    pub fn headline(&self) -> String {
        let label = match self.0.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let mut text = format!("{label}: ");
        if !self.0.file.is_empty() {
            text.push_str(&printable(&self.0.file));
            match self.0.position {
                Some(Position { line, column: 0 }) => text.push_str(&format!(":{line}")),
                Some(Position { line, column }) => text.push_str(&format!(":{line}:{column}")),
                None => {}
            }
            text.push_str(": ");
        }
        text.push_str(&printable(&self.0.message));
        if let Some(pointer) = &self.0.pointer {
            text.push_str(&format!(" (at {})", printable(pointer)));
        }
        if let Some(hint) = &self.0.hint {
            text.push_str(&format!("\n  hint: {}", printable(hint)));
        }
        text
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        let related = self.0.related.iter();
        for diagnostic in related.filter(|related| related.severity() > Severity::Note) {
            write!(f, "\n{diagnostic}")?;
        }
        Ok(())
    }
}

impl Error for Diagnostic {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.0.source.as_deref()?;
        Some(source)
    }
}

/// Returns the reason of an I/O error in words, without the number of the system.
pub fn io_reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "it does not exist".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
        ErrorKind::NotADirectory => "a part of the path is a file, not a folder".to_owned(),
        ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
        _ => {
            let text = error.to_string();
            match text.split_once(" (os error") {
                Some((words, _)) => words.to_owned(),
                None => text,
            }
        }
    }
}

/// Returns the message of a JSON error in words, without its place, which is shown apart.
pub fn json_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    match text.strip_prefix("EOF while parsing ") {
        Some(what) => format!("the text ends within {what}"),
        None => text.to_owned(),
    }
}

/// Returns a count with its noun, which takes an `s` in the plural: `1 resource`, `2 resources`.
pub fn counted(count: impl fmt::Display + From<u8> + PartialEq, noun: &str) -> String {
    let ending = if count == 1.into() { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// Makes text from a document safe for a terminal: control characters become `\u{…}`.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' {
                c.escape_default().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// Returns text as a TOML string. JSON has the same form, except that TOML escapes DEL, which is
/// removed.
pub fn toml_string(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '\u{7f}').collect();
    serde_json::Value::from(text).to_string()
}

/// Returns text as a key of TOML, quoted if it must be.
pub fn toml_key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match name.chars().all(bare) && !name.is_empty() {
        true => name.to_owned(),
        false => toml_string(name),
    }
}

/// Returns a JSON value as TOML on one line. TOML has no null, which becomes an empty text.
pub fn toml_value(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => toml_string(""),
        Value::String(text) => toml_string(text),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(toml_value).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(key, it)| format!("{} = {}", toml_key(key), toml_value(it)));
            let fields: Vec<String> = fields.collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_names_the_thing_the_place_and_the_way_out() {
        let refused = std::io::Error::other("the disk is full");
        let error = Diagnostic::error(Kind::Document, "`x` is not a type\u{7}")
            .in_file("api.yaml")
            .at(Position { line: 3, column: 9 })
            .at_pointer("/paths")
            .with_hint("write `string`")
            .caused_by(refused)
            .with_related(vec![
                Diagnostic::warning(Kind::Document, "two"),
                Diagnostic::note(Kind::Document, "three"),
            ]);
        let text =
            "error: api.yaml:3:9: `x` is not a type\\u{7} (at /paths)\n  hint: write `string`";
        assert_eq!(error.headline(), text);
        assert_eq!(error.to_string(), format!("{text}\nwarning: two"));
        assert_eq!(error.source().unwrap().to_string(), "the disk is full");
        assert_eq!(size_of::<Diagnostic>(), size_of::<usize>());
    }
}
