//! Secrets that come from outside: from a file that a variable names, or from a command that it
//! holds. Errors never show the secret.

use std::io::Read;
use std::process::{Command, Stdio};

use crate::error::{Error, ErrorKind, Result};

/// The longest secret, in bytes.
const LONGEST: u64 = 1 << 20;

/// Reads a secret from the file that a variable names.
pub(super) fn of_file(variable: &str, path: &str) -> Result<String> {
    let wrong = |what: String| {
        let message = format!("cannot read the file of {variable}: {what}");
        Error::new(ErrorKind::Usage, message).at(path.to_owned())
    };
    let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
    text(file).map_err(wrong)
}

/// Runs the command that a variable holds, in the shell of the system, and returns what it prints.
pub(super) fn of_command(variable: &str, command: &str) -> Result<String> {
    let wrong = |what: String| {
        let message = format!("the command of {variable} gives no secret: {what}");
        Error::new(ErrorKind::Usage, message)
    };
    let (shell, option) = match cfg!(windows) {
        true => ("cmd", "/C"),
        false => ("sh", "-c"),
    };
    let mut child = Command::new(shell)
        .args([option, command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| wrong(format!("`{shell}` does not start: {error}")))?;
    let read = match child.stdout.take() {
        Some(output) => text(output),
        None => Err("it has no output".to_owned()),
    };
    // A command that prints too much is not waited for.
    if read.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| wrong(error.to_string()))?;
    let read = read.map_err(wrong)?;
    match status.success() {
        true => Ok(read),
        false => Err(wrong(format!("it ended with {status}"))),
    }
}

/// Reads a text without its last line break.
fn text(from: impl Read) -> std::result::Result<String, String> {
    let mut bytes = Vec::new();
    let taken = from.take(LONGEST.saturating_add(1)).read_to_end(&mut bytes);
    taken.map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LONGEST) {
        return Err(format!("it has more than {LONGEST} bytes"));
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
