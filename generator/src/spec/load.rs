//! Loads the bytes of a document.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::diagnostics::{Diagnostic, Kind, io_reason};

/// The largest file that is read.
const MAX_BYTES: u64 = 256 << 20;
const TIMEOUT: Duration = Duration::from_secs(60);

/// The bytes of a document, not yet parsed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Input {
    /// The file or URL, for messages.
    pub name: String,
    pub bytes: Vec<u8>,
    /// The folder that `$ref`s to other files are relative to; `None`: the `$ref`s are not
    /// followed.
    pub base: Option<PathBuf>,
    /// Overlays, in the order in which they are applied.
    pub overlays: Vec<Input>,
}

impl Input {
    /// Creates a document in memory, which messages call `name`.
    pub fn new(name: impl Into<String>, bytes: &[u8]) -> Self {
        Input {
            name: name.into(),
            bytes: bytes.to_vec(),
            ..Input::default()
        }
    }

    /// Reads a file, a URL (`http://`, `https://`) or, for `-`, standard input.
    pub fn load(source: &str) -> Result<Input, Diagnostic> {
        let is_url = source.starts_with("https://") || source.starts_with("http://");
        let (name, bytes, base) = if source == "-" {
            let directory = std::env::current_dir().ok();
            ("<stdin>".to_owned(), read_all(io::stdin()), directory)
        } else if is_url {
            (without_secrets(source), fetch(source), None)
        } else {
            let directory = Path::new(source).parent().map(Path::to_path_buf);
            (source.to_owned(), read_file(Path::new(source)), directory)
        };
        match bytes {
            Ok(bytes) => Ok(Input {
                name,
                bytes,
                base,
                overlays: Vec::new(),
            }),
            Err(reason) => Err(unreadable(&name, &reason)),
        }
    }
}

fn unreadable(name: &str, reason: &str) -> Diagnostic {
    Diagnostic::error(Kind::Io, format!("cannot be read: {reason}")).in_file(name)
}

/// Reads a file of bounded size.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|error| io_reason(&error))?;
    let metadata = file.metadata().map_err(|error| io_reason(&error))?;
    if metadata.is_dir() {
        return Err("it is a folder, not a file".to_owned());
    }
    read_all(file)
}

fn read_all(reader: impl Read) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    reader
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| io_reason(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it is larger than {} MB", MAX_BYTES >> 20));
    }
    Ok(bytes)
}

fn fetch(url: &str) -> Result<Vec<u8>, String> {
    // If the process has already installed a provider, that one is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder()
        .timeout(TIMEOUT)
        .user_agent(concat!("etlgen/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| chain(&e.without_url()))?;
    let response = client
        .get(url)
        .send()
        .and_then(|response| response.error_for_status())
        .map_err(|e| chain(&e.without_url()))?;
    read_all(response)
}

/// Formats an error with its causes: reqwest's own message is only "error sending request".
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        let words = cause_text.split(" (os error").next().unwrap_or_default();
        text.push_str(": ");
        text.push_str(words);
        source = cause.source();
    }
    text
}

/// Returns a URL without user information and query, which may hold tokens.
fn without_secrets(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(mut url) => {
            // It fails only for URLs that cannot have user information.
            let _ = url.set_username("");
            let _ = url.set_password(None);
            url.set_query(None);
            url.set_fragment(None);
            url.to_string()
        }
        Err(_) => "the URL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_knows_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("api.yaml");
        fs::write(&path, "openapi: 3.0.0").unwrap();
        let input = Input::load(path.to_str().unwrap()).unwrap();
        assert_eq!(input.bytes, b"openapi: 3.0.0");
        assert_eq!(input.base.as_deref(), Some(directory.path()));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Input::load("/nowhere/api.yaml").unwrap_err().to_string();
        assert!(error.contains("/nowhere/api.yaml"), "{error}");
    }

    #[test]
    fn secrets_of_a_url_are_not_shown() {
        let error = Input::load("http://me:hunter2@127.0.0.1:9/a.yaml?token=hunter2").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
