//! A process of its own for a part of a test: another program, a run that is killed, another environment.

use std::process::{Child, Command, Stdio};

/// The environment variable with what follows `duckdb:` in the URL of the child's file.
const REST: &str = "DUCKDB_REST_OF_CHILD";

/// Returns the command that runs an ignored test of a module as a child; the module is that of `module_path!`.
pub fn command(module: &str, test: &str, rest: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let module = module.split_once("::").unwrap().1;
    command.args(["--exact", "--ignored", "--nocapture"]);
    command.arg(format!("{module}::{test}")).env(REST, rest);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// Returns what follows `duckdb:` in the URL of the file of this child.
pub fn rest() -> String {
    std::env::var(REST).expect("it runs as a child of another test")
}

/// Starts a child.
pub fn start(module: &str, test: &str, rest: &str) -> Child {
    let mut command = command(module, test, rest);
    command.stdout(Stdio::piped()).spawn().unwrap()
}
