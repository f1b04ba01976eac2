//! The files of a generated crate other than Rust, as askama templates.
//!
//! A template only renders what the generator has decided. Texts arrive in their final form: TOML values with their
//! quotes, markdown without line breaks.

pub use askama::{Error, Template};

/// `Cargo.toml`.
#[derive(Template)]
#[template(path = "Cargo.toml.askama", escape = "none")]
pub struct CargoToml<'a> {
    /// TOML strings, quotes included.
    pub name: &'a str,
    pub description: &'a str,
    pub license: &'a str,
    pub repository: Option<&'a str>,
    pub documentation: &'a str,
    pub rust_version: &'a str,
    /// A TOML list.
    pub keywords: &'a str,
    pub spec: &'a str,
    /// The runtime's requirement: an inline table or a string.
    pub runtime: &'a str,
    /// Whether the crate is not a member of a workspace around it.
    pub own_workspace: bool,
    /// Empty, unless the crate is large.
    pub features: &'a [FeatureRow],
    /// The feature that the example needs, a TOML string.
    pub example_feature: Option<&'a str>,
}

/// A Cargo feature.
pub struct FeatureRow {
    pub name: String,
    /// A TOML list of features.
    pub needs: String,
    /// One of its resources.
    pub example: String,
}

/// `README.md`.
#[derive(Template)]
#[template(path = "README.md.askama", escape = "none")]
pub struct Readme<'a> {
    pub crate_name: &'a str,
    pub source: &'a str,
    pub title: &'a str,
    /// One sentence, possibly empty.
    pub description: &'a str,
    pub settings: &'a [SettingRow],
    pub resources: &'a [ResourceRow],
    pub features: &'a [FeatureRow],
    /// Whether the crate has a `Dockerfile`.
    pub docker: bool,
    /// Whether the crate can load into SQLite.
    pub sqlite: bool,
    /// Whether the crate can load into Parquet files.
    pub parquet: bool,
    /// Whether the crate can load into Postgres.
    pub postgres: bool,
    /// Whether the crate can load into DuckDB.
    pub duckdb: bool,
    pub ducklake: bool,
    /// The scheme of the buckets that the crate can load into.
    pub bucket: Option<&'a str>,
    /// The prefix of the settings, in lower case.
    pub namespace: &'a str,
    /// Whether the crate is a Singer tap, too.
    pub singer: bool,
    /// Whether the crate is an Airbyte source, too.
    pub airbyte: bool,
    /// Whether the crate has `api::pages()`.
    pub shared_pages: bool,
}

/// A setting in the README.
pub struct SettingRow {
    /// The name of the field, for other programs.
    pub name: String,
    pub secret: bool,
    pub flag: String,
    pub variable: String,
    pub help: String,
    /// `required`, `optional`, or the default.
    pub need: String,
}

/// A resource in the README.
pub struct ResourceRow {
    pub name: String,
    pub endpoint: String,
    pub key: String,
    pub pages: String,
    pub cursor: String,
    pub parent: String,
}

/// `etlgen.toml`.
#[derive(Template)]
#[template(path = "etlgen.toml.askama", escape = "none")]
pub struct EtlgenToml<'a> {
    /// TOML, quotes included.
    pub spec: &'a str,
    /// Keys and values, as TOML.
    pub lines: &'a [(&'a str, String)],
    pub doubts: &'a [DoubtRow],
}

/// An open question, in `etlgen.toml`.
pub struct DoubtRow {
    /// The resource's header without brackets: `resources.events`.
    pub header: String,
    /// (Question, line that settles it.)
    pub lines: Vec<(String, String)>,
}

/// `.gitignore`.
#[derive(Template)]
#[template(path = "gitignore.askama", escape = "none")]
pub struct Gitignore<'a> {
    pub source: &'a str,
}

/// `.gitattributes`.
#[derive(Template)]
#[template(path = "gitattributes.askama", escape = "none")]
pub struct Gitattributes;

/// `LICENSE-MIT`.
#[derive(Template)]
#[template(path = "LICENSE-MIT.askama", escape = "none")]
pub struct LicenseMit<'a> {
    pub crate_name: &'a str,
}

/// `LICENSE-APACHE`, which is the same for all crates.
pub const LICENSE_APACHE: &str = include_str!("../templates/LICENSE-APACHE");

/// `.github/workflows/ci.yml`.
#[derive(Template)]
#[template(path = "ci.yml.askama", escape = "none")]
pub struct CiYml<'a> {
    /// Whether the document is available where the tests run.
    pub check: bool,
    /// The etlgen that generates the crate.
    pub version: &'a str,
}

/// `Dockerfile`.
#[derive(Template)]
#[template(path = "Dockerfile.askama", escape = "none")]
pub struct Dockerfile<'a> {
    pub crate_name: &'a str,
    pub source: &'a str,
}

/// `.dockerignore`.
#[derive(Template)]
#[template(path = "dockerignore.askama", escape = "none")]
pub struct Dockerignore;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_ends_with_one_line_break() {
        for text in [
            Gitignore { source: "billing" }.render().unwrap(),
            Gitattributes.render().unwrap(),
            LicenseMit {
                crate_name: "billing",
            }
            .render()
            .unwrap(),
            LICENSE_APACHE.to_owned(),
            CiYml {
                check: false,
                version: "1.2.3",
            }
            .render()
            .unwrap(),
            CiYml {
                check: true,
                version: "1.2.3",
            }
            .render()
            .unwrap(),
            Dockerfile {
                crate_name: "billing",
                source: "billing",
            }
            .render()
            .unwrap(),
            Dockerignore.render().unwrap(),
        ] {
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text:?}");
        }
    }
}
