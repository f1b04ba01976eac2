//! The command line of etlgen.

fn main() -> std::process::ExitCode {
    etlgen::main()
}
