//! The only error type: what failed, where, why, and how to fix it.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

/// The result of every operation of this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an [`Error`]; it decides the exit code of a connector's command line.
///
/// ```
/// use etlgen_runtime::ErrorKind;
///
/// assert_eq!(ErrorKind::Credentials.name(), "credentials");
/// assert_eq!(ErrorKind::Credentials.exit_code(), 3);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting, a flag or the connector's own declaration is wrong: nothing was sent.
    Usage,
    /// The API refused the credentials (401, 403).
    Credentials,
    /// The API sent a response that cannot be used, or none.
    Api,
    /// A paginator could not prove that it advances or ends (a repeated page, a token that never
    /// changes).
    Paging,
    /// The API sent data that the resource's schema contract does not allow.
    Contract,
    /// The destination refused the data.
    Destination,
    /// The stored state cannot be used to continue.
    State,
    /// A signal or `--max-time` stopped the run before its end.
    Stopped,
    /// The machine failed: disk, network, signals.
    System,
}

impl ErrorKind {
    /// Returns its name in reports: `credentials`.
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

    /// Returns the exit code of a command that ends with this kind of error.
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

/// What failed, where, why, and how to fix it.
///
/// `Display` prints the places and the message. [`Error::report`] (also `{:#}`, and `Debug`) adds
/// the causes and the hint; the command line prints that. [`std::error::Error::source`] returns the
/// cause.
///
/// ```
/// use etlgen_runtime::{Error, ErrorKind};
///
/// let cause = std::io::Error::other("disk full");
/// let error = Error::new(ErrorKind::System, "cannot write `page.json`")
///     .caused_by(cause)
///     .hint("free some space")
///     .at("resource invoices");
/// assert_eq!(error.to_string(), "resource invoices: cannot write `page.json`");
/// assert_eq!(
///     error.report(),
///     "resource invoices: cannot write `page.json`: disk full\n  hint: free some space"
/// );
/// ```
pub struct Error(Box<Inner>);

type Cause = Box<dyn StdError + Send + Sync>;

struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<String>,
    cause: Option<Cause>,
    hint: Option<String>,
}

impl Error {
    /// Creates an error with this message: one sentence that names the thing, without a full stop
    /// and without the text of the cause.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            context: Vec::new(),
            cause: None,
            hint: None,
        }))
    }

    /// Creates an error of a file or folder: `cannot read PATH`, with its cause. `action` completes
    /// "cannot …".
    pub(crate) fn file(kind: ErrorKind, action: &str, path: &Path, error: std::io::Error) -> Self {
        Error::new(kind, format!("cannot {action} `{}`", path.display())).caused_by(error)
    }

    /// Adds where it happened (`resource invoices`, `GET /v1/invoices`); the outermost place is
    /// added last.
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.0.context.push(place.into());
        self
    }

    /// Keeps the error that caused this one; it replaces an earlier cause.
    pub fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Adds a hint: what the reader can do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Rewrites every text in it (to redact secrets). Causes whose text changes become plain text.
    pub(crate) fn map_message(mut self, rewrite: impl Fn(&str) -> String) -> Self {
        let inner = &mut *self.0;
        inner.message = rewrite(&inner.message);
        inner.context = inner.context.iter().map(|place| rewrite(place)).collect();
        inner.hint = inner.hint.take().map(|hint| rewrite(&hint));
        let causes: Vec<_> = causes(inner.cause.as_deref()).collect();
        let texts: Vec<_> = causes.iter().map(|cause| cause.to_string()).collect();
        let rewritten: Vec<_> = texts.iter().map(|text| rewrite(text)).collect();
        if rewritten != texts {
            inner.cause = None;
            for text in rewritten.into_iter().rev() {
                let cause = inner.cause.take();
                inner.cause = Some(Box::new(Text { text, cause }));
            }
        }
        self
    }

    /// Returns the kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the message alone, without places, causes and hint.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the hint, if there is one.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Returns the error for a reader: places, message and causes on one line, the hint on the
    /// next.
    pub fn report(&self) -> String {
        format!("{self:#}")
    }
}

/// Returns an error and its causes, from the outside in.
fn causes<'a>(
    error: Option<&'a (dyn StdError + Send + Sync + 'static)>,
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let first = error.map(|error| error as &(dyn StdError + 'static));
    std::iter::successors(first, |error: &&'a (dyn StdError + 'static)| {
        (*error).source()
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in self.0.context.iter().rev() {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.0.message)?;
        if !f.alternate() {
            return Ok(());
        }
        // Many errors repeat their cause in their own text, or are repeated by it.
        let mut last = self.0.message.clone();
        for cause in causes(self.0.cause.as_deref()) {
            let text = cause.to_string();
            if !last.contains(&text) && !text.ends_with(&format!(": {last}")) {
                write!(f, ": {text}")?;
                last = text;
            }
        }
        match &self.0.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// The same as [`Error::report`]: a program prints it when its `main` returns an error.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause = self.0.cause.as_deref()?;
        Some(cause)
    }
}

/// A cause that was reduced to its text.
#[derive(Debug)]
struct Text {
    text: String,
    cause: Option<Cause>,
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for Text {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let cause = self.cause.as_deref()?;
        Some(cause)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Error::new(ErrorKind::System, "input or output failed").caused_by(error)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_source_of_an_error_is_the_error_it_came_from() {
        let path = Path::new("/no/such.json");
        let cause = io::Error::from(io::ErrorKind::NotFound);
        let error = Error::file(ErrorKind::Usage, "read", path, cause).hint("create it");
        assert_eq!(error.to_string(), "cannot read `/no/such.json`");
        assert_eq!(error.hint_text(), Some("create it"));
        let source = error.source().and_then(|error| error.downcast_ref());
        assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::NotFound));
        let plain = Error::from(io::Error::other("the pipe burst"));
        assert!(
            plain
                .source()
                .is_some_and(|source| source.is::<io::Error>())
        );
        assert_eq!(plain.report(), "input or output failed: the pipe burst");
    }

    #[test]
    fn a_report_says_each_cause_once() {
        let inner = Error::from(io::Error::other("the pipe burst")).hint("not shown");
        let error = Error::new(ErrorKind::Api, "no answer").caused_by(inner);
        let report = "no answer: input or output failed: the pipe burst";
        assert_eq!(error.report(), report);
        assert_eq!(format!("{error:?}"), report);
        let repeated = Error::new(ErrorKind::Api, "no answer (the pipe burst)")
            .caused_by(io::Error::other("the pipe burst"));
        assert_eq!(repeated.report(), "no answer (the pipe burst)");
        let repeated = Error::new(ErrorKind::Api, "the pipe burst")
            .caused_by(io::Error::other("code 26: the pipe burst"));
        assert_eq!(repeated.report(), "the pipe burst");
    }

    #[test]
    fn secrets_leave_every_text_of_an_error() {
        let redact = |text: &str| text.replace("s3cret", "***");
        let error = Error::new(ErrorKind::Api, "m s3cret")
            .at("p s3cret")
            .hint("h s3cret")
            .caused_by(Error::from(io::Error::other("c s3cret")))
            .map_message(redact);
        assert_eq!(
            error.report(),
            "p ***: m ***: input or output failed: c ***\n  hint: h ***"
        );
        let mut source = error.source();
        while let Some(error) = source {
            assert!(!format!("{error} {error:?}").contains("s3cret"));
            source = error.source();
        }
        let kept = Error::from(io::Error::other("nothing secret")).map_message(redact);
        assert!(kept.source().is_some_and(|source| source.is::<io::Error>()));
    }
}
