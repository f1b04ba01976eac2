//! Serves the mock API until it is stopped.

use std::process::ExitCode;
use std::time::Duration;

use etlgen_tests::mock::{MockApi, Scenario};

const USAGE: &str =
    "usage: mock-api [--port P] [--bulk N] [--customers N] [--invoices N] [--events N]
                [--repos N] [--issues N] [--commits N] [--projects N] [--tasks N]
                [--delay-ms N] [--every-nth-503 N] [--every-nth-429 N] [--every-nth-cut N]
                [--no-drift] [--github]

Issues and commits are per repository, tasks per project.";

fn main() -> ExitCode {
    let (port, scenario) = match arguments(std::env::args().skip(1)) {
        Ok(parsed) => parsed,
        Err(message) => {
            eprintln!("{message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match MockApi::start_on(port, scenario) {
        Ok(mock) => {
            println!("{}", mock.url());
            loop {
                std::thread::park();
            }
        }
        Err(error) => {
            eprintln!("port {port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<(u16, Scenario), String> {
    let (mut port, mut scenario) = (0, Scenario::default());
    while let Some(name) = given.next() {
        match name.as_str() {
            "--no-drift" => {
                scenario.drift = false;
                continue;
            }
            "--github" => {
                scenario.github = true;
                continue;
            }
            _ => {}
        }
        let value = given.next();
        let number: u32 = value
            .and_then(|value| value.parse().ok())
            .ok_or_else(|| format!("{name} takes a number"))?;
        let count = number as usize;
        match name.as_str() {
            "--port" => port = u16::try_from(number).map_err(|_| "--port takes a port")?,
            "--bulk" => scenario.bulk = count,
            "--customers" => scenario.customers = count,
            "--invoices" => scenario.invoices = count,
            "--events" => scenario.events = count,
            "--repos" => scenario.repos = count,
            "--issues" => scenario.issues_per_repo = count,
            "--commits" => scenario.commits_per_repo = count,
            "--projects" => scenario.projects = count,
            "--tasks" => scenario.tasks_per_project = count,
            "--delay-ms" => scenario.delay = Duration::from_millis(number.into()),
            "--every-nth-503" => scenario.faults.every_nth_503 = Some(number),
            "--every-nth-429" => scenario.faults.every_nth_429 = Some(number),
            "--every-nth-cut" => scenario.faults.every_nth_cut = Some(number),
            _ => return Err(format!("{name} is unknown")),
        }
    }
    Ok((port, scenario))
}
