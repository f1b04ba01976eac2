//! Hosts that requests reach without crossing a public network.

use std::net::IpAddr;

/// Domains whose names are never public.
const PRIVATE_NAMES: [&str; 4] = [".localhost", ".local", ".internal", ".home.arpa"];

/// Returns whether a host of a URL is this machine, or within a private network: there a secret may
/// be sent without encryption.
///
/// ```
/// use etlgen_model::is_private_host;
///
/// assert!(is_private_host("localhost") && is_private_host("[fd00::1]"));
/// assert!(!is_private_host("api.example.com"));
/// ```
pub fn is_private_host(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    if let Ok(address) = address {
        return is_private(address);
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    // A name of one part resolves on the local network only.
    !name.contains('.') || PRIVATE_NAMES.iter().any(|end| name.ends_with(end))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_loopback() || address.is_private() || address.is_link_local()
        }
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(address) => is_private(address.into()),
            None => {
                address.is_loopback()
                    || address.is_unique_local()
                    || address.is_unicast_link_local()
            }
        },
    }
}
