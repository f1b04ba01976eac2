//! Real documents and their labels, next to the repository if they are present.

use std::path::{Path, PathBuf};

use crate::switches::SPECS;

/// Returns a path in the folder `shared` next to the repository; it need not exist.
pub fn path(path: &str) -> PathBuf {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    shared.join(path)
}

/// Returns the folder of the real documents: `ETLGEN_SPECS`, or `shared/specs`; it need not exist.
pub fn specs() -> PathBuf {
    SPECS.path().unwrap_or_else(|| path("specs"))
}

/// Returns the file of Stripe's own records, one for each object of its document; it need not
/// exist.
pub fn stripe_fixtures() -> PathBuf {
    path("fixtures/stripe_fixtures3.json")
}
