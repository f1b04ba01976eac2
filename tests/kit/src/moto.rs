//! A server of S3 for tests: the package `moto` for Python.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::service::{Service, answers, free_port, install, share, silent};

/// The bucket that the server has.
pub const BUCKET: &str = "etlgen-tests";

/// Returns the server, or why there is none.
pub fn server() -> Result<&'static Service, String> {
    static SERVER: OnceLock<Result<Service, String>> = OnceLock::new();
    let start = || share("moto", "kill \"$(cat server.pid)\"", launch);
    SERVER.get_or_init(start).as_ref().map_err(Clone::clone)
}

fn launch(folder: &Path, root: &Path) -> Result<(u16, String), String> {
    let installed = root.join("target/tmp/moto");
    if !installed.join("moto/server.py").is_file() {
        install(&installed, &["moto[server]==5.2.5"])?;
    }
    let port = free_port()?;
    let mut server = Command::new("python3");
    server.args([
        "-m",
        "moto.server",
        "-H",
        "127.0.0.1",
        "-p",
        &port.to_string(),
    ]);
    server.env("PYTHONPATH", &installed).current_dir(folder);
    let server = silent(&mut server)
        .spawn()
        .map_err(|error| error.to_string())?;
    let pid = server.id().to_string();
    fs::write(folder.join("server.pid"), pid).map_err(|error| error.to_string())?;
    let until = Instant::now() + Duration::from_secs(60);
    while !answers(port) {
        if Instant::now() > until {
            return Err("moto does not answer".to_owned());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let request = format!(
        "PUT /{BUCKET} HTTP/1.1\r\nHost: s3\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let mut answer = String::new();
    let asked = TcpStream::connect(("127.0.0.1", port)).and_then(|mut server| {
        server.write_all(request.as_bytes())?;
        server.read_to_string(&mut answer)
    });
    match asked.is_ok() && answer.starts_with("HTTP/1.1 200") {
        true => Ok((port, "none".to_owned())),
        false => Err(format!("moto answered to a new bucket: {answer}")),
    }
}
