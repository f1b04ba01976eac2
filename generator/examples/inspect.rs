//! Prints what etlgen infers of a document: `inspect [--table] SPEC`.

use std::process::ExitCode;

use etlgen::{infer, inspect, spec};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(source) = arguments.last() else {
        eprintln!("usage: inspect [--table] SPEC");
        return ExitCode::from(2);
    };
    let input = match spec::Input::load(source) {
        Ok(input) => input,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let (api, diagnostics) = spec::read(&input);
    let Some(api) = api else {
        for diagnostic in diagnostics {
            eprintln!("{diagnostic}");
        }
        return ExitCode::FAILURE;
    };
    let facts = infer::infer(&api);
    if arguments.iter().any(|argument| argument == "--table") {
        print!("{}", inspect::table(&api, &facts));
    } else {
        println!("{:#}", inspect::json(&api, &facts));
    }
    ExitCode::SUCCESS
}
