//! Checks that a folder written by `sync --record` can be replayed.

use std::path::Path;

use etlgen_tests::connector::Connector;
use etlgen_tests::mock::{MockApi, Scenario};
use etlgen_tests::tables::{self, assert_same};

use super::{copied, sets};

const NAME: &str = "recording";
const TO: [&str; 2] = ["--destination", "sqlite:billing.db"];

fn api() -> MockApi {
    MockApi::start(Scenario {
        customers: 7,
        invoices: 5,
        events: 3,
        ..Scenario::default()
    })
}

pub fn write(set: &Path) {
    let folder = set.join(NAME);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let record = ["--record", folder.to_str().unwrap()];
    Connector::billing().sync(elsewhere.path(), &api(), TO[1], &record);
}

#[test]
fn a_recording_is_answered_from() {
    let connector = Connector::billing();
    for set in sets() {
        let kept = copied(&set, NAME);
        let (replayed, asked) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let replay = ["sync", "--replay", kept.path().to_str().unwrap()];
        connector.succeed(replayed.path(), &[&replay[..], &TO].concat());
        connector.sync(asked.path(), &api(), TO[1], &[]);
        let read = |folder: &Path| tables::sqlite(&folder.join("billing.db"));
        assert_same(&read(asked.path()), &read(replayed.path()));
    }
}
