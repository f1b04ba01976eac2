//! One error type: what went wrong, where, and the way out.

use std::fmt;

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong; it decides the exit code of a connector's command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A setting, a flag or the connector's own declaration is wrong: nothing was sent.
    Usage,
    /// The API refused us (401, 403).
    Credentials,
    /// The API answered something that cannot be used, or did not answer.
    Api,
    /// A paginator could not prove that it goes on or ends (a repeated page, a token that never changes).
    Paging,
    /// What the API sent is not what the resource's contract allows.
    Contract,
    /// The destination refused the data.
    Destination,
    /// The state is not one this program can go on from.
    State,
    /// Stopped by a signal or by `--max-time` before it was done.
    Stopped,
    /// The machine: disk, network set-up, signals.
    System,
}

impl ErrorKind {
    /// Its name in reports: `credentials`.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::Usage => "usage",
            ErrorKind::Credentials => "credentials",
            ErrorKind::Api => "api",
            ErrorKind::Paging => "paging",
            ErrorKind::Contract => "contract",
            ErrorKind::Destination => "destination",
            ErrorKind::State => "state",
            ErrorKind::Stopped => "stopped",
            ErrorKind::System => "system",
        }
    }

    /// The exit code of a command that ends with this kind of error.
    pub fn exit_code(self) -> u8 {
        match self {
            ErrorKind::Usage => 2,
            ErrorKind::Credentials => 3,
            ErrorKind::Api | ErrorKind::Paging | ErrorKind::Contract => 4,
            ErrorKind::Destination | ErrorKind::State => 5,
            ErrorKind::System => 1,
            ErrorKind::Stopped => 130,
        }
    }
}

/// What went wrong, where, and the way out.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<String>,
    hint: Option<String>,
}

impl Error {
    /// An error that says `message`: one sentence that names the thing, without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            context: Vec::new(),
            hint: None,
        }))
    }

    /// Adds where it happened (`resource invoices`, `GET /v1/invoices`); the outermost place is added last.
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.0.context.push(place.into());
        self
    }

    /// Adds the way out: what the reader can do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Rewrites every text in it (to redact secrets).
    pub(crate) fn map_message(mut self, rewrite: impl Fn(&str) -> String) -> Self {
        self.0.message = rewrite(&self.0.message);
        self.0.context = self.0.context.iter().map(|place| rewrite(place)).collect();
        self
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in self.0.context.iter().rev() {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.0.message)?;
        match &self.0.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::new(ErrorKind::System, error.to_string())
    }
}
