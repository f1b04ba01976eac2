//! Environments of Python, which are made once and kept in the target folder.

use std::path::PathBuf;
use std::process::{Command, Output};

use etlgen_testkit::{Kind, skip};

use crate::workspace::root;

/// Runs a command; an error is what it has written.
pub fn run(command: &mut Command) -> Result<String, String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&stdout).into_owned();
    match status.success() {
        true => Ok(text),
        false => Err(text + &String::from_utf8_lossy(&stderr)),
    }
}

/// Returns the folder of the programs of an environment with these packages, which is made once;
/// `None`: it cannot be made here.
pub fn environment(name: &str, packages: &[&str]) -> Option<PathBuf> {
    let made = || -> Result<PathBuf, String> {
        let folder = root().join("target/tmp").join(format!("hosts-{name}"));
        let programs = folder.join("bin");
        let (ready, wanted) = (folder.join("ready"), packages.join("\n"));
        if std::fs::read_to_string(&ready).is_ok_and(|there| there == wanted) {
            return Ok(programs);
        }
        run(Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder))?;
        run(Command::new(programs.join("python"))
            .args(["-m", "pip", "install", "--quiet", "--retries", "1"])
            .args(packages))?;
        std::fs::write(ready, wanted).map_err(|error| error.to_string())?;
        Ok(programs)
    };
    match made() {
        Ok(programs) => Some(programs),
        Err(why) => {
            skip(Kind::Python, &format!("{name} cannot be installed: {why}"));
            None
        }
    }
}
