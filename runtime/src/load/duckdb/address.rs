//! The URL of a database: the file, the name or the catalogue, where the library of DuckDB is, and what DuckDB may use.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::load::DestinationUrl;
use crate::load::url::unescaped;
use crate::settings::{Redactor, Secret};

/// The threads of DuckDB if the URL does not say their number: batches are small, and each thread takes memory.
const THREADS: &str = "1";
/// The scheme of the URL of a DuckLake.
pub const DUCKLAKE: &str = "ducklake";
/// The environment variables with the token of MotherDuck and the keys of buckets.
const SECRETS: [&str; 4] = [
    "motherduck_token",
    "MOTHERDUCK_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

/// A database, and how it is opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    pub database: Database,
    /// The library of DuckDB.
    pub driver: Option<PathBuf>,
    /// The memory that DuckDB may use, in its spelling; none: as much as the widest table needs.
    pub memory: Option<String>,
    /// The number of its threads.
    pub threads: String,
}

/// What is opened.
#[derive(Clone, Debug, PartialEq)]
pub enum Database {
    File(PathBuf),
    /// A database of MotherDuck, by what DuckDB takes as its path: `md:NAME?motherduck_token=…`.
    MotherDuck(String),
    DuckLake(Lake),
}

/// A DuckLake.
#[derive(Clone, Debug, PartialEq)]
pub struct Lake {
    pub catalogue: Catalogue,
    /// The schema of Postgres that holds the catalogue.
    pub schema: Option<String>,
    /// The folder or the prefix in a bucket; none: what the catalogue says.
    pub data: Option<String>,
    /// The folder with the files of the extensions.
    pub extensions: Option<PathBuf>,
}

/// Where the catalogue is.
#[derive(Clone, Debug, PartialEq)]
pub enum Catalogue {
    /// A DuckDB file.
    File(PathBuf),
    /// A database, by its URL.
    Postgres(String),
}

impl Catalogue {
    /// Returns the file.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Catalogue::File(path) => Some(path),
            Catalogue::Postgres(_) => None,
        }
    }

    /// Returns what DuckDB takes as its place.
    pub fn place(&self, file: Option<&Path>) -> String {
        match self {
            Catalogue::File(path) => file.unwrap_or(path).display().to_string(),
            Catalogue::Postgres(url) => format!("postgres:{url}"),
        }
    }
}

/// The kinds of database, by what a URL says.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    File,
    MotherDuck,
    LakeFile,
    LakePostgres,
}

impl Kind {
    fn of(scheme: &str, name: &str) -> Self {
        let is_postgres = ["postgres://", "postgresql://"]
            .iter()
            .any(|start| name.starts_with(start));
        match (scheme, is_postgres) {
            (DUCKLAKE, true) => Kind::LakePostgres,
            (DUCKLAKE, false) => Kind::LakeFile,
            _ if name.starts_with("md:") => Kind::MotherDuck,
            _ => Kind::File,
        }
    }

    /// Returns an error that says how a URL of the kind is written.
    fn refuse(self, what: String) -> Error {
        Error::new(ErrorKind::Usage, what).hint(match self {
            Kind::File | Kind::MotherDuck => {
                "write `duckdb:FILE` or `duckdb:md:NAME`; the options are `driver`, `memory_limit` and `threads`, as in `?threads=4`"
            }
            Kind::LakeFile | Kind::LakePostgres => {
                "write `ducklake:FILE` or `ducklake:postgres://USER@HOST/DATABASE?data=FOLDER`; the options are `data`, `schema` (of Postgres), `extensions`, `driver`, `memory_limit` and `threads`, as in `?threads=4`"
            }
        })
    }

    /// Returns whether the database takes options that are not ours.
    fn passes(self) -> bool {
        matches!(self, Kind::MotherDuck | Kind::LakePostgres)
    }
}

impl Address {
    /// Parses a URL.
    pub fn parse(url: &DestinationUrl) -> Result<Self> {
        let (name, query) = url.rest().split_once('?').unwrap_or((url.rest(), ""));
        let kind = Kind::of(url.scheme(), name);
        let is_lake = url.scheme() == DUCKLAKE;
        let (mut driver, mut memory) = (None, None);
        let (mut data, mut schema, mut extensions) = (None, None, None);
        let mut threads = THREADS.to_owned();
        let mut passed = Vec::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = unescaped(value);
            if value.is_empty() || value.contains('\0') {
                return Err(kind.refuse(format!("the option `{name}` has no value")));
            }
            match name {
                "driver" => driver = Some(PathBuf::from(value)),
                "memory_limit" => memory = Some(value),
                "threads" => threads = value,
                "data" if is_lake => data = Some(value),
                "schema" if kind == Kind::LakePostgres => schema = Some(value),
                "extensions" if is_lake => extensions = Some(PathBuf::from(value)),
                // MotherDuck and Postgres have options of their own, as `motherduck_token`.
                _ if kind.passes() => passed.push(option),
                _ => {
                    let what = format!("`{}` has no option `{name}`", url.scheme());
                    return Err(kind.refuse(what));
                }
            }
        }
        if name.is_empty() || name.contains('\0') || name == ":memory:" {
            return Err(kind.refuse(format!("`{name}` is not the name of a file")));
        }
        let whole = match passed.is_empty() {
            true => name.to_owned(),
            false => format!("{name}?{}", passed.join("&")),
        };
        let lake = |catalogue| {
            Database::DuckLake(Lake {
                catalogue,
                schema,
                data,
                extensions,
            })
        };
        Ok(Address {
            database: match kind {
                Kind::File => Database::File(name.into()),
                Kind::MotherDuck => Database::MotherDuck(whole),
                Kind::LakeFile => lake(Catalogue::File(name.into())),
                Kind::LakePostgres => lake(Catalogue::Postgres(whole)),
            },
            driver,
            memory,
            threads,
        })
    }

    /// Returns whether an error says that there is no such DuckLake yet.
    pub fn is_missing(&self, error: &Error) -> bool {
        let is_lake = matches!(self.database, Database::DuckLake(_));
        is_lake
            && error
                .message()
                .contains("creating a new DuckLake is explicitly disabled")
    }

    /// Returns the name of the database for people.
    pub fn product(&self) -> &'static str {
        match self.database {
            Database::DuckLake(_) => "DuckLake",
            Database::File(_) | Database::MotherDuck(_) => "DuckDB",
        }
    }

    /// Returns the file of the database, or of the catalogue of a DuckLake.
    pub fn file(&self) -> Option<&Path> {
        match &self.database {
            Database::File(path) => Some(path),
            Database::DuckLake(lake) => lake.catalogue.file(),
            Database::MotherDuck(_) => None,
        }
    }
}

/// Returns the text with `***` in place of the secrets of the environment.
pub fn redact_environment(text: &str) -> String {
    let tokens = SECRETS.iter().filter_map(|name| std::env::var(name).ok());
    let tokens = tokens.filter(|token| !token.is_empty()).map(Secret::new);
    Redactor::new(tokens.collect()).redact(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Result<Address> {
        Address::parse(&DestinationUrl::parse(url))
    }

    #[test]
    fn a_url_has_a_database_and_options() {
        let plain = parsed("duckdb:a b.db").unwrap();
        assert_eq!(plain.database, Database::File("a b.db".into()));
        assert_eq!((plain.driver, plain.memory), (None, None));
        assert_eq!(plain.threads, "1");
        let full =
            parsed("duckdb:a.db?driver=/x%20y/libduckdb.so&threads=4&memory_limit=1GB").unwrap();
        assert_eq!(full.driver, Some("/x y/libduckdb.so".into()));
        assert_eq!((&*full.threads, full.memory.as_deref()), ("4", Some("1GB")));
        let cloud =
            parsed("duckdb:md:shop?threads=3&motherduck_token=s3cret&attach_mode=single").unwrap();
        let path = "md:shop?motherduck_token=s3cret&attach_mode=single";
        assert_eq!(cloud.database, Database::MotherDuck(path.to_owned()));
        assert_eq!(cloud.threads, "3");
        let short = parsed("duckdb:md:").unwrap();
        assert_eq!(short.database, Database::MotherDuck("md:".to_owned()));
    }

    #[test]
    fn a_lake_has_a_catalogue_and_data() {
        let lake = |url: &str| match parsed(url).unwrap().database {
            Database::DuckLake(lake) => lake,
            other => panic!("{other:?}"),
        };
        let plain = lake("ducklake:md:x");
        assert_eq!(plain.catalogue, Catalogue::File("md:x".into()));
        assert_eq!((plain.data, plain.extensions), (None, None));
        let full = lake(
            "ducklake:postgres://u:s@h/db?data=s3://b/p%20q&sslmode=require&extensions=/x&schema=s",
        );
        let database = "postgres://u:s@h/db?sslmode=require".to_owned();
        assert_eq!(full.catalogue, Catalogue::Postgres(database));
        assert_eq!(full.data.as_deref(), Some("s3://b/p q"));
        assert_eq!(full.extensions, Some("/x".into()));
        assert_eq!(full.schema.as_deref(), Some("s"));
    }

    #[test]
    fn what_a_url_cannot_say_is_refused() {
        for (url, wanted) in [
            ("duckdb:?threads=1", "not the name of a file"),
            ("duckdb::memory:", "not the name of a file"),
            ("duckdb:a.db?speed=9", "no option `speed`"),
            ("duckdb:a.db?data=x", "no option `data`"),
            (
                "ducklake:a.db?motherduck_token=s",
                "no option `motherduck_token`",
            ),
            ("duckdb:a.db?driver=", "`driver` has no value"),
            ("ducklake:a.db?schema=s", "no option `schema`"),
            ("ducklake:a.db?data=", "`data` has no value"),
        ] {
            let error = parsed(url).unwrap_err();
            assert!(error.message().contains(wanted), "{error}");
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
    }
}
