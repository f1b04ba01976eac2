//! What a phase has to say besides its result; phases collect and go on.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something was repaired or left out; the result stands.
    Note,
    /// Something may be wrong in the result.
    Warning,
    /// There is no result.
    Error,
}

/// A place in a document: line and column from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// One thing to say: what, where, and the way out.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    pub severity: Severity,
    /// The file or URL; empty where none is meant.
    pub file: String,
    pub position: Option<Position>,
    /// JSON pointer of the part that is meant, if any.
    pub pointer: Option<String>,
    pub message: String,
    pub hint: Option<String>,
}

impl Diagnostic {
    /// There is no result, for a reason that stands in no document.
    pub fn error(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            file: String::new(),
            position: None,
            pointer: None,
            message: message.into(),
            hint: Some(hint.into()),
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let label = match self.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, "{label}: ")?;
        if !self.file.is_empty() {
            write!(f, "{}", printable(&self.file))?;
            if let Some(Position { line, column }) = self.position {
                write!(f, ":{line}:{column}")?;
            }
            write!(f, ": ")?;
        }
        write!(f, "{}", printable(&self.message))?;
        if let Some(pointer) = &self.pointer {
            write!(f, " (at {})", printable(pointer))?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {}", printable(hint)),
            None => Ok(()),
        }
    }
}

/// Text from a document as a terminal may show it: control characters become `\u{…}`.
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

/// Text as a TOML string; JSON writes it alike, but for DEL, which TOML does not take.
pub fn toml_string(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '\u{7f}').collect();
    serde_json::Value::from(text).to_string()
}
