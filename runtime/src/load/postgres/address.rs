//! The URL of a database: the server, the schema, and how far TLS is checked.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::passwords;
use crate::error::{Error, ErrorKind, Result};
use crate::load::url::unescaped;

/// The schema of the tables if the URL names none.
const SCHEMA: &str = "public";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Where the tables are, and how to connect.
#[derive(Clone)]
pub struct Address {
    pub config: Config,
    pub schema: String,
    pub tls: Tls,
    /// Why a file of passwords was ignored.
    pub ignored: Option<String>,
}

/// How far TLS is checked.
#[derive(Clone, Debug, PartialEq)]
pub enum Tls {
    /// The connection is encrypted if the server can, whoever it is; or not at all.
    Unchecked,
    /// The certificate is checked against these roots, or those of the system, and against the name of the host.
    Checked(Option<PathBuf>),
}

impl Address {
    /// Parses the URL after `postgres:`, and looks for a password where it has none.
    pub fn parse(rest: &str) -> Result<Self> {
        let refuse = |what: String| {
            Error::new(ErrorKind::Usage, what)
                .hint("write `postgres://USER@HOST:PORT/DATABASE?schema=NAME`, with special characters as `%2F`")
        };
        let (server, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !server.starts_with("//") {
            return Err(refuse("the URL of the database has no `//`".to_owned()));
        }
        let mut options = Options::default();
        let passed = query.split('&').filter(|pair| !options.take(pair));
        let passed = passed.collect::<Vec<_>>().join("&");
        let config = Config::from_str(&format!("postgres:{server}?{passed}"));
        let mut config = config.map_err(|error| {
            refuse("the URL of the database cannot be read".to_owned()).caused_by(error)
        })?;
        let schema = options.schema.unwrap_or_else(|| SCHEMA.to_owned());
        if schema.is_empty() || schema.len() > 63 || schema.contains('\0') {
            return Err(refuse(format!("`{schema}` cannot be the name of a schema")));
        }
        let (mode, tls) = match options.sslmode.as_deref() {
            Some("disable") => (SslMode::Disable, Tls::Unchecked),
            None | Some("prefer") => (SslMode::Prefer, Tls::Unchecked),
            Some("require") => (SslMode::Require, Tls::Unchecked),
            Some("verify-full") => (
                SslMode::Require,
                Tls::Checked(options.roots.map(PathBuf::from)),
            ),
            Some(other) => {
                let what = format!("`{other}` is not a value of `sslmode`");
                return Err(
                    refuse(what).hint("use `disable`, `prefer`, `require` or `verify-full`")
                );
            }
        };
        config.ssl_mode(mode);
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            config.host("localhost");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("etlgen");
        }
        if !query.contains("keepalives") {
            // A server that is gone is noticed within two minutes.
            config.keepalives_idle(Duration::from_secs(60));
            config.keepalives_interval(Duration::from_secs(15));
            config.keepalives_retries(4);
        }
        let ignored = passwords::complete(&mut config, &|name| std::env::var_os(name));
        Ok(Address {
            config,
            schema,
            tls,
            ignored,
        })
    }
}

/// The options of a URL that are not passed on.
#[derive(Default)]
struct Options {
    schema: Option<String>,
    sslmode: Option<String>,
    roots: Option<String>,
}

impl Options {
    /// Takes an option; returns whether it is one of these.
    fn take(&mut self, pair: &str) -> bool {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let slot = match name {
            "schema" => &mut self.schema,
            "sslmode" => &mut self.sslmode,
            "sslrootcert" => &mut self.roots,
            _ => return false,
        };
        *slot = Some(unescaped(value));
        true
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::Host;

    use super::*;

    #[test]
    fn a_url_has_a_server_a_schema_and_a_mode_of_tls() {
        let address = Address::parse("//u:p%40@h:7/db?schema=My%20shop&sslmode=verify-full&sslrootcert=/ca.pem&options=-c%20geqo%3Doff").unwrap();
        assert_eq!(address.schema, "My shop");
        assert_eq!(address.tls, Tls::Checked(Some("/ca.pem".into())));
        let config = &address.config;
        assert_eq!(config.get_hosts(), [Host::Tcp("h".to_owned())]);
        assert_eq!(config.get_ports(), [7]);
        assert_eq!(config.get_dbname(), Some("db"));
        assert_eq!(config.get_password(), Some(&b"p@"[..]));
        assert_eq!(config.get_options(), Some("-c geqo=off"));
        assert_eq!(config.get_ssl_mode(), SslMode::Require);
        let short = Address::parse("///db").unwrap();
        assert_eq!(short.schema, "public");
        assert_eq!(
            short.config.get_hosts(),
            [Host::Tcp("localhost".to_owned())]
        );
        assert_eq!(short.config.get_ssl_mode(), SslMode::Prefer);
    }

    #[test]
    fn what_a_url_cannot_say_is_refused() {
        for (rest, wanted) in [
            ("db", "no `//`"),
            ("//h/db?schema=", "the name of a schema"),
            (
                "//h/db?sslmode=allow",
                "`allow` is not a value of `sslmode`",
            ),
            ("//h/db?speed=9", "unknown option `speed`"),
            ("//h:port/db", "cannot be read"),
        ] {
            let Err(error) = Address::parse(rest) else {
                panic!("{rest} was taken");
            };
            assert!(error.report().contains(wanted), "{}", error.report());
            assert_eq!(error.kind(), ErrorKind::Usage);
        }
    }
}
