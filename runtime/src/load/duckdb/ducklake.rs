//! A DuckLake: its catalogue, where its data is, and the extensions of DuckDB that read both.

use std::path::{Path, PathBuf};

use super::address::Lake;
use super::library::{Surroundings, files};
use crate::error::{Error, ErrorKind, Result};
use crate::load::sql::Session;

/// The name of the attached database.
const NAME: &str = "lake";
/// The settings of a bucket, by the environment variables that give them.
const BUCKET: [(&str, &[&str]); 4] = [
    ("KEY_ID", &["AWS_ACCESS_KEY_ID"]),
    ("SECRET", &["AWS_SECRET_ACCESS_KEY"]),
    ("SESSION_TOKEN", &["AWS_SESSION_TOKEN"]),
    ("REGION", &["AWS_REGION", "AWS_DEFAULT_REGION"]),
];

impl Lake {
    /// Attaches the DuckLake to an empty database; `reads`: nothing is written. `file`: that of the catalogue, if it is another one than the URL says;
    /// `data`: where a new catalogue keeps its data if the URL does not say it.
    pub fn attach(
        &self,
        session: &mut impl Session,
        reads: bool,
        (file, data): (Option<&Path>, Option<&str>),
    ) -> Result<()> {
        let version = session.query("SELECT version()", &[])?;
        let version = version.first().map(|row| row[0].text());
        let version = version.unwrap_or_default();
        for extension in self.needed() {
            self.load(session, extension, &version)?;
        }
        if self.is_in_bucket() {
            session.script(&bucket_secret(|name| std::env::var(name).ok()))?;
        }
        let mut options = Vec::new();
        if let Some(data) = self.data.as_deref().or(data) {
            options.push(format!("DATA_PATH {}", literal(&absolute(data)?)));
        }
        if let Some(schema) = &self.schema {
            options.push(format!("METADATA_SCHEMA {}", literal(schema)));
        }
        if reads {
            options.push("READ_ONLY".to_owned());
        }
        if self.catalogue.file().is_none() {
            // Postgres holds no text with NUL, which a few rows in the catalogue itself may have.
            options.push("DATA_INLINING_ROW_LIMIT 0".to_owned());
        }
        let place = format!("ducklake:{}", self.catalogue.place(file));
        let options = match options.is_empty() {
            true => String::new(),
            false => format!(" ({})", options.join(", ")),
        };
        // A text with NUL in a condition would end the query of the catalogue.
        session.script("SET disabled_optimizers = 'join_filter_pushdown'")?;
        session.script(&format!("ATTACH {} AS {NAME}{options}", literal(&place)))?;
        enter(session)
    }

    /// Returns the extensions that DuckDB must have.
    fn needed(&self) -> Vec<&'static str> {
        let postgres = self
            .catalogue
            .file()
            .is_none()
            .then_some("postgres_scanner");
        let bucket = self.is_in_bucket();
        // It looks for credentials where no key is given.
        let finds = bucket && !has_key(|name| std::env::var(name).ok());
        let bucket = bucket.then_some("httpfs");
        let others = [postgres, bucket, finds.then_some("aws")];
        ["ducklake"]
            .into_iter()
            .chain(others.into_iter().flatten())
            .collect()
    }

    fn is_in_bucket(&self) -> bool {
        (self.data.as_ref()).is_some_and(|data| data.starts_with("s3://"))
    }

    /// Loads an extension: from the named folder, a package of Python, or where DuckDB installs it.
    fn load(&self, session: &mut impl Session, extension: &str, version: &str) -> Result<()> {
        let file = self.file_of(extension, version);
        let load = file.map_or(extension.to_owned(), |file| {
            literal(&file.display().to_string())
        });
        session.script(&format!("LOAD {load}")).map_err(|error| {
            let package = extension.replace('_', "-");
            let number = version.trim_start_matches('v');
            let message = format!("DuckDB {number} does not load the extension `{extension}`");
            Error::new(ErrorKind::Destination, message)
                .caused_by(error.message().to_owned())
                .hint(format!(
                    "run `INSTALL {extension};` once in DuckDB {number}, or `pip install duckdb-extension-{package}=={number}`; `?extensions=FOLDER` names the folder that has the file `{extension}.duckdb_extension`"
                ))
        })
    }

    /// Returns the file of an extension, if it is not where DuckDB itself looks.
    fn file_of(&self, extension: &str, version: &str) -> Option<PathBuf> {
        let name = format!("{extension}.duckdb_extension");
        let package = format!("duckdb_extension_{extension}/extensions/{version}");
        let named = self
            .extensions
            .iter()
            .flat_map(|folder| [folder.join(&name), folder.join(&package).join(&name)]);
        let surroundings = Surroundings::of_process();
        let installed = surroundings.python_packages();
        let installed = installed.map(|folder| folder.join(&package).join(&name));
        named.chain(installed).flat_map(|path| files(&path)).next()
    }
}

/// Lets the statements of a connection mean the DuckLake.
pub fn enter(session: &mut impl Session) -> Result<()> {
    session.script(&format!("USE {NAME}"))
}

/// Ends the use of the DuckLake: its catalogue is then whole in its file.
pub fn detach(session: &mut impl Session) -> Result<()> {
    session.script(&format!("USE memory; DETACH {NAME}"))
}

/// Returns whether the environment has a key of a bucket.
fn has_key(variable: impl Fn(&str) -> Option<String>) -> bool {
    variable("AWS_ACCESS_KEY_ID").is_some_and(|key| !key.is_empty())
}

/// Returns the statement that tells DuckDB how to reach the bucket.
fn bucket_secret(variable: impl Fn(&str) -> Option<String>) -> String {
    let found = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| variable(name).filter(|v| !v.is_empty()))
    };
    let mut settings = vec!["TYPE s3".to_owned()];
    for (setting, names) in BUCKET {
        settings.extend(found(names).map(|value| format!("{setting} {}", literal(&value))));
    }
    if !has_key(&variable) {
        settings.push("PROVIDER credential_chain".to_owned());
    }
    if let Some(url) = found(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]) {
        let (scheme, host) = url.split_once("://").unwrap_or(("https", &url));
        settings.push(format!("ENDPOINT {}", literal(host.trim_end_matches('/'))));
        settings.push(format!("USE_SSL {}", scheme == "https"));
        settings.push("URL_STYLE 'path'".to_owned());
    }
    format!("CREATE OR REPLACE SECRET ({})", settings.join(", "))
}

/// Returns a folder by its whole path: a catalogue is used from anywhere. A URL stays.
fn absolute(data: &str) -> Result<String> {
    if data.contains("://") {
        return Ok(data.to_owned());
    }
    let path = std::path::absolute(data)
        .map_err(|error| Error::file(ErrorKind::Usage, "find", Path::new(data), error))?;
    Ok(path.display().to_string())
}

/// Returns a text as a literal of SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_reached_by_the_variables_of_its_tools() {
        let of = |known: &[(&str, &str)]| {
            let known: Vec<(String, String)> = known
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect();
            bucket_secret(move |name| {
                known
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, value)| value.clone())
            })
        };
        assert_eq!(
            of(&[]),
            "CREATE OR REPLACE SECRET (TYPE s3, PROVIDER credential_chain)"
        );
        assert_eq!(
            of(&[("AWS_REGION", "eu")]),
            "CREATE OR REPLACE SECRET (TYPE s3, REGION 'eu', PROVIDER credential_chain)"
        );
        let known = [
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "s'3"),
            ("AWS_DEFAULT_REGION", "eu"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:5000/"),
        ];
        assert_eq!(
            of(&known),
            "CREATE OR REPLACE SECRET (TYPE s3, KEY_ID 'id', SECRET 's''3', REGION 'eu', ENDPOINT '127.0.0.1:5000', USE_SSL false, URL_STYLE 'path')"
        );
    }
}
