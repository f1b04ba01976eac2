//! The connector's command line.

fn main() -> std::process::ExitCode {
    etlgen_runtime::cli::main(
        env!("CARGO_PKG_NAME"),
        env!("CARGO_PKG_VERSION"),
        bulk_connector::source,
    )
}
