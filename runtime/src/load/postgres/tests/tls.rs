//! TLS to a server with a certificate of its own: a proxy adds it to the tests' server.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// Starts a proxy for `localhost`, and writes its certificate; returns its port.
fn start(certificate: &Path) -> u16 {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(certificate, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (config, server) = (Arc::new(config), super::port());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let config = config.clone();
            thread::spawn(move || serve(client, config, server));
        }
    });
    port
}

/// Passes what a client and the server say; the end of either ends both.
fn serve(mut client: TcpStream, config: Arc<ServerConfig>, server: u16) {
    let mut request = [0; 8];
    if client.read_exact(&mut request).is_err() || client.write_all(b"S").is_err() {
        return;
    }
    let mut server = TcpStream::connect(("127.0.0.1", server)).unwrap();
    for stream in [&client, &server] {
        stream
            .set_read_timeout(Some(Duration::from_millis(2)))
            .unwrap();
    }
    let mut client = StreamOwned::new(ServerConnection::new(config).unwrap(), client);
    while pass(&mut client, &mut server) && pass(&mut server, &mut client) {}
}

/// Passes what is there; returns whether more may come.
fn pass(from: &mut impl Read, to: &mut impl Write) -> bool {
    let mut bytes = [0; 65_536];
    match from.read(&mut bytes) {
        Ok(0) => false,
        Ok(count) => to
            .write_all(&bytes[..count])
            .and_then(|()| to.flush())
            .is_ok(),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
    }
}

#[test]
fn the_certificate_is_checked_if_the_url_asks_for_it() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let [own, other] = ["own.pem", "other.pem"].map(|name| dir.path().join(name));
    let (port, _) = (start(&own), start(&other));
    let open = |host: &str, options: String| {
        let url = url(dir.path(), port).replace("127.0.0.1", host);
        let url = url.replace("sslmode=disable", &options);
        Postgres::new(url).open(&load("1"))
    };
    let full = |roots: &Path| format!("sslmode=verify-full&sslrootcert={}", roots.display());
    open("127.0.0.1", "sslmode=require".to_owned()).unwrap();
    open("127.0.0.1", "sslmode=prefer".to_owned()).unwrap();
    open("localhost", full(&own)).unwrap();
    for (host, options) in [
        ("localhost", full(&other)),
        ("127.0.0.1", full(&own)),
        ("localhost", "sslmode=verify-full".to_owned()),
    ] {
        let error = open(host, options).unwrap_err().report();
        assert!(error.contains("certificate"), "{error}");
    }
    let missing = dir.path().join("none.pem");
    let error = open("localhost", full(&missing)).unwrap_err().report();
    assert!(error.contains("cannot read the certificates"), "{error}");
}
