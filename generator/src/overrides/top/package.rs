//! The package of the crate: `license`, `repository`, `ci`, `docker`, `workspace_member`; and what
//! updates write: `changelog`, `bump`.

use super::base_url::is_url;
use crate::overrides::about::About;
use crate::overrides::file::Faults;
use crate::overrides::key::{Key, TopKey};
use crate::overrides::value::Value;

/// An SPDX expression.
#[derive(Clone, Debug, PartialEq)]
pub struct License(pub String);

impl Key for License {
    const ABOUT: About = About {
        name: "license",
        takes: "an SPDX expression",
        does: "The licence of the crate. By default `MIT OR Apache-2.0`.",
        examples: &["license = \"MIT OR Apache-2.0\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let text = value.text(faults)?;
        if let Err(error) = spdx::Expression::parse(&text) {
            let reason = &error.reason;
            let message = format!("the licence `{text}` is not an SPDX expression: {reason}");
            let hint =
                "`license` takes names of https://spdx.org/licenses, such as `MIT OR Apache-2.0`";
            faults.add(value.place, message).hint(hint.to_owned());
            return None;
        }
        Some(License(text))
    }
}

impl TopKey for License {}

/// The page where the crate is developed.
#[derive(Clone, Debug, PartialEq)]
pub struct Repository(pub String);

impl Key for Repository {
    const ABOUT: About = About {
        name: "repository",
        takes: "a URL",
        does: "The page where the crate is developed.",
        examples: &["repository = \"https://github.com/acme/shop-connector\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        let text = value.text(faults)?;
        match is_url(&text) {
            true => Some(Repository(text)),
            false => {
                let message = format!("the repository `{text}` is not a URL");
                let hint = "`repository` takes the page where the crate is developed, such as `https://github.com/…`";
                faults.add(value.place, message).hint(hint.to_owned());
                None
            }
        }
    }
}

impl TopKey for Repository {}

/// The service that tests each change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Ci {
    /// `.github/workflows/ci.yml`
    Github,
}

impl Key for Ci {
    const ABOUT: About = About {
        name: "ci",
        takes: "`\"github\"`",
        does: "Writes a workflow that tests each change.",
        examples: &["ci = \"github\""],
        parts: &[],
    };

    fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
        value.choice(&[("github", Ci::Github)], faults)
    }
}

impl TopKey for Ci {}

/// Declares keys that are true or false and that `apply` ignores.
macro_rules! flags {
    ($($(#[$doc:meta])* $key:ident: $name:literal, $does:literal, $example:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $key(pub bool);

        impl Key for $key {
            const ABOUT: About = About {
                name: $name,
                takes: "true or false",
                does: $does,
                examples: &[$example],
                parts: &[],
            };

            fn read(value: &Value<'_>, faults: &mut Faults) -> Option<Self> {
                value.flag(faults).map($key)
            }
        }

        impl TopKey for $key {}
    )*};
}

flags! {
    /// Whether the crate has a `Dockerfile`.
    Docker: "docker", "Writes a `Dockerfile`. By default false.", "docker = true";
    /// Whether updates write `CHANGELOG.md`.
    Changelog: "changelog", "`etlgen update` writes what has changed into `CHANGELOG.md`. By default true.",
        "changelog = false";
    /// Whether updates raise the version.
    Bump: "bump", "`etlgen update` gives `Cargo.toml` the next version. By default true.", "bump = false";
    /// Whether the crate is a member of the workspace around it.
    WorkspaceMember: "workspace_member",
        "The crate is a member of the workspace around it. By default it is one if that workspace lists it.",
        "workspace_member = true";
}
