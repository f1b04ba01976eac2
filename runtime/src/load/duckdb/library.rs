//! Finds the library of DuckDB, and loads it once.

use std::collections::BTreeMap;
use std::env::consts::{ARCH, DLL_PREFIX, DLL_SUFFIX, OS};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use adbc_core::options::AdbcVersion;
use adbc_core::{LOAD_FLAG_SEARCH_ENV, LOAD_FLAG_SEARCH_SYSTEM, LOAD_FLAG_SEARCH_USER};
use adbc_driver_manager::ManagedDriver;

use super::python;
use crate::error::{Error, ErrorKind, Result};

/// The function of the library that makes it a driver.
const ENTRY: &[u8] = b"duckdb_adbc_init";
/// The environment variable that names the library.
const NAMED: &str = "ETLGEN_DUCKDB_LIB";

/// What begins the text of an error of the loader.
const DYNAMIC: &str = "Error with dynamic library: ";

/// The loaded libraries, by what named them. A library stays loaded until the process ends.
static LOADED: Mutex<BTreeMap<Option<PathBuf>, ManagedDriver>> = Mutex::new(BTreeMap::new());

/// Returns the library: the named one, or the first one that is found.
pub fn load(named: Option<&Path>) -> Result<ManagedDriver> {
    let variable = || std::env::var_os(NAMED).filter(|path| !path.is_empty());
    let named = named.map(Path::to_owned);
    let named = named.or_else(|| variable().map(PathBuf::from));
    let mut loaded = LOADED.lock().unwrap_or_else(|broken| broken.into_inner());
    if let Some(driver) = loaded.get(&named) {
        return Ok(driver.clone());
    }
    let driver = match &named {
        Some(path) => at(path).map_err(|why| {
            let message = format!("the library of DuckDB cannot be loaded: {why}");
            Error::new(ErrorKind::Usage, message).hint(format!(
                "`driver` in the URL or {NAMED} must name a file as libduckdb.so or libduckdb.dylib"
            ))
        })?,
        None => search(&Surroundings::of_process())?,
    };
    loaded.insert(named, driver.clone());
    Ok(driver)
}

/// Loads the library at a path; the error is what the system says.
fn at(path: &Path) -> std::result::Result<ManagedDriver, String> {
    let open = || {
        let opened =
            ManagedDriver::load_dynamic_from_filename(path, Some(ENTRY), AdbcVersion::V110);
        opened.map_err(|error| error.message.trim_start_matches(DYNAMIC).to_owned())
    };
    let first = match open() {
        Ok(driver) => return Ok(driver),
        Err(why) => why,
    };
    let libraries = python::libraries(path);
    let visible = libraries
        .iter()
        .find(|library| python::make_visible(library).is_ok());
    match visible {
        Some(_) => open(),
        None if libraries.is_empty() => Err(first),
        None => Err(format!(
            "{first}; a module of Python needs the library of Python, and none of these can be loaded: {}",
            shown(&libraries)
        )),
    }
}

/// Searches where installers put the library.
fn search(surroundings: &Surroundings) -> Result<ManagedDriver> {
    let flags = LOAD_FLAG_SEARCH_ENV | LOAD_FLAG_SEARCH_USER | LOAD_FLAG_SEARCH_SYSTEM;
    // The manifests of ADBC drivers, and the path of the loader.
    let found =
        ManagedDriver::load_from_name("duckdb", Some(ENTRY), AdbcVersion::V110, flags, None);
    let mut tried = match found {
        Ok(driver) => return Ok(driver),
        Err(error) => trace(&error),
    };
    for place in surroundings.places() {
        match files(&place) {
            found if found.is_empty() => tried.push(format!("{}: not there", place.display())),
            found => {
                for path in found {
                    match at(&path) {
                        Ok(driver) => return Ok(driver),
                        Err(why) => tried.push(why),
                    }
                }
            }
        }
    }
    Err(
        Error::new(ErrorKind::Destination, "no library of DuckDB was found")
            .caused_by(format!("tried {}", tried.join("; ")))
            .hint(format!(
                "`{}` installs one; `?driver=PATH` in the URL or {NAMED} names another",
                installs()
            )),
    )
}

/// Returns what the search by name has tried.
fn trace(error: &adbc_core::error::Error) -> Vec<String> {
    let user = match OS {
        "macos" => "~/Library/Application Support/ADBC/Drivers",
        "windows" => "the registry",
        _ => "~/.config/adbc/drivers",
    };
    let mut tried = vec![format!(
        "a manifest `duckdb.toml` of ADBC in ADBC_DRIVER_PATH, {user} or /etc/adbc/drivers"
    )];
    for (_, lines) in error.details.iter().flatten() {
        for line in String::from_utf8_lossy(lines).lines() {
            let line = line.split(" (sqlstate: ").next().unwrap_or_default();
            if !line.contains("Driver not found") {
                tried.push(
                    line.trim_start_matches("Internal: ")
                        .trim_start_matches(DYNAMIC)
                        .to_owned(),
                );
            }
        }
    }
    tried
}

/// Returns the command that installs a library.
fn installs() -> &'static str {
    match OS {
        "macos" => "brew install duckdb",
        _ => "pipx run dbc install duckdb",
    }
}

fn shown(paths: &[PathBuf]) -> String {
    let paths = paths.iter().map(|path| path.display().to_string());
    paths.collect::<Vec<_>>().join(", ")
}

/// What says where installers may have put the library.
#[derive(Default)]
pub struct Surroundings {
    /// The folder of the program.
    program: Option<PathBuf>,
    /// The folders of environments of Python and conda.
    environments: Vec<PathBuf>,
    /// The current folder.
    current: Option<PathBuf>,
}

impl Surroundings {
    pub fn of_process() -> Self {
        let program = std::env::current_exe().ok();
        let variable = |name| std::env::var_os(name).filter(|path| !path.is_empty());
        let environments = ["VIRTUAL_ENV", "CONDA_PREFIX"]
            .into_iter()
            .filter_map(variable);
        Surroundings {
            program: program.and_then(|program| Some(program.parent()?.to_owned())),
            environments: environments.map(PathBuf::from).collect(),
            current: std::env::current_dir().ok(),
        }
    }

    /// Returns the folders of packages of Python. A `*` in a name stands for any text.
    pub fn python_packages(&self) -> impl Iterator<Item = PathBuf> {
        let packages = match cfg!(windows) {
            true => "Lib/site-packages",
            false => "lib/python3*/site-packages",
        };
        let environments = self.environments.iter();
        environments.map(move |environment| environment.join(packages))
    }

    /// Returns the files to try, in their order. A `*` in a name stands for any text.
    fn places(&self) -> Vec<PathBuf> {
        let library = format!("{DLL_PREFIX}duckdb{DLL_SUFFIX}");
        let mut places: Vec<PathBuf> = self
            .program
            .iter()
            .map(|folder| folder.join(&library))
            .collect();
        for environment in &self.environments {
            let (libraries, module) = match cfg!(windows) {
                true => (
                    environment.join("Library/bin"),
                    "Lib/site-packages/_duckdb*.pyd",
                ),
                false => (
                    environment.join("lib"),
                    "lib/python3*/site-packages/_duckdb*.so",
                ),
            };
            places.push(libraries.join(&library));
            places.push(environment.join(module));
        }
        let package = format!(
            "node_modules/@duckdb/node-bindings-{}-{}",
            node_os(),
            node_arch()
        );
        let folders = self.current.iter().flat_map(|folder| folder.ancestors());
        places.extend(folders.map(|folder| folder.join(&package).join(&library)));
        places
    }
}

/// Returns the name of this system in packages of Node.
fn node_os() -> &'static str {
    match OS {
        "macos" => "darwin",
        "windows" => "win32",
        other => other,
    }
}

fn node_arch() -> &'static str {
    match ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Returns the files that a path with `*` in its names stands for, in the order of their names.
pub fn files(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str();
        let Some((start, end)) = part.to_str().and_then(|part| part.split_once('*')) else {
            for path in &mut found {
                path.push(part);
            }
            continue;
        };
        let mut next = Vec::new();
        for folder in &found {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
            let names = entries.map(|entry| entry.path()).filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.starts_with(start) && name.ends_with(end))
            });
            next.extend(names);
        }
        next.sort();
        found = next;
    }
    found.retain(|path| path.is_file());
    found
}
