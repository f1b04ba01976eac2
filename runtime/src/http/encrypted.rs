//! Decides where a secret may be sent without encryption: within this machine and within private
//! networks.

use etlgen_model::is_private_host;
use reqwest::Url;

use crate::error::{Error, ErrorKind};

/// Returns whether a request to that URL crosses no public network unencrypted.
pub(crate) fn is_safe(url: &Url) -> bool {
    url.scheme() != "http" || url.host_str().is_some_and(is_private_host)
}

/// Returns the error of a request that would expose a secret on the network.
pub(super) fn refusal(url: &Url) -> Error {
    let host = url.host_str().unwrap_or("nowhere");
    let message =
        format!("the connection to http://{host} is not encrypted: it would show the credentials");
    Error::new(ErrorKind::Usage, message).hint(
        "use a base URL with https://; if the network is trusted, use `--allow-http` (in code `.allow_http()`)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_private_networks_may_see_a_secret() {
        for (url, safe) in [
            ("https://api.example", true),
            ("http://api.example", false),
            ("http://localhost:8080", true),
            ("http://LOCALHOST./", true),
            ("http://api.localhost", true),
            ("http://localhost.example", false),
            ("http://airflow:8080", true),
            ("http://airflow.corp.internal", true),
            ("http://127.0.0.1", true),
            ("http://127.8.8.8", true),
            ("http://0x7f.1", true),
            ("http://10.1.2.3", true),
            ("http://172.16.0.1", true),
            ("http://172.32.0.1", false),
            ("http://192.168.1.1", true),
            ("http://169.254.1.1", true),
            ("http://8.8.8.8", false),
            ("http://[::1]:80", true),
            ("http://[fd00::1]", true),
            ("http://[fe80::1]", true),
            ("http://[::ffff:10.0.0.1]", true),
            ("http://[::ffff:8.8.8.8]", false),
            ("http://[2001:db8::1]", false),
        ] {
            assert_eq!(is_safe(&Url::parse(url).unwrap()), safe, "{url}");
        }
    }
}
