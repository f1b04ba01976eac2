//! The place of a crate: the workspace around it, and paths relative to it.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// The workspace around a crate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Surroundings {
    /// Whether a workspace above lists the crate as a member.
    pub is_member: bool,
    /// Whether a workspace exists above.
    pub has_workspace: bool,
}

impl Surroundings {
    /// Searches the folders above `out`.
    pub fn of(out: &Path) -> Self {
        let out = absolute(out);
        for folder in out.ancestors().skip(1) {
            let Ok(text) = fs::read_to_string(folder.join("Cargo.toml")) else {
                continue;
            };
            let Ok(manifest) = toml::from_str::<toml::Table>(&text) else {
                continue;
            };
            let Some(workspace) = manifest.get("workspace") else {
                continue;
            };
            let path = out.strip_prefix(folder).unwrap_or(&out);
            let listed = |key: &str| {
                let list = workspace.get(key).and_then(|list| list.as_array());
                let patterns = list
                    .into_iter()
                    .flatten()
                    .filter_map(|pattern| pattern.as_str());
                patterns
                    .into_iter()
                    .any(|pattern| fits(Path::new(pattern), path))
            };
            return Surroundings {
                is_member: listed("members") && !listed("exclude"),
                has_workspace: true,
            };
        }
        Surroundings::default()
    }
}

/// Returns whether a path matches a pattern of folders, in which `*` stands for any text within a
/// name.
fn fits(pattern: &Path, path: &Path) -> bool {
    let names = |path: &Path| -> Vec<String> {
        path.components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect()
    };
    let (pattern, path) = (names(pattern), names(path));
    pattern.len() == path.len()
        && pattern
            .iter()
            .zip(&path)
            .all(|(pattern, name)| match pattern.split_once('*') {
                None => pattern == name,
                Some((before, after)) => {
                    name.len() >= before.len() + after.len()
                        && name.starts_with(before)
                        && name.ends_with(after)
                }
            })
}

/// Returns an absolute path without `.` and `..`.
pub fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = out.pop(),
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

/// Returns whether a path stays within a crate.
pub fn is_inside(path: &str) -> bool {
    let mut parts = Path::new(path).components();
    !path.is_empty() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Returns the name of a document or overlay in a crate: a URL without query and fragment, which
/// may be secret, or a path relative to the crate's folder; `-` is standard input.
pub fn named(place: &str, folder: &Path) -> String {
    match place.contains("://") || place == "-" {
        true => place
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_owned(),
        false => relative(folder, Path::new(place)),
    }
}

/// Resolves a URL, or a file relative to the folder of an `etlgen.toml`.
pub fn beside(config: &Path, file: &str) -> String {
    if file.contains("://") {
        return file.to_owned();
    }
    let folder = config.parent().unwrap_or(Path::new(""));
    folder.join(file).display().to_string()
}

/// Returns the path of `to` relative to the folder `from`, with `/`. It stays valid if both move
/// together.
pub fn relative(from: &Path, to: &Path) -> String {
    let (from, to) = (absolute(from), absolute(to));
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to
        .components()
        .skip(shared)
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    match parts.is_empty() {
        true => ".".to_owned(),
        false => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_named_from_the_crate() {
        assert_eq!(
            relative(Path::new("/a/b/c"), Path::new("/a/d.yaml")),
            "../../d.yaml"
        );
        assert_eq!(relative(Path::new("/a/b"), Path::new("/a/b/../b/d")), "d");
    }

    #[test]
    fn a_workspace_above_is_found() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("Cargo.toml"),
            "[workspace]\nmembers = [\"examples/*-connector\"]\n",
        )
        .unwrap();
        let of = |path: &str| Surroundings::of(&folder.path().join(path));
        assert!(of("examples/a-connector").is_member);
        assert!(!of("a-connector").is_member && of("a-connector").has_workspace);
    }
}
