//! Chooses the server whose URL is the base of all requests.

use crate::spec::api::Api;

/// Returns the first server for production use.
pub(super) fn base_url(api: &Api) -> String {
    let resolved = api.servers.iter().map(|server| {
        let mut url = server.url.clone();
        for (name, (default, _)) in &server.variables {
            if !default.is_empty() {
                url = url.replace(&format!("{{{name}}}"), default);
            }
        }
        let url = url.trim().trim_end_matches('/');
        // Without a scheme a URL has that of the document, which a vendor serves encrypted.
        match url.strip_prefix("//") {
            Some(host) => format!("https://{host}"),
            None => url.to_owned(),
        }
    });
    let absolute: Vec<String> = resolved
        .filter(|url| url.starts_with("http://") || url.starts_with("https://"))
        .collect();
    let trial = |url: &String| {
        [
            "sandbox",
            "staging",
            "localhost",
            "127.0.0.1",
            "mock",
            "//test",
            "//dev",
        ]
        .iter()
        .any(|sign| url.contains(sign))
    };
    let chosen = absolute
        .iter()
        .find(|url| !trial(url))
        .or(absolute.first())
        .cloned()
        .unwrap_or_default();
    // Of two equal servers, the encrypted one gets the credentials.
    let secure = chosen.replacen("http://", "https://", 1);
    if absolute.contains(&secure) {
        secure
    } else {
        chosen
    }
}
