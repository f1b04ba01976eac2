//! A process of its own for a part of a test: another program, a run that is killed, another environment.

use std::process::{Child, Command, Stdio};

/// The environment variable with the URL of the child's file.
const URL: &str = "DUCKDB_URL_OF_CHILD";

/// Returns the command that runs an ignored test of a module as a child; the module is that of `module_path!`.
pub fn command(module: &str, test: &str, url: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let module = module.split_once("::").unwrap().1;
    command.args(["--exact", "--ignored", "--nocapture"]);
    command.arg(format!("{module}::{test}")).env(URL, url);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// Returns the URL of the file of this child.
pub fn url() -> String {
    std::env::var(URL).expect("it runs as a child of another test")
}

/// Starts a child.
pub fn start(module: &str, test: &str, url: &str) -> Child {
    let mut command = command(module, test, url);
    command.stdout(Stdio::piped()).spawn().unwrap()
}
