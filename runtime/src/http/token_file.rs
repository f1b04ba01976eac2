//! The file that stores the refresh token that a server sent last.

use std::path::Path;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Secret, private_file};

/// Returns a fingerprint that identifies a configured refresh token without containing it.
fn fingerprint(given: &Secret) -> String {
    format!(
        "{:032x}",
        xxhash_rust::xxh3::xxh3_128(given.expose().as_bytes())
    )
}

/// Reads the token stored for a configured one; `None` if there is no file, or it belongs to
/// another token.
pub(super) fn read(file: &Path, given: &Secret) -> Result<Option<Secret>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("{}: {error}", file.display());
            return Err(Error::new(ErrorKind::System, message)
                .hint("the file holds the refresh token that the API sent last"));
        }
    };
    let kept: Value = serde_json::from_str(&text).unwrap_or_default();
    let same = kept["given"].as_str() == Some(fingerprint(given).as_str());
    Ok(kept["refresh_token"]
        .as_str()
        .filter(|_| same)
        .map(Secret::from))
}

/// Stores a token for a configured one.
pub(super) fn write(file: &Path, given: &Secret, new: &str) -> std::io::Result<()> {
    let kept = serde_json::json!({"given": fingerprint(given), "refresh_token": new});
    private_file(file, format!("{kept}\n").as_bytes())
}
