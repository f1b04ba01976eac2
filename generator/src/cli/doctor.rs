//! `etlgen doctor`.

use std::process::{Command, Stdio};

use super::{End, out};
use crate::diagnostics::{Diagnostic, printable};

/// A program, and what it is needed for.
struct Tool {
    name: &'static str,
    arguments: &'static [&'static str],
    /// Whether nothing works without it.
    is_required: bool,
    purpose: &'static str,
    /// What installs it.
    way: &'static str,
}

const TOOLS: [Tool; 5] = [
    Tool {
        name: "rustc",
        arguments: &["--version"],
        is_required: true,
        purpose: "compiles the crate",
        way: "install Rust: https://rustup.rs",
    },
    Tool {
        name: "cargo",
        arguments: &["--version"],
        is_required: true,
        purpose: "builds and runs the crate",
        way: "install Rust: https://rustup.rs",
    },
    Tool {
        name: "cc",
        arguments: &["--version"],
        is_required: true,
        purpose: "links programs, and compiles SQLite",
        way: "install a C compiler: build-essential, gcc or Xcode's command line tools",
    },
    Tool {
        name: "rustfmt",
        arguments: &["--version"],
        is_required: true,
        purpose: "formats the crate; updates need it",
        way: "rustup component add rustfmt",
    },
    Tool {
        name: "git",
        arguments: &["--version"],
        is_required: false,
        purpose: "shows and undoes what an update changes",
        way: "install git",
    },
];

pub fn run() -> Result<End, Diagnostic> {
    let mut is_whole = true;
    for tool in &TOOLS {
        match version(tool) {
            Some(version) => out(&format!("ok       {}: {version}", tool.name)),
            None => {
                is_whole &= !tool.is_required;
                let mark = if tool.is_required {
                    "missing "
                } else {
                    "optional"
                };
                out(&format!(
                    "{mark} {}: {}\n         {}",
                    tool.name, tool.purpose, tool.way
                ));
            }
        }
    }
    is_whole &= is_new_enough();
    registry();
    duckdb();
    match is_whole {
        true => Ok(End::Done),
        false => Ok(End::Failed),
    }
}

/// Returns the first line that a tool prints about its version.
fn version(tool: &Tool) -> Option<String> {
    let output = Command::new(tool.name)
        .args(tool.arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    output.status.success().then(|| printable(&line))
}

/// Checks that the compiler can compile generated crates.
fn is_new_enough() -> bool {
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    let Some(said) = TOOLS.first().and_then(version) else {
        return false;
    };
    let number = |text: &str| {
        let mut parts = text
            .split(['.', '-'])
            .map(|part| part.parse::<u64>().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    };
    let own = said.split(' ').nth(1).unwrap_or_default();
    let fits = number(own) >= number(wanted);
    if !fits {
        out(&format!(
            "missing  rustc {wanted}: generated crates need it\n         rustup update"
        ));
    }
    fits
}

/// Checks whether the registry of crates can be reached. A crate whose libraries are downloaded
/// needs no network.
fn registry() {
    const INDEX: &str = "https://index.crates.io/config.json";
    match crate::spec::Input::load(INDEX) {
        Ok(_) => out("ok       registry: index.crates.io answers"),
        Err(error) => out(&format!(
            "optional registry: {}; the first build downloads libraries from it\n         check the network, or configure a mirror in ~/.cargo/config.toml",
            printable(error.message())
        )),
    }
}

/// The variable that names the library of DuckDB, for a connector too.
const DUCKDB_LIBRARY: &str = "ETLGEN_DUCKDB_LIB";

/// Looks for the library of DuckDB, which its destination loads when a connector runs.
fn duckdb() {
    let name = match std::env::consts::OS {
        "windows" => "duckdb.dll",
        "macos" => "libduckdb.dylib",
        _ => "libduckdb.so",
    };
    let named = std::env::var_os(DUCKDB_LIBRARY).map(std::path::PathBuf::from);
    let folders = [
        "/usr/local/lib",
        "/usr/lib",
        "/usr/lib/x86_64-linux-gnu",
        "/opt/homebrew/lib",
        ".",
    ];
    let usual = folders
        .iter()
        .map(|folder| std::path::Path::new(folder).join(name));
    let found = named.into_iter().chain(usual).find(|place| place.exists());
    match found {
        Some(place) => out(&format!(
            "ok       libduckdb: {}",
            printable(&place.display().to_string())
        )),
        None => out(&format!(
            "optional libduckdb: the destinations `duckdb` and `ducklake` load {name}\n         download it from https://duckdb.org, or `pip install duckdb`"
        )),
    }
}
