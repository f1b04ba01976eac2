//! Computes the next version by the rules of cargo.

use semver::Version;

use super::Level;

/// Returns the version after a change of that level. The leftmost number that is not 0 counts as
/// the major one. A pre-release stays: its owner decides when to release it.
pub fn next(version: &Version, level: Level) -> Version {
    if !version.pre.is_empty() {
        return version.clone();
    }
    let (major, minor, patch) = (version.major, version.minor, version.patch);
    let step = |last: u64| last.saturating_add(1);
    let (major, minor, patch) = match (major, minor, level) {
        (0, 0, _) => (0, 0, step(patch)),
        (0, _, Level::Breaking) => (0, step(minor), 0),
        (0, _, _) => (0, minor, step(patch)),
        (_, _, Level::Breaking) => (step(major), 0, 0),
        (_, _, Level::Minor) => (major, step(minor), 0),
        (_, _, Level::Patch) => (major, minor, step(patch)),
    };
    Version::new(major, minor, patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_rules() {
        for (before, level, after) in [
            ("1.2.3", Level::Patch, "1.2.4"),
            ("1.2.3", Level::Minor, "1.3.0"),
            ("1.2.3", Level::Breaking, "2.0.0"),
            ("0.2.3", Level::Patch, "0.2.4"),
            ("0.2.3", Level::Minor, "0.2.4"),
            ("0.2.3", Level::Breaking, "0.3.0"),
            ("0.0.3", Level::Patch, "0.0.4"),
            ("0.0.3", Level::Breaking, "0.0.4"),
            ("2.0.0-rc.1", Level::Breaking, "2.0.0-rc.1"),
            ("1.2.3+build", Level::Patch, "1.2.4"),
        ] {
            let version = Version::parse(before).unwrap();
            assert_eq!(next(&version, level).to_string(), after, "{before}");
        }
    }
}
