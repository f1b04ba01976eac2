//! A server of Azure Blob Storage for tests: the package `azurite` for Node.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::service::{Service, answers, free_port, run, share, silent};

/// The storage account, and its container.
pub const ACCOUNT: &str = "etlgentests";
pub const CONTAINER: &str = "etlgen-tests";

/// The key of the account.
pub const KEY: &str = "dGhlIGtleSBvZiB0aGUgdGVzdHM=";

/// Creates a container; a request must be signed.
const CREATE: &str = r"
const crypto = require('crypto'), http = require('http');
const [port, account, key, container] = process.argv.slice(1);
const path = `/${account}/${container}`, date = new Date().toUTCString(), version = '2021-08-06';
const text = `PUT${'\n'.repeat(12)}x-ms-date:${date}\nx-ms-version:${version}\n/${account}${path}\nrestype:container`;
const signature = crypto.createHmac('sha256', Buffer.from(key, 'base64')).update(text, 'utf8').digest('base64');
const headers = {'x-ms-date': date, 'x-ms-version': version, 'Content-Length': 0, Authorization: `SharedKey ${account}:${signature}`};
http.request({host: '127.0.0.1', port, method: 'PUT', path: `${path}?restype=container`, headers},
  answer => process.exit(answer.statusCode === 201 ? 0 : 1)).end();
";

/// Returns the server, or why there is none.
pub fn server() -> Result<&'static Service, String> {
    static SERVER: OnceLock<Result<Service, String>> = OnceLock::new();
    let start = || share("azurite", "kill \"$(cat server.pid)\"", launch);
    SERVER.get_or_init(start).as_ref().map_err(Clone::clone)
}

fn launch(folder: &Path, root: &Path) -> Result<(u16, String), String> {
    let installed = root.join("target/tmp/azurite");
    let program = installed.join("node_modules/.bin/azurite-blob");
    if !program.is_file() {
        fs::create_dir_all(&installed).map_err(|error| error.to_string())?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-fund", "--no-audit", "--prefix"]);
        run(npm.arg(&installed).arg("azurite@3.37.0"))?;
    }
    let port = free_port()?;
    let mut server = Command::new("node");
    server
        .arg(&program)
        .args(["--silent", "--inMemoryPersistence", "--skipApiVersionCheck"])
        .args([
            "--disableTelemetry",
            "--blobHost",
            "127.0.0.1",
            "--blobPort",
        ])
        .arg(port.to_string())
        .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:{KEY}"))
        .current_dir(folder);
    let server = silent(&mut server).spawn();
    let pid = server.map_err(|error| error.to_string())?.id();
    fs::write(folder.join("server.pid"), pid.to_string()).map_err(|error| error.to_string())?;
    let until = Instant::now() + Duration::from_secs(60);
    while !answers(port) {
        if Instant::now() > until {
            return Err("azurite does not answer".to_owned());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let mut create = Command::new("node");
    create.args(["-e", CREATE, &port.to_string(), ACCOUNT, KEY, CONTAINER]);
    run(&mut create).map_err(|error| format!("azurite refuses a container: {error}"))?;
    Ok((port, KEY.to_owned()))
}
