//! Tests that cannot run in the current environment. Such a test reports this, is counted, and
//! fails if its kind must not be skipped.

use std::fs::OpenOptions;
use std::io::Write;

use crate::switches::{NO_SKIP, SKIPPED};

/// The kind of thing that a test lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Documents, labels or fixtures next to the repository.
    Shared,
    /// Python, or a package for it.
    Python,
    /// A registry of crates.
    Registry,
    /// A service: a database, an object store.
    Service,
    /// Any other program, or a capability of the machine.
    Tool,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 5] = [
        Kind::Shared,
        Kind::Python,
        Kind::Registry,
        Kind::Service,
        Kind::Tool,
    ];

    /// Returns the name in `ETLGEN_NO_SKIP`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Shared => "shared",
            Kind::Python => "python",
            Kind::Registry => "registry",
            Kind::Service => "service",
            Kind::Tool => "tool",
        }
    }
}

/// Reports on standard error that the test of the calling thread, or a part of it, cannot run, and
/// why. The caller returns.
///
/// # Panics
/// Panics if `ETLGEN_NO_SKIP` names the kind, or a kind that does not exist.
pub fn skip(kind: Kind, why: &str) {
    let kinds = NO_SKIP.text().unwrap_or_default();
    if must_not_skip(kind, &kinds) {
        panic!(
            "{} is set and this test cannot run ({}): {why}",
            NO_SKIP.name,
            kind.name()
        );
    }
    let thread = std::thread::current();
    let line = line(kind, thread.name().unwrap_or("a test"), why);
    // The test harness captures `eprintln!` and shows it only for failed tests.
    let _ = writeln!(std::io::stderr(), "{line}");
    if let Some(file) = SKIPPED.path() {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        // A single write, so that lines of several processes do not mix.
        file.write_all(format!("{line}\n").as_bytes())
            .expect("the file of skipped tests can be written");
    }
}

fn line(kind: Kind, test: &str, why: &str) -> String {
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("SKIPPED [{}] {test}: {why}", kind.name())
}

/// # Panics
/// Panics if a name is not that of a kind.
fn must_not_skip(kind: Kind, kinds: &str) -> bool {
    let mut found = false;
    for name in kinds
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        let known = Kind::ALL.into_iter().find(|known| known.name() == name);
        let Some(known) = known else {
            let names = Kind::ALL.map(Kind::name).join(", ");
            panic!("{}: `{name}` is not one of {names}", NO_SKIP.name);
        };
        found |= known == kind;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_kinds_must_run() {
        assert!(!must_not_skip(Kind::Shared, ""));
        assert!(must_not_skip(Kind::Python, "registry, python,"));
        assert!(!must_not_skip(Kind::Shared, "registry,python"));
        let unknown = std::panic::catch_unwind(|| must_not_skip(Kind::Tool, "tools"));
        assert!(unknown.is_err());
    }

    #[test]
    fn a_skipped_test_is_one_line() {
        let line = line(Kind::Service, "t", "no\nanswer");
        assert_eq!(line, "SKIPPED [service] t: no answer");
    }
}
