//! Formats Rust like `cargo fmt`.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::diagnostics::{Diagnostic, Kind};
use crate::emit::Files;

/// Formats the Rust files with one call of rustfmt, with the default configuration. `Ok(false)`: rustfmt is not
/// installed, and the files stay unchanged.
pub fn format(files: &mut Files) -> Result<bool, Diagnostic> {
    let done = tempfile::tempdir().and_then(|folder| format_in(folder.path(), files));
    done.map_err(|error| {
        let message = format!("rustfmt cannot be run: {error}");
        Diagnostic::error(Kind::Tool, message).caused_by(error)
    })
}

fn format_in(folder: &Path, files: &mut Files) -> io::Result<bool> {
    let rust: Vec<String> = files
        .keys()
        .filter(|path| path.ends_with(".rs"))
        .cloned()
        .collect();
    for path in &rust {
        let place = folder.join(path);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(place, &files[path])?;
    }
    // An empty configuration shadows those of the folders above.
    fs::write(folder.join("rustfmt.toml"), "")?;
    // rustfmt finds modules through the roots.
    let roots = rust.iter().filter(|path| {
        matches!(path.as_str(), "src/lib.rs" | "src/main.rs") || !path.starts_with("src/")
    });
    let status = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(folder)
        .args(roots.map(|path| folder.join(path)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(_) => return Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    for path in rust {
        let text = fs::read_to_string(folder.join(&path))?;
        files.insert(path, text);
    }
    Ok(true)
}
