//! Every environment variable that the tests read. `CONTRIBUTING.md` has the same table; a test keeps them equal.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

/// An environment variable that changes the behaviour of the tests.
#[derive(Debug)]
pub struct Switch {
    pub name: &'static str,
    /// Its possible values.
    pub value: &'static str,
    /// Its effect.
    pub does: &'static str,
}

/// The number of kills of each test in `kill_tree`.
pub const KILLS: Switch = Switch {
    name: "ETLGEN_KILLS",
    value: "number, default 20",
    does: "kills each run in `kill_tree` this many times",
};

/// The seed of random tests.
pub const SEED: Switch = Switch {
    name: "ETLGEN_SEED",
    value: "number, default random",
    does: "repeats a failed run of a random test; the test prints its seed",
};

/// The number of seeds of the simulation.
pub const SEEDS: Switch = Switch {
    name: "ETLGEN_SEEDS",
    value: "number or range (`5000..6000`), default 2000",
    does: "plays this many seeds, or these, in `simulation`; from 2000 on, its share of proved runs is checked",
};

/// The number of merges of the test with Stripe's document.
pub const MERGES: Switch = Switch {
    name: "ETLGEN_MERGES",
    value: "number, default 6",
    does: "tries this many merges on Stripe's document in `merge_trials`, with an optimised `etlgen`",
};

/// The number of records of the soak test.
pub const SOAK: Switch = Switch {
    name: "ETLGEN_SOAK",
    value: "number, default 8000",
    does: "loads this many records in `soak`; from 100000 on, the memory is held to its bound",
};

/// Whether crates of real documents are compiled.
pub const CORPUS: Switch = Switch {
    name: "ETLGEN_CORPUS",
    value: "`compile`",
    does: "compiles and tests the crate of each real document in `corpus`",
};

/// The folder of the real documents.
pub const SPECS: Switch = Switch {
    name: "ETLGEN_SPECS",
    value: "folder, default `../shared/specs`",
    does: "reads the real documents from this folder",
};

/// Whether findings are printed.
pub const SPECS_VERBOSE: Switch = Switch {
    name: "ETLGEN_SPECS_VERBOSE",
    value: "any",
    does: "prints every finding about the real documents",
};

/// The kinds of tests that must not be skipped.
pub const NO_SKIP: Switch = Switch {
    name: "ETLGEN_NO_SKIP",
    value: "kinds, comma separated",
    does: "fails tests of these kinds instead of skipping them: `shared`, `python`, `registry`, `service`, `tool`",
};

/// Whether the reference of `etlgen.toml` is written.
pub const REFERENCE: Switch = Switch {
    name: "ETLGEN_REFERENCE",
    value: "`write`",
    does: "writes `docs/etlgen-toml.md` from the keys; without it the test `reference` fails where the file differs",
};

/// The file that lists the skipped tests.
pub const SKIPPED: Switch = Switch {
    name: "ETLGEN_SKIPPED",
    value: "file",
    does: "receives a line for each skipped test; `cargo quick`, `full` and `long` set it to count them",
};

/// All switches, in the order of the table.
pub const SWITCHES: [&Switch; 11] = [
    &KILLS,
    &SEED,
    &SEEDS,
    &MERGES,
    &SOAK,
    &CORPUS,
    &SPECS,
    &SPECS_VERBOSE,
    &REFERENCE,
    &NO_SKIP,
    &SKIPPED,
];

impl Switch {
    /// Returns its value, if it is set and not empty.
    pub fn text(&self) -> Option<String> {
        std::env::var(self.name)
            .ok()
            .filter(|text| !text.is_empty())
    }

    /// Returns its value as a path.
    pub fn path(&self) -> Option<PathBuf> {
        std::env::var_os(self.name).map(PathBuf::from)
    }

    /// Returns its value as a number.
    ///
    /// # Panics
    /// Panics if it is set to something else.
    pub fn number<T: FromStr>(&self) -> Option<T> {
        let text = self.text()?;
        let number = text.parse();
        Some(number.unwrap_or_else(|_| panic!("{}={text}: not a number", self.name)))
    }

    /// Returns its value as a range: that of `2000..3000`, or the one from 0 to a number.
    ///
    /// # Panics
    /// Panics if it is set to something else.
    pub fn range(&self) -> Option<Range<u64>> {
        let text = self.text()?;
        let number = |text: &str| text.parse::<u64>().ok();
        let range = match text.split_once("..") {
            Some((from, to)) => number(from).zip(number(to)).map(|(from, to)| from..to),
            None => number(&text).map(|to| 0..to),
        };
        Some(range.unwrap_or_else(|| panic!("{}={text}: not a number or a range", self.name)))
    }

    /// Returns whether it is set to that text.
    pub fn is(&self, text: &str) -> bool {
        self.text().is_some_and(|set| set == text)
    }
}

/// Returns the table of `CONTRIBUTING.md`.
pub fn table() -> String {
    let mut table = "| variable | value | effect |\n|---|---|---|\n".to_owned();
    for Switch { name, value, does } in SWITCHES {
        table += &format!("| `{name}` | {value} | {does} |\n");
    }
    table
}
