//! Reads and normalises the invoices of the benchmark, and drops them: measures only the path from
//! the API to columns.
//!
//! usage: columns BASE_URL

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use etlgen_runtime::Result;
use etlgen_runtime::load::{
    Capabilities, Chunk, Commit, Destination, LoadInfo, LoadStatus, Memory,
};
use etlgen_runtime::run::{RunOptions, sync};
use etlgen_runtime::schema::Drifted;

/// A destination that drops everything and counts the rows.
#[derive(Default)]
struct Dropped {
    rows: u64,
}

impl Destination for Dropped {
    fn describe(&self) -> String {
        "dropped".to_owned()
    }

    fn exists(&self) -> bool {
        false
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(255).checkpoints(200_000, Duration::from_secs(60))
    }

    fn open(&mut self, _: &LoadInfo) -> Result<Memory> {
        Ok(Memory::default())
    }

    fn write(&mut self, chunk: Chunk) -> Result<()> {
        let rows = chunk.tables().map(|table| table.rows.num_rows());
        self.rows += rows.sum::<usize>() as u64;
        Ok(())
    }

    fn drift(&mut self, _: &str, _: &[(Drifted, u64)]) -> Result<()> {
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        if *commit.status != LoadStatus::Running {
            println!("{} rows", self.rows);
        }
        Ok(())
    }

    fn row_counts(&mut self) -> Result<Vec<(String, u64)>> {
        Ok(Vec::new())
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Some(base_url) = std::env::args().nth(1) else {
        eprintln!("usage: columns BASE_URL");
        return ExitCode::FAILURE;
    };
    let source = bulk_connector::source(&bulk_connector::Config { base_url });
    let destination = Box::new(Dropped::default());
    match sync(&source, destination, &RunOptions::default(), Arc::new(())).await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
