//! The runtime that an owner names: a version, or the folder of its package.

use std::fs;
use std::path::Path;

use semver::{Version, VersionReq};

use super::place::absolute;
use crate::diagnostics::{Diagnostic, Kind};
use crate::plan::Runtime;

const PACKAGE: &str = "etlgen-runtime";

/// Fails if a version does not include the runtime of this etlgen, or if a folder does not hold the
/// runtime. A relative folder is resolved against `base`.
pub fn check_runtime(text: &str, base: &Path) -> Result<(), Diagnostic> {
    let wrong = |message: String, hint: String| {
        Err(Diagnostic::error(Kind::Usage, message).with_hint(hint))
    };
    let own = env!("CARGO_PKG_VERSION");
    let Some(path) = Runtime::named(text).path else {
        let requirement = VersionReq::parse(text);
        return match (requirement, Version::parse(own)) {
            (Err(error), _) => wrong(
                format!("the runtime `{text}` is not a version requirement: {error}"),
                format!("this etlgen writes code for `{own}`"),
            ),
            (Ok(requirement), Ok(version)) if !requirement.matches(&version) => wrong(
                format!(
                    "the runtime `{text}` does not include {own}, for which this etlgen writes code"
                ),
                format!("leave it out, or write `{own}`"),
            ),
            _ => Ok(()),
        };
    };
    let folder = absolute(&base.join(&path));
    if is_runtime(&folder) {
        return Ok(());
    }
    let what = match (folder.is_dir(), folder.join("Cargo.toml").is_file()) {
        (false, _) => "there is no such folder",
        (true, false) => "it has no Cargo.toml",
        (true, true) => "its Cargo.toml is of another package",
    };
    let inner = folder.join("runtime");
    let hint = match is_runtime(&inner) {
        true => format!(
            "did you mean `{}`?",
            Path::new(&path).join("runtime").display()
        ),
        false => {
            format!("name a folder that holds the package {PACKAGE}, or a version such as `{own}`")
        }
    };
    wrong(
        format!("the runtime `{path}` is not {PACKAGE}: {what}"),
        hint,
    )
}

/// Returns whether a folder holds the package of the runtime.
fn is_runtime(folder: &Path) -> bool {
    let Ok(text) = fs::read_to_string(folder.join("Cargo.toml")) else {
        return false;
    };
    let manifest = toml::from_str::<toml::Table>(&text).unwrap_or_default();
    let package = manifest.get("package");
    let name = package.and_then(|package| package.get("name"));
    name.and_then(toml::Value::as_str) == Some(PACKAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_is_a_version_or_the_folder_of_the_package() {
        let base = Path::new(env!("CARGO_MANIFEST_DIR"));
        for right in ["0.1.0", "=0.1.0", "^0.1", "../runtime"] {
            assert!(check_runtime(right, base).is_ok(), "{right}");
        }
        for (wrong, hint) in [
            ("/nope", "package etlgen-runtime"),
            ("abc", "package etlgen-runtime"),
            ("../templates", "package etlgen-runtime"),
            ("..", "did you mean `../runtime`?"),
            ("99.0", "write `0.1.0`"),
            ("1.x.y.z", "`0.1.0`"),
        ] {
            let error = check_runtime(wrong, base).unwrap_err();
            assert!(error.message().contains(&format!("`{wrong}`")), "{error}");
            assert!(error.hint().unwrap().contains(hint), "{error}");
        }
    }
}
