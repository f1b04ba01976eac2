//! The kinds of destination that a connector knows.

use std::sync::Arc;

use super::append_only::AppendOnly;
use super::emit::Emitter;
#[cfg(feature = "emit")]
use super::emit::Stdout;
use super::redacted::Redacted;
use super::{Destination, DestinationUrl};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::TableBatch;

/// The schemes of the destinations of this crate, and the feature that each needs.
const FEATURES: [(&str, &str); 9] = [
    ("sqlite", "sqlite"),
    ("parquet", "parquet"),
    ("postgres", "postgres"),
    ("duckdb", "duckdb"),
    ("ducklake", "duckdb"),
    ("s3", "buckets"),
    ("gs", "buckets"),
    ("az", "buckets"),
    ("emit", "emit"),
];

type Make = Arc<dyn Fn(&str) -> Box<dyn Destination> + Send + Sync>;

#[derive(Clone)]
struct Kind {
    scheme: String,
    rest: String,
    make: Make,
}

/// The kinds of destination that a connector knows; a URL names its kind before the colon: `sqlite:data.db`.
///
/// [`Destinations::default`] has those of this crate; [`crate::cli::main_with`] takes others.
#[derive(Clone)]
pub struct Destinations(Vec<Kind>);

impl Default for Destinations {
    fn default() -> Self {
        let known = Destinations(Vec::new());
        #[cfg(feature = "sqlite")]
        let known = known.with("sqlite", "FILE", |file| super::sqlite::Sqlite::new(file));
        #[cfg(feature = "parquet")]
        let known = known.with("parquet", "FOLDER", |folder| {
            super::parquet::Parquet::new(folder)
        });
        #[cfg(feature = "postgres")]
        let known = known.with("postgres", "//USER@HOST/DATABASE", |rest| {
            super::postgres::Postgres::new(rest)
        });
        #[cfg(feature = "duckdb")]
        let known = known
            .with("duckdb", "FILE", |rest| super::duckdb::DuckDb::new(rest))
            .with("ducklake", "FILE", |rest| super::duckdb::DuckDb::lake(rest));
        #[cfg(feature = "buckets")]
        let known = ["s3", "gs", "az"].into_iter().fold(known, |known, scheme| {
            known.with(scheme, "//BUCKET/PREFIX", move |rest| {
                super::buckets::Bucket::new(format!("{scheme}:{rest}"))
            })
        });
        #[cfg(feature = "emit")]
        let known = known.with("emit", "jsonl", |rest| Emitter::new(Stdout::new(rest)));
        known
    }
}

impl Destinations {
    /// Adds a kind; it replaces one with the same `scheme`. `make` gets the text after the colon, which is never empty;
    /// help and errors call it `rest` (`FOLDER`). It opens nothing yet.
    pub fn with<D: Destination + 'static>(
        mut self,
        scheme: &str,
        rest: &str,
        make: impl Fn(&str) -> D + Send + Sync + 'static,
    ) -> Self {
        self.0.retain(|kind| kind.scheme != scheme);
        self.0.push(Kind {
            scheme: scheme.to_owned(),
            rest: rest.to_owned(),
            make: Arc::new(move |rest| Box::new(make(rest))),
        });
        self
    }

    /// Adds a kind that hands its rows to `take`, one table at a time, and keeps none: a queue, a webhook, a print. The
    /// text after the colon names the file with the state of its sources: `print:shop.json`.
    ///
    /// The records of each run are handed over, with their ids in the column `_etl_id`: of a resource with a cursor those
    /// that are new or have changed, of others all. After a run that was killed, the rows since its last commit are handed
    /// over again. An error of `take` ends the run. Resources
    /// that replace all their rows or delete some are refused.
    ///
    /// ```
    /// use etlgen_runtime::load::Destinations;
    ///
    /// let known = Destinations::default().append_only("print", |table| {
    ///     for line in table.json_lines() {
    ///         println!("{} {line}", table.schema.name);
    ///     }
    ///     Ok(())
    /// });
    /// assert_eq!(known.open("print:shop.json")?.describe(), "print:shop.json");
    /// # Ok::<(), etlgen_runtime::Error>(())
    /// ```
    pub fn append_only(
        self,
        scheme: &str,
        take: impl Fn(&TableBatch) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        let (name, take) = (scheme.to_owned(), Arc::new(take));
        self.with(scheme, "FILE", move |file| {
            Emitter::new(AppendOnly::new(&name, file, take.clone()))
        })
    }

    /// Returns the destination that `url` names. If the URL holds a secret, neither the
    /// destination's name nor its errors show it.
    pub fn open(&self, url: &str) -> Result<Box<dyn Destination>> {
        let url = DestinationUrl::parse(url);
        let scheme = match url.scheme() {
            "postgresql" => "postgres",
            scheme => scheme,
        };
        let kind = self.0.iter().find(|kind| kind.scheme == scheme);
        let feature = FEATURES.iter().find(|(known, _)| *known == scheme);
        match (kind.filter(|_| !url.rest().is_empty()), feature) {
            (Some(kind), _) => {
                let made = (kind.make)(url.rest());
                Ok(match url.has_secret() {
                    true => Box::new(Redacted::new(url, made)),
                    false => made,
                })
            }
            (None, Some((_, feature))) if kind.is_none() => {
                let message = format!("this connector is built without the destination `{scheme}`");
                Err(Error::new(ErrorKind::Usage, message).hint(format!(
                    "add \"{scheme}\" to `destinations` in etlgen.toml and run `etlgen update`, or the feature `{feature}` to etlgen-runtime in Cargo.toml"
                )))
            }
            (None, _) => Err(Error::new(
                ErrorKind::Usage,
                format!("`{url}` is not a destination that this connector knows"),
            )
            .hint(format!("it loads into {}", self.forms().join(" and ")))),
        }
    }

    /// Returns the URL of the default destination of a source, if there is one.
    #[cfg(any(feature = "cli", test))]
    pub(crate) fn default_url(&self, source: &str) -> Option<String> {
        let known = |scheme: &str| self.0.iter().any(|kind| kind.scheme == scheme);
        match source {
            _ if known("sqlite") => Some(format!("sqlite:{source}.db")),
            _ if known("parquet") => Some(format!("parquet:{source}")),
            _ if known("duckdb") => Some(format!("duckdb:{source}.duckdb")),
            _ => None,
        }
    }

    /// Returns the forms of their URLs: `sqlite:FILE`.
    pub(crate) fn forms(&self) -> Vec<String> {
        let form = |kind: &Kind| format!("{}:{}", kind.scheme, kind.rest);
        self.0.iter().map(form).collect()
    }
}

/// Opens the destination that `url` names: `sqlite:FILE`, `parquet:FOLDER`.
pub fn destination(url: &str) -> Result<Box<dyn Destination>> {
    Destinations::default().open(url)
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::load::LoadInfo;
    use crate::load::sqlite::Sqlite;

    #[test]
    fn a_secret_of_the_url_is_not_shown() {
        let known = Destinations::default().with("lake", "BUCKET", |rest| Sqlite::new(rest));
        let into = |url: &str| known.open(url);
        let Err(error) = into("mysql://u:s3cret@h/db") else {
            panic!("no such kind");
        };
        assert!(error.message().contains("`mysql://u:***@h/db`"), "{error}");
        let mut lake = into("lake://u:s3cret@/no/such/folder").unwrap();
        let error = lake.open(&LoadInfo::new("1", "shop", None)).unwrap_err();
        for text in [lake.describe(), error.report(), lake.cannot("fly").report()] {
            assert!(
                text.contains("u:***@") && !text.contains("s3cret"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_destination_whose_feature_is_off_names_it() {
        let none = Destinations(Vec::new());
        for (url, scheme, feature) in [
            ("postgres://u:s3cret@h/db", "postgres", "postgres"),
            ("postgresql://u:s3cret@h/db", "postgres", "postgres"),
            ("s3://bucket/prefix?secret_key=s3cret", "s3", "buckets"),
            ("duckdb:md:shop?motherduck_token=s3cret", "duckdb", "duckdb"),
            ("gs://bucket", "gs", "buckets"),
            ("az://container", "az", "buckets"),
        ] {
            let Err(error) = none.open(url) else {
                panic!("{url} was opened");
            };
            let error = error.report();
            for wanted in [
                format!("without the destination `{scheme}`"),
                format!("add \"{scheme}\" to `destinations`"),
                format!("the feature `{feature}` to etlgen-runtime"),
            ] {
                assert!(error.contains(&wanted), "{error}");
            }
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn both_spellings_of_postgres_are_one() {
        for url in ["postgres://u:s3cret@h/db", "postgresql://u:s3cret@h/db"] {
            let opened = destination(url).unwrap();
            assert_eq!(opened.describe(), "postgres://u:***@h/db");
        }
    }

    #[test]
    fn the_default_is_a_kind_that_is_known() {
        let known = Destinations::default();
        assert_eq!(known.default_url("shop").as_deref(), Some("sqlite:shop.db"));
        let none = Destinations(Vec::new());
        assert_eq!(none.default_url("shop"), None);
        let own = none.with("lake", "BUCKET", |rest| Sqlite::new(rest));
        assert_eq!(own.default_url("shop"), None);
        let files = own.with("parquet", "FOLDER", |rest| Sqlite::new(rest));
        assert_eq!(files.default_url("shop").as_deref(), Some("parquet:shop"));
        let none = Destinations(Vec::new());
        let file = none.with("duckdb", "FILE", |rest| Sqlite::new(rest));
        let url = file.default_url("shop");
        assert_eq!(url.as_deref(), Some("duckdb:shop.duckdb"));
    }

    #[test]
    fn a_kind_of_ones_own_stands_beside_ours() {
        let known = Destinations::default().with("lake", "BUCKET", |rest| Sqlite::new(rest));
        assert!(known.open("lake:x").unwrap().describe().ends_with("x"));
        assert!(known.open("sqlite:y.db").is_ok());
        for bad in ["lake", "lake:", "lakes:x", ""] {
            let Err(error) = known.open(bad) else {
                panic!("{bad:?} was opened");
            };
            let error = error.report();
            assert!(error.contains("lake:BUCKET"), "{error}");
            assert!(error.contains("sqlite:FILE"), "{error}");
        }
    }
}
