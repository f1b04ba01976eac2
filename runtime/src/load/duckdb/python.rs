//! The module of the Python package `duckdb` as a library: outside of Python it lacks the symbols of Python.

use std::path::{Path, PathBuf};

/// Returns the version of Python that a module is made for, as in `_duckdb.cpython-311-x86_64-linux-gnu.so`.
fn version(module: &Path) -> Option<String> {
    let name = module.file_name()?.to_str()?;
    let digits = name.split_once("cpython-")?.1;
    let digits = digits.split(|c: char| !c.is_ascii_digit()).next()?;
    let (major, minor) = digits.split_at_checked(1)?;
    (!minor.is_empty()).then(|| format!("{major}.{minor}"))
}

/// Returns the names that the library of Python may have for a module in `lib/python3.11/site-packages`, the most likely
/// first; none if it is not such a module.
pub fn libraries(module: &Path) -> Vec<PathBuf> {
    let Some(version) = version(module) else {
        return Vec::new();
    };
    let names = match cfg!(target_os = "macos") {
        true => vec![format!("libpython{version}.dylib")],
        false => vec![
            format!("libpython{version}.so.1.0"),
            format!("libpython{version}.so"),
        ],
    };
    let prefix = module.ancestors().nth(4);
    let base = prefix.and_then(base);
    let folders = base.into_iter().chain(prefix.map(Path::to_owned));
    let folders = folders.map(|folder| folder.join("lib")).collect::<Vec<_>>();
    let mut found = Vec::new();
    for name in names {
        found.extend(
            folders
                .iter()
                .map(|folder| folder.join(&name))
                .filter(|path| path.is_file()),
        );
        // Where the loader looks.
        found.push(name.into());
    }
    found
}

/// Returns the folder of the Python that a virtual environment was made from.
fn base(environment: &Path) -> Option<PathBuf> {
    let config = std::fs::read_to_string(environment.join("pyvenv.cfg")).ok()?;
    let home = config.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "home").then(|| value.trim())
    })?;
    Path::new(home).parent().map(Path::to_owned)
}

/// Loads a library so that the modules that are loaded later find its symbols; it stays loaded.
#[cfg(unix)]
#[allow(unsafe_code)]
pub fn make_visible(library: &Path) -> Result<(), libloading::Error> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: what a library runs when it is loaded must be sound. The library of Python only prepares its own data: it
    // starts no interpreter. It is never unloaded, so that no symbol that is bound to it becomes invalid.
    let loaded = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_GLOBAL) }?;
    std::mem::forget(loaded);
    Ok(())
}

/// Does nothing: here a module names the library that it needs.
#[cfg(not(unix))]
pub fn make_visible(_: &Path) -> Result<(), libloading::Error> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_of_a_module_is_that_of_its_python() {
        let root = tempfile::tempdir().unwrap();
        let (python, venv) = (root.path().join("python"), root.path().join("venv"));
        std::fs::create_dir_all(python.join("lib")).unwrap();
        std::fs::create_dir_all(&venv).unwrap();
        let config = format!(
            "home = {}\nversion = 3.11.7\n",
            python.join("bin").display()
        );
        std::fs::write(venv.join("pyvenv.cfg"), config).unwrap();
        let extension = if cfg!(target_os = "macos") {
            "dylib"
        } else {
            "so"
        };
        let library = python
            .join("lib")
            .join(format!("libpython3.11.{extension}"));
        std::fs::write(&library, "").unwrap();
        let folder = venv.join("lib/python3.11/site-packages");
        let found = libraries(&folder.join("_duckdb.cpython-311-x86_64-linux-gnu.so"));
        assert!(found.contains(&library), "{found:?}");
        assert!(
            found.contains(&library.file_name().unwrap().into()),
            "{found:?}"
        );
        for other in ["libduckdb.so", "cpython-3.so", "cpython-.so"] {
            assert_eq!(libraries(&folder.join(other)), Vec::<PathBuf>::new());
        }
    }
}
