//! The URL of a bucket: the service, the bucket, the prefix, and options.

use object_store::path::Path;
use reqwest::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::http::is_safe;

/// A service with buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    S3,
    Google,
    Azure,
}

/// Where the tables are.
#[derive(Clone, Debug)]
pub struct Address {
    pub service: Service,
    pub bucket: String,
    pub prefix: Path,
    pub region: Option<String>,
    pub endpoint: Option<String>,
    /// The storage account of Azure.
    pub account: Option<String>,
}

impl Address {
    /// Parses a URL.
    pub fn parse(url: &str) -> Result<Self> {
        let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
        let (service, form) = match scheme {
            "s3" => (Service::S3, "s3://BUCKET/PREFIX?region=REGION"),
            "gs" => (Service::Google, "gs://BUCKET/PREFIX"),
            "az" => (Service::Azure, "az://CONTAINER/PREFIX?account=ACCOUNT"),
            _ => {
                return Err(refuse(
                    "the scheme is not `s3`, `gs` or `az`",
                    "s3://BUCKET",
                ));
            }
        };
        let Some(place) = rest.strip_prefix("//") else {
            return Err(refuse("the URL of the bucket has no `//`", form));
        };
        let (place, query) = place.split_once('?').unwrap_or((place, ""));
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.contains('@') {
            let what = "the URL of a bucket takes no user and no password";
            return Err(refuse(what, form).hint(CREDENTIALS));
        }
        if bucket.is_empty() || bucket.contains([':', '#', '%']) {
            return Err(refuse("the URL names no bucket", form));
        }
        let prefix = Path::parse(prefix)
            .map_err(|error| refuse("the prefix cannot be used", form).caused_by(error))?;
        let mut address = Address {
            service,
            bucket: bucket.to_owned(),
            prefix,
            region: None,
            endpoint: None,
            account: None,
        };
        address.options(query, form)?;
        Ok(address)
    }

    fn options(&mut self, query: &str, form: &str) -> Result<()> {
        let url = Url::parse(&format!("http://x/?{query}"));
        let url =
            url.map_err(|error| refuse("the options cannot be read", form).caused_by(error))?;
        for (name, value) in url.query_pairs() {
            let option = match (&*name, self.service) {
                ("region", Service::S3) => &mut self.region,
                ("endpoint", _) => &mut self.endpoint,
                ("account", Service::Azure) => &mut self.account,
                _ => {
                    let what = format!("the URL of a bucket has no option `{name}`");
                    return Err(refuse(&what, form).hint(format!(
                        "write `{form}`, with `endpoint=URL` for a service of your own; {CREDENTIALS}"
                    )));
                }
            };
            *option = Some(value.into_owned());
        }
        self.endpoint
            .as_deref()
            .map_or(Ok(false), is_http)
            .map(drop)
    }
}

const CREDENTIALS: &str = "credentials come from the environment: docs/destinations.md";

fn refuse(what: &str, form: &str) -> Error {
    Error::new(ErrorKind::Usage, what).hint(format!("write `{form}`"))
}

/// Returns whether an endpoint is asked without encryption, which is refused outside of private networks.
pub fn is_http(endpoint: &str) -> Result<bool> {
    let bad = |why: &str| {
        let message = format!("the endpoint `{endpoint}` {why}");
        Error::new(ErrorKind::Usage, message)
    };
    let url = Url::parse(endpoint).map_err(|error| bad("is not a URL").caused_by(error))?;
    match url.scheme() {
        "https" => Ok(false),
        "http" if is_safe(&url) => Ok(true),
        "http" => Err(bad("would be sent data and signatures without encryption")
            .hint("use https; http is for this machine and private networks")),
        _ => Err(bad("is neither https nor http")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_bucket_and_options() {
        let address = Address::parse(
            "s3://my-bucket/a/b c/?region=eu-west-1&endpoint=http%3A%2F%2F127.0.0.1:9000",
        );
        let address = address.unwrap();
        assert_eq!(address.service, Service::S3);
        assert_eq!(
            (&*address.bucket, address.prefix.as_ref()),
            ("my-bucket", "a/b c")
        );
        assert_eq!(address.region.as_deref(), Some("eu-west-1"));
        assert_eq!(address.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        let address = Address::parse("az://box?account=me").unwrap();
        assert_eq!(
            (address.service, address.prefix.as_ref()),
            (Service::Azure, "")
        );
        assert_eq!(Address::parse("gs://b").unwrap().service, Service::Google);
    }

    #[test]
    fn mistakes_in_urls_are_explained() {
        for (url, wanted) in [
            ("s3:bucket", "has no `//`"),
            ("s3://", "names no bucket"),
            ("s3:///prefix", "names no bucket"),
            ("s3://u:pass@bucket", "takes no user"),
            ("s3://bucket/a//b", "the prefix cannot be used"),
            ("s3://bucket?zone=x", "no option `zone`"),
            ("gs://bucket?region=x", "no option `region`"),
            (
                "s3://bucket?endpoint=http://example.com",
                "without encryption",
            ),
            (
                "s3://bucket?endpoint=ftp://example.com",
                "neither https nor http",
            ),
            ("s3://bucket?endpoint=x", "is not a URL"),
        ] {
            let error = Address::parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.message().contains(wanted), "{url}: {error}");
        }
    }
}
