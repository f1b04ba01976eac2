//! The URL of a database: the file or the name, where the library of DuckDB is, and what DuckDB may use.

use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Result};
use crate::load::url::unescaped;
use crate::settings::{Redactor, Secret};

/// The threads of DuckDB if the URL does not say their number: batches are small, and each thread takes memory.
const THREADS: &str = "1";
/// The names of the environment variables with the token of MotherDuck.
const TOKENS: [&str; 2] = ["motherduck_token", "MOTHERDUCK_TOKEN"];

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
}

impl Address {
    /// Parses the URL after `duckdb:`.
    pub fn parse(rest: &str) -> Result<Self> {
        let (name, query) = rest.split_once('?').unwrap_or((rest, ""));
        let is_motherduck = name.starts_with("md:");
        let refuse = |what: String| {
            Error::new(ErrorKind::Usage, what).hint(
                "write `duckdb:FILE` or `duckdb:md:NAME`; the options are `driver`, `memory_limit` and `threads`, as in `?threads=4`",
            )
        };
        let (mut driver, mut memory) = (None, None);
        let mut threads = THREADS.to_owned();
        let mut passed = Vec::new();
        for option in query.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let value = unescaped(value);
            if value.is_empty() || value.contains('\0') {
                return Err(refuse(format!("the option `{name}` has no value")));
            }
            match name {
                "driver" => driver = Some(PathBuf::from(value)),
                "memory_limit" => memory = Some(value),
                "threads" => threads = value,
                // MotherDuck has options of its own, as `motherduck_token`.
                _ if is_motherduck => passed.push(option),
                _ => {
                    let what = format!("the destination `duckdb` has no option `{name}`");
                    return Err(refuse(what));
                }
            }
        }
        if name.is_empty() || name.contains('\0') || name == ":memory:" {
            return Err(refuse(format!("`{name}` is not the name of a file")));
        }
        let database = match (is_motherduck, passed.is_empty()) {
            (false, _) => Database::File(name.into()),
            (true, true) => Database::MotherDuck(name.to_owned()),
            (true, false) => Database::MotherDuck(format!("{name}?{}", passed.join("&"))),
        };
        Ok(Address {
            database,
            driver,
            memory,
            threads,
        })
    }
}

/// Returns the text with `***` in place of the token of MotherDuck in the environment.
pub fn redact_token(text: &str) -> String {
    let tokens = TOKENS.iter().filter_map(|name| std::env::var(name).ok());
    let tokens = tokens.filter(|token| !token.is_empty()).map(Secret::new);
    Redactor::new(tokens.collect()).redact(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_database_and_options() {
        let plain = Address::parse("a b.db").unwrap();
        assert_eq!(plain.database, Database::File("a b.db".into()));
        assert_eq!((plain.driver, plain.memory), (None, None));
        assert_eq!(plain.threads, "1");
        let full =
            Address::parse("a.db?driver=/x%20y/libduckdb.so&threads=4&memory_limit=1GB").unwrap();
        assert_eq!(full.driver, Some("/x y/libduckdb.so".into()));
        assert_eq!((&*full.threads, full.memory.as_deref()), ("4", Some("1GB")));
        let cloud = Address::parse("md:shop?threads=3&motherduck_token=s3cret&attach_mode=single");
        let cloud = cloud.unwrap();
        let path = "md:shop?motherduck_token=s3cret&attach_mode=single";
        assert_eq!(cloud.database, Database::MotherDuck(path.to_owned()));
        assert_eq!(cloud.threads, "3");
        let short = Address::parse("md:").unwrap();
        assert_eq!(short.database, Database::MotherDuck("md:".to_owned()));
    }

    #[test]
    fn what_a_url_cannot_say_is_refused() {
        for (rest, wanted) in [
            ("?threads=1", "not the name of a file"),
            (":memory:", "not the name of a file"),
            ("a.db?speed=9", "no option `speed`"),
            ("a.db?motherduck_token=s", "no option `motherduck_token`"),
            ("a.db?driver=", "`driver` has no value"),
        ] {
            let error = Address::parse(rest).unwrap_err();
            assert!(error.message().contains(wanted), "{error}");
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
    }
}
