//! Loads many records of forty resources while one request in twenty fails: nothing is lost or
//! duplicated, and memory stays constant. `ETLGEN_SOAK=1000000 cargo test --release -p etlgen-tests
//! --test soak -- --nocapture` is the long form.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use etlgen_testkit::switches::SOAK;
use etlgen_tests::connector::Connector;
use etlgen_tests::soak::{CHILDREN, ROOTS, Soak, rows};
use etlgen_tests::tables;

/// Measures a run with that many records: seconds, CPU seconds and peak memory in MB.
fn run(connector: &Connector, records: u64, into: &str, folder: &Path) -> (f64, f64, f64) {
    let api = Soak::start(records).unwrap();
    let arguments = ["sync", "--base-url", &api.url(), "--destination", into];
    let started = Instant::now();
    let mut child = connector
        .command(folder, &arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let process = format!("/proc/{}", child.id());
    let (mut peak, mut cpu) = (0.0f64, 0.0f64);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        let high = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let high = high.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok());
        peak = peak.max(high.unwrap_or_default() / 1024.0);
        let stat = std::fs::read_to_string(format!("{process}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split(' ')
            .collect();
        let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
        // User and system time are in hundredths of a second.
        cpu = cpu.max((ticks(12).unwrap_or_default() + ticks(13).unwrap_or_default()) / 100.0);
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "{status}");
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{records} records into {into}: {seconds:.1} s, {cpu:.1} CPU s, {peak:.0} MB, {} faults",
        api.faults()
    );
    assert!(api.faults() > 0);
    (seconds, cpu, peak)
}

/// Checks that every row of every list exists once.
fn nothing_is_lost_or_doubled(records: u64, ids: impl Fn(&str) -> Vec<i64>) {
    for list in 0..ROOTS + CHILDREN {
        let found = ids(&format!("list_{list}"));
        let distinct: BTreeSet<i64> = found.iter().copied().collect();
        assert_eq!(found.len(), distinct.len(), "list {list} holds rows twice");
        let expected = 0..rows(list, records) as i64;
        assert!(distinct.into_iter().eq(expected), "list {list} lacks rows");
    }
}

#[test]
fn nothing_is_lost_or_doubled_and_the_memory_is_flat() {
    let wanted: u64 = SOAK.number().unwrap_or(8_000);
    let connector = Connector::soak();
    let mut peaks = [Vec::new(), Vec::new()];
    for records in [wanted / 10, wanted / 2, wanted] {
        let folder = tempfile::tempdir().unwrap();
        let (_, _, peak) = run(&connector, records, "sqlite:soak.db", folder.path());
        nothing_is_lost_or_doubled(records, |table| {
            tables::sqlite_numbers(&folder.path().join("soak.db"), table, "id")
        });
        peaks[0].push(peak);
        let (_, _, peak) = run(&connector, records, "parquet:soak", folder.path());
        nothing_is_lost_or_doubled(records, |table| {
            tables::parquet_numbers(&folder.path().join("soak"), "soak", table, "id")
        });
        peaks[1].push(peak);
    }
    // Between half and all records, memory that grows with them would double.
    for peaks in peaks {
        if wanted >= 100_000 {
            assert!(peaks[2] < peaks[1] * 1.35 + 20.0, "{peaks:?} MB");
        }
    }
}
