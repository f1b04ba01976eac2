//! Libraries of DuckDB for tests, from packages: one of DuckDB 1 and one of DuckDB 2.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A library of DuckDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// DuckDB 1.5, from the npm package of its library.
    Npm,
    /// DuckDB 2.0, from the Python package: a module in a virtual environment.
    Wheel,
}

const NPM: &str = "1.5.5-r.5";
/// The version of the extensions, which is that of the library from npm.
const EXTENSIONS: &str = "1.5.5";
const WHEEL: &str = "2.0.1";

impl Library {
    /// Returns the path of the library, or why there is none. The first test that needs it installs it.
    pub fn path(self) -> Result<PathBuf, String> {
        let folder = self.folder()?;
        once(&folder, |folder| match self {
            Library::Npm => install_npm(folder),
            Library::Wheel => install_wheel(folder),
        })?;
        self.find(&folder)
            .ok_or_else(|| format!("the package for {self:?} has no library"))
    }

    /// Returns the folder that holds the installation: a project of Node, or a virtual environment.
    pub fn folder(self) -> Result<PathBuf, String> {
        let name = match self {
            Library::Npm => format!("npm-{NPM}"),
            Library::Wheel => format!("wheel-{WHEEL}"),
        };
        Ok(root()?.join(name))
    }

    fn find(self, folder: &Path) -> Option<PathBuf> {
        match self {
            Library::Npm => {
                let names = ["libduckdb.so", "libduckdb.dylib"].into_iter();
                let package = folder.join("node_modules").join(package());
                names
                    .map(|name| package.join(name))
                    .find(|path| path.exists())
            }
            Library::Wheel => {
                let versions = fs::read_dir(folder.join("lib")).ok()?.flatten();
                let folders = versions.map(|version| version.path().join("site-packages"));
                let mut files =
                    folders.flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
                files.find_map(|file| {
                    let file = file.ok()?;
                    let is_module = file.file_name().to_str()?.starts_with("_duckdb.cpython-");
                    is_module.then(|| file.path())
                })
            }
        }
    }
}

/// Returns a folder with the packages of extensions for [`Library::Npm`]: `ducklake`, `postgres_scanner` and `httpfs`. The
/// first test that needs it installs it.
pub fn extensions() -> Result<PathBuf, String> {
    let folder = root()?.join(format!("extensions-{EXTENSIONS}"));
    once(&folder, |folder| {
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]);
        pip.args(["--no-deps", "--only-binary", ":all:", "--target"])
            .arg(folder);
        for name in ["ducklake", "postgres-scanner", "httpfs"] {
            pip.arg(format!("duckdb-extension-{name}=={EXTENSIONS}"));
        }
        run(&mut pip)
    })?;
    Ok(folder)
}

/// Returns the folder of what is installed for these tests.
fn root() -> Result<PathBuf, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().map_err(|error| error.to_string())?;
    Ok(root.join("target/tmp/duckdb"))
}

/// Installs into a folder, unless that has been done.
fn once(folder: &Path, install: impl FnOnce(&Path) -> Result<(), String>) -> Result<(), String> {
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let ready = folder.join("ready");
    if !ready.exists() {
        install(folder)?;
        fs::write(&ready, "").map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Returns the npm package with the library for this machine.
fn package() -> String {
    let os = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let arch = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("@duckdb/node-bindings-{os}-{arch}")
}

fn install_npm(folder: &Path) -> Result<(), String> {
    let mut npm = Command::new("npm");
    npm.args([
        "install",
        "--no-save",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
    ]);
    npm.arg(folder).arg(format!("{}@{NPM}", package()));
    run(npm.current_dir(folder))
}

/// A module of Python needs the library of Python, which not every Python has.
const SHARED: &str =
    "import sys, sysconfig; sys.exit(not sysconfig.get_config_var('Py_ENABLE_SHARED'))";

fn install_wheel(folder: &Path) -> Result<(), String> {
    run(Command::new("python3").args(["-c", SHARED]))
        .map_err(|_| "this Python has no shared library".to_owned())?;
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    ]);
    pip.args(["--only-binary", ":all:"])
        .arg(format!("duckdb=={WHEEL}"));
    run(&mut pip)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let told = String::from_utf8_lossy(&output.stderr);
            let last = told.lines().last().unwrap_or_default();
            Err(format!("{command:?}: {}: {last}", output.status))
        }
    }
}
