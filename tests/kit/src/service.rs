//! A server for tests, which the processes of a test run share. The first test that needs it starts it, and it ends when
//! no test has used it for a while.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

/// A server that runs as long as this process does.
pub struct Service {
    pub port: u16,
    /// What its users have to know to be let in.
    pub password: String,
    /// Held, so that the server is not stopped.
    _in_use: File,
}

/// Returns the server of that name, which `launch` starts, in a folder of its own, unless it runs. `stop` is the line of
/// the shell that stops it there.
pub fn share(
    name: &str,
    stop: &str,
    launch: impl FnOnce(&Path, &Path) -> Result<(u16, String), String>,
) -> Result<Service, String> {
    let error = |error: std::io::Error| error.to_string();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let root = root.canonicalize().map_err(error)?;
    // The user of the server must be able to enter the folder, which a home folder may not allow.
    let name = format!("etlgen-{name}-{:08x}", hash(&root.to_string_lossy()));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir_all(&folder).map_err(error)?;
    let open = |name: &str| {
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true);
        file.open(folder.join(name)).map_err(error)
    };
    // Shared by those who use the server; the watch that stops it takes it alone.
    let in_use = open("in-use.lock")?;
    in_use.lock_shared().map_err(error)?;
    let starting = open("starting.lock")?;
    starting.lock().map_err(error)?;
    let (port, password) = match running(&folder) {
        Some(running) => running,
        None => {
            let (port, password) = launch(&folder, &root)?;
            watch(&folder, stop)?;
            write_private(&folder.join("port"), &format!("{port} {password}")).map_err(error)?;
            (port, password)
        }
    };
    Ok(Service {
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
    answers(port).then(|| (port, password.to_owned()))
}

/// Returns whether something on this machine listens at that port.
pub fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Returns a port that nothing listens at.
pub fn free_port() -> Result<u16, String> {
    let bound = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    bound
        .map(|address| address.port())
        .map_err(|error| error.to_string())
}

/// Writes a file that only its owner can read.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
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

/// Installs packages for Python into a folder.
pub fn install(folder: &Path, packages: &[&str]) -> Result<(), String> {
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    pip.args(["--only-binary", ":all:", "--target"]).arg(folder);
    run(pip.args(packages))
}

/// Runs a command; returns why it failed.
pub fn run(command: &mut Command) -> Result<(), String> {
    // A server that goes on would keep pipes open.
    match silent(command).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

/// Lets a command print nothing.
pub fn silent(command: &mut Command) -> &mut Command {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
}

/// Stops the server when nobody has used it for half a minute.
fn watch(folder: &Path, stop: &str) -> Result<(), String> {
    let write = |name: &str, text: &str| {
        fs::write(folder.join(name), text).map_err(|error| error.to_string())
    };
    write(
        "watch.sh",
        "while sleep 30; do flock --nonblock --close in-use.lock sh stop.sh && exit; done\n",
    )?;
    write("stop.sh", &format!("rm -f port\n{stop}\nsleep 1\nexit 0\n"))?;
    let mut watch = Command::new("setsid");
    watch.args(["sh", "watch.sh"]).current_dir(folder);
    let watch = silent(&mut watch).spawn();
    watch.map(drop).map_err(|error| error.to_string())
}
