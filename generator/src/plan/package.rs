//! The package of a crate: its licence, repository, workflow and image.

use crate::diagnostics::{Diagnostic, Kind};
use crate::overrides::{Ci, Overrides};

/// The licence of connectors by default, which is that of most crates.
const LICENSE: &str = "MIT OR Apache-2.0";

/// The requested package.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub license: Option<String>,
    pub repository: Option<String>,
    pub ci: Option<Ci>,
    pub docker: bool,
}

impl Wanted {
    /// Reads the wishes in `etlgen.toml`.
    pub fn of(overrides: &Overrides) -> Self {
        let keys = &overrides.top;
        Wanted {
            license: keys.license.as_ref().map(|license| license.0.clone()),
            repository: keys.repository.as_ref().map(|page| page.0.clone()),
            ci: keys.ci.as_deref().copied(),
            docker: keys.docker.as_ref().is_some_and(|docker| docker.0),
        }
    }

    /// Returns these wishes, filled from `other` where they are not set.
    pub fn or(self, other: Wanted) -> Self {
        Wanted {
            license: self.license.or(other.license),
            repository: self.repository.or(other.repository),
            ci: self.ci.or(other.ci),
            docker: self.docker || other.docker,
        }
    }
}

/// The package of a crate.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// An SPDX expression.
    pub license: String,
    pub texts: LicenseTexts,
    /// A URL.
    pub repository: Option<String>,
    pub ci: Option<Ci>,
    pub docker: bool,
}

/// The licences whose texts are generated, and those whose texts the owner must add.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LicenseTexts {
    pub mit: bool,
    pub apache: bool,
    pub missing: Vec<String>,
}

impl Package {
    /// Checks the wishes and adds the defaults. An error names a licence that no registry accepts.
    pub fn new(wanted: Wanted) -> Result<Self, Diagnostic> {
        let license = wanted.license.unwrap_or_else(|| LICENSE.to_owned());
        let expression = spdx::Expression::parse(&license).map_err(|error| {
            let reason = &error.reason;
            let message = format!("the licence `{license}` is not an SPDX expression: {reason}");
            Diagnostic::error(Kind::Overrides, message)
                .with_hint("`license` in etlgen.toml takes names of https://spdx.org/licenses")
        })?;
        Ok(Package {
            texts: texts(&expression),
            license,
            repository: wanted.repository,
            ci: wanted.ci,
            docker: wanted.docker,
        })
    }
}

fn texts(expression: &spdx::Expression) -> LicenseTexts {
    let mut texts = LicenseTexts::default();
    for wanted in expression.requirements() {
        match wanted.req.to_string().as_str() {
            "MIT" => texts.mit = true,
            "Apache-2.0" => texts.apache = true,
            other if texts.missing.iter().all(|known| known != other) => {
                texts.missing.push(other.to_owned());
            }
            _ => {}
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn licensed(license: &str) -> Result<Package, String> {
        let license = Some(license.to_owned());
        let wanted = Wanted {
            license,
            ..Wanted::default()
        };
        Package::new(wanted).map_err(|error| error.to_string())
    }

    #[test]
    fn the_texts_of_common_licences_come_along() {
        let texts = |license: &str| licensed(license).unwrap().texts;
        let both = texts("MIT OR Apache-2.0");
        assert!(both.mit && both.apache && both.missing.is_empty());
        let one = texts("MIT");
        assert!(one.mit && !one.apache);
        let other = texts("(MPL-2.0 AND MIT) OR LicenseRef-acme OR Apache-2.0 WITH LLVM-exception");
        assert!(other.mit && !other.apache);
        let missing = [
            "MPL-2.0",
            "LicenseRef-acme",
            "Apache-2.0 WITH LLVM-exception",
        ];
        assert_eq!(other.missing, missing);
    }

    #[test]
    fn what_no_registry_takes_is_named() {
        for license in ["MIT/Apache-2.0", "Apache 2", "mine", "", "MIT OR"] {
            let error = licensed(license).unwrap_err();
            assert!(error.contains(&format!("`{license}`")), "{error}");
            assert!(error.contains("spdx.org"), "{error}");
        }
    }
}
