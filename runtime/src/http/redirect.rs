//! Redirects, which are followed within the API's own origin.

use reqwest::Url;
use reqwest::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, LOCATION, TRANSFER_ENCODING,
};

use crate::world::WireRequest;

/// The maximum number of redirects that one request follows.
pub(super) const MOST: usize = 10;

/// Returns the redirected request, if its target has the origin of `home`.
pub(super) fn target(
    request: &WireRequest,
    status: u16,
    headers: &HeaderMap,
    home: &Url,
) -> Option<WireRequest> {
    let keeps_method = match status {
        307 | 308 => true,
        301 | 302 => request.method == "GET",
        303 => false,
        _ => return None,
    };
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let url = request.url.join(location).ok()?;
    if url.origin() != home.origin() {
        return None;
    }
    let mut next = WireRequest {
        url,
        ..request.clone()
    };
    if !keeps_method {
        next.method = "GET";
        next.body.clear();
        for header in [
            CONTENT_ENCODING,
            CONTENT_LENGTH,
            CONTENT_TYPE,
            TRANSFER_ENCODING,
        ] {
            next.headers.remove(header);
        }
    }
    // Credentials for another host are not sent to this one.
    if request.url.origin() != next.url.origin() {
        for header in ["authorization", "cookie", "proxy-authorization"] {
            next.headers.remove(header);
        }
    }
    Some(next)
}

/// Returns the path to which redirects have led, if it is that of another resource: its last part is
/// another one.
///
/// ```text
/// /v1/orders -> /login        /login
/// /v1/orders -> /v2/orders/   none
/// ```
pub(super) fn elsewhere(asked: &Url, landed: &Url) -> Option<String> {
    fn last(url: &Url) -> Option<&str> {
        url.path().rsplit('/').find(|part| !part.is_empty())
    }
    (last(asked) != last(landed)).then(|| landed.path().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(
        method: &'static str,
        status: u16,
        location: &str,
    ) -> Option<(&'static str, String, usize)> {
        let home = Url::parse("https://api.example/v1").unwrap();
        let request = WireRequest {
            method,
            url: Url::parse("https://api.example/v1/x?page=2").unwrap(),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, "application/json".parse().unwrap())]),
            body: b"{}".to_vec(),
        };
        let headers = HeaderMap::from_iter([(LOCATION, location.parse().unwrap())]);
        let next = target(&request, status, &headers, &home)?;
        assert_eq!(next.body.is_empty(), next.headers.is_empty());
        Some((next.method, next.url.into(), next.body.len()))
    }

    #[test]
    fn only_the_apis_own_origin_is_followed() {
        let there = "https://api.example/v2";
        assert_eq!(follow("GET", 302, "/v2"), Some(("GET", there.into(), 2)));
        assert_eq!(follow("GET", 308, there), Some(("GET", there.into(), 2)));
        for elsewhere in [
            "https://evil.example/v2",
            "http://api.example/v2",
            "https://api.example:8443/v2",
            "//evil.example/v2",
            "http://[",
        ] {
            assert_eq!(follow("GET", 302, elsewhere), None, "{elsewhere}");
        }
        assert_eq!(follow("GET", 200, there), None);
        assert_eq!(follow("GET", 304, there), None);
    }

    #[test]
    fn a_redirect_to_another_resource_is_told_from_one_to_another_place_of_it() {
        let url = |path: &str| Url::parse(&format!("https://api.example{path}")).unwrap();
        let landed = |path: &str| elsewhere(&url("/v1/orders?page=2"), &url(path));
        for same in ["/v1/orders/?page=2", "/v2/orders", "/v1/orders"] {
            assert_eq!(landed(same), None, "{same}");
        }
        assert_eq!(landed("/login?to=orders").as_deref(), Some("/login"));
        assert_eq!(landed("/").as_deref(), Some("/"));
    }

    #[test]
    fn the_method_stays_where_http_says_so() {
        for (status, method, body) in [
            (301, "GET", 0),
            (303, "GET", 0),
            (307, "POST", 2),
            (308, "POST", 2),
        ] {
            let there = "https://api.example/v2".to_owned();
            assert_eq!(follow("POST", status, "/v2"), Some((method, there, body)));
        }
    }
}
