//! A real registry on loopback, and cargo configured to use it.
//!
//! The registry has the crates that a test publishes. A second server replaces crates.io: it
//! directs cargo to the registry for those crates and to crates.io for all others, so that the
//! published manifests name no registry but crates.io, as in a real release.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::mock::http::{Request, Response, Server};
use crate::workspace::{cargo, root, stderr, stdout};

/// The registry's program.
const SERVER: (&str, &str) = ("cargo-http-registry", "0.1.8");

/// A registry that runs until it is dropped.
pub struct Registry {
    server: Child,
    /// The server in place of crates.io.
    _front: Server,
    /// The published crates, and their index.
    _crates: TempDir,
    /// Cargo's home: its downloads and settings.
    home: PathBuf,
    target: PathBuf,
}

impl Registry {
    /// Starts an empty registry for crates whose names start with one of `ours`.
    ///
    /// Downloads and builds of other crates are kept below `target/publish`.
    ///
    /// # Errors
    /// Fails if the registry's program does not exist and cannot be installed.
    pub fn start(ours: &'static [&'static str]) -> Result<Registry, String> {
        let place = root().join("target/publish");
        let program = installed(&place)?;
        let crates = tempfile::tempdir().unwrap();
        let mut server = Command::new(program)
            .arg(crates.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let url = address(crates.path(), &mut server);
        let (home, target) = (place.join("home"), place.join("build"));
        std::fs::create_dir_all(&home).unwrap();
        // Cargo assumes that a version it has seen never changes.
        for kept in [home.join("registry"), target.join("debug/.fingerprint")] {
            forget(&kept, ours);
        }
        let front = front(
            &place.join("port"),
            crates.path().to_owned(),
            url.clone(),
            ours,
        );
        let config = format!(
            "[registries.local]\nindex = \"{url}/git\"\ntoken = \"any\"\n\n[net]\ngit-fetch-with-cli = true\n\n[source.crates-io]\nreplace-with = \"loopback\"\n\n[source.loopback]\nregistry = \"sparse+{}/\"\n",
            front.url()
        );
        std::fs::write(home.join("config.toml"), config).unwrap();
        Ok(Registry {
            server,
            _front: front,
            _crates: crates,
            home,
            target,
        })
    }

    /// Configures a command, or the cargo that it runs, to use the registry.
    pub fn known_to<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("CARGO_HOME", &self.home)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
    }

    /// Runs cargo, which must succeed; returns its output.
    pub fn cargo(&self, folder: &Path, arguments: &[&str]) -> String {
        let started = Instant::now();
        let mut command = cargo();
        let output = self.known_to(command.args(arguments).current_dir(folder));
        let output = output.output().unwrap();
        println!(
            "{:>4} s: cargo {}",
            started.elapsed().as_secs(),
            arguments.join(" ")
        );
        succeeded(&output, arguments)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Returns the output of a command that must have succeeded.
pub fn succeeded(output: &Output, what: &[&str]) -> String {
    let said = stdout(output) + &stderr(output);
    assert!(output.status.success(), "{}: {said}", what.join(" "));
    said
}

/// Returns the registry's program; installs it if it is missing.
fn installed(place: &Path) -> Result<PathBuf, String> {
    let (name, version) = SERVER;
    let program = place.join("tools/bin").join(name);
    if !program.exists() {
        let mut install = cargo();
        install.args(["install", name, "--version", version, "--locked", "--debug"]);
        install.arg("--root").arg(place.join("tools"));
        install.env("CARGO_TARGET_DIR", place.join("tools/build"));
        if !install.status().is_ok_and(|status| status.success()) {
            return Err(format!(
                "{name} {version} cannot be installed from crates.io"
            ));
        }
    }
    Ok(program)
}

/// Waits for the address of the registry, which it writes into the configuration of its index.
fn address(crates: &Path, server: &mut Child) -> String {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let config = std::fs::read(crates.join("config.json")).unwrap_or_default();
        let config: Value = serde_json::from_slice(&config).unwrap_or_default();
        let address = config["api"]
            .as_str()
            .and_then(|url| url.strip_prefix("http://"));
        let address = address.map(|address| address.trim_end_matches('/'));
        if let Some(address) = address.filter(|address| TcpStream::connect(address).is_ok()) {
            return format!("http://{address}");
        }
        let ended = server.try_wait().unwrap();
        assert!(ended.is_none(), "the registry ended: {ended:?}");
        assert!(Instant::now() < until, "the registry does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Removes crates from cargo's caches.
fn forget(folder: &Path, ours: &[&str]) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        match ours.iter().any(|own| name.starts_with(own)) {
            true if path.is_dir() => std::fs::remove_dir_all(path).unwrap(),
            true => std::fs::remove_file(path).unwrap(),
            // The sources of other crates are at most three folders deep.
            false if path.is_dir() && !path.join("Cargo.toml").exists() => forget(&path, ours),
            false => {}
        }
    }
}

/// Starts the server in place of crates.io. It keeps its port from run to run, because cargo keeps
/// downloads by URL.
fn front(port: &Path, crates: PathBuf, registry: String, ours: &'static [&'static str]) -> Server {
    let others = downloads();
    let answer = move |request: &Request| {
        let is_ours = |name: &str| ours.iter().any(|own| name.starts_with(own));
        let to = |url: String| Response::bytes(302, Vec::new()).with("Location", url);
        if request.path == "/config.json" {
            let host = request.header("host").unwrap_or_default();
            let downloads = format!("http://{host}/download/{{crate}}/{{version}}");
            return Response::json(200, &json!({"dl": downloads}));
        }
        if let Some(wanted) = request.path.strip_prefix("/download/") {
            return to(match is_ours(wanted) {
                true => format!("{registry}/api/v1/crates/{wanted}/download"),
                false => format!("{others}/{wanted}/download"),
            });
        }
        let name = request.path.rsplit('/').next().unwrap_or_default();
        // The registry responds to an unknown path with 405, which is an error for cargo.
        let is_there = || crates.join(request.path.trim_start_matches('/')).is_file();
        match is_ours(name) {
            true if is_there() => to(format!("{registry}/crates{}", request.path)),
            true => Response::bytes(404, Vec::new()),
            false => to(format!("https://index.crates.io{}", request.path)),
        }
    };
    let before = std::fs::read_to_string(port).unwrap_or_default();
    let before = before.parse().unwrap_or(0);
    let front = Server::start(before, answer.clone()).or_else(|_| Server::start(0, answer));
    let front = front.unwrap();
    let taken = front.url();
    let taken = taken.rsplit(':').next().unwrap_or_default();
    std::fs::write(port, taken).unwrap();
    front
}

/// Returns the download URL of crates.io, from its index as cargo read it when the registry was
/// installed.
fn downloads() -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let indexes = home.and_then(|home| std::fs::read_dir(home.join("registry/index")).ok());
    let told = indexes.into_iter().flatten().flatten().find_map(|index| {
        let name = index.file_name();
        let config = std::fs::read(index.path().join("config.json")).ok()?;
        let config: Value = serde_json::from_slice(&config).ok()?;
        let is_it = name.to_string_lossy().starts_with("index.crates.io-");
        is_it.then(|| config["dl"].as_str().map(str::to_owned))?
    });
    told.unwrap_or_else(|| "https://static.crates.io/crates".to_owned())
}
