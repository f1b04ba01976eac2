//! The network between a connector and its API: proxies, and certificates of a private authority.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use etlgen_tests::connector::Connector;
use etlgen_tests::tree::Tree;
use etlgen_tests::workspace::{stderr, stdout};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

static TREE: LazyLock<Connector> = LazyLock::new(Connector::tree);

/// Starts a server on loopback; returns its port.
fn serve(answer: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(stream), answer) = (stream, answer.clone()) else {
                continue;
            };
            // A client that disconnects is not an error of the server.
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

/// Reads the head of a request without a body.
fn head(reader: &mut impl BufRead) -> std::io::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        lines.push(line.trim_end().to_owned());
        line.clear();
    }
    Ok(lines)
}

/// Forwards a request to the server behind; returns its response, and closes the connection.
fn ask(behind: &str, target: &str, rest: &[String]) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(behind)?;
    let kept = rest
        .iter()
        .filter(|line| !line.to_lowercase().starts_with("connection:"));
    let kept: Vec<&str> = kept.map(String::as_str).collect();
    write!(
        server,
        "GET {target} HTTP/1.1\r\n{}\r\nconnection: close\r\n\r\n",
        kept.join("\r\n")
    )?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer).replacen("\r\n", "\r\nconnection: close\r\n", 1);
    Ok(text.into_bytes())
}

/// Starts a proxy that forwards every name to the server behind it; returns its port and the
/// requested targets.
fn proxy(behind: String) -> (u16, Arc<Mutex<Vec<String>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let kept = log.clone();
    let port = serve(move |mut stream| {
        let mut reader = BufReader::new(stream.try_clone()?);
        let lines = head(&mut reader)?;
        let Some((first, rest)) = lines.split_first() else {
            return Ok(());
        };
        kept.lock().unwrap().push(first.clone());
        let target = first.split(' ').nth(1).unwrap_or_default();
        if first.starts_with("CONNECT ") {
            let mut server = TcpStream::connect(target)?;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            let (mut up, mut down) = (server.try_clone()?, stream.try_clone()?);
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut reader, &mut up);
                let _ = up.shutdown(Shutdown::Write);
            });
            std::io::copy(&mut server, &mut down)?;
            return down.shutdown(Shutdown::Write);
        }
        let path = target.splitn(4, '/').nth(3).unwrap_or_default();
        stream.write_all(&ask(&behind, &format!("/{path}"), rest)?)
    });
    (port, log)
}

/// Starts a server that adds TLS with a private certificate to the server behind it; returns its
/// port.
fn tls(behind: String, folder: &Path) -> u16 {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    serve(move |stream| {
        let connection = ServerConnection::new(config.clone()).map_err(std::io::Error::other)?;
        let mut reader = BufReader::new(StreamOwned::new(connection, stream));
        let lines = head(&mut reader)?;
        let Some((first, rest)) = lines.split_first() else {
            return Ok(());
        };
        let target = first.split(' ').nth(1).unwrap_or_default();
        let answer = ask(&behind, target, rest)?;
        let mut stream = reader.into_inner();
        stream.write_all(&answer)?;
        stream.conn.send_close_notify();
        stream.flush()
    })
}

fn sync(folder: &Path, base: &str, environment: &[(&str, &str)]) -> Output {
    let mut command = TREE.command(
        folder,
        &[
            "sync",
            "--base-url",
            base,
            "--destination",
            "sqlite:t.db",
            "--full-refresh",
        ],
    );
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    command.envs(environment.iter().copied()).output().unwrap()
}

fn behind(tree: &Tree) -> String {
    tree.url().trim_start_matches("http://").to_owned()
}

#[test]
fn a_proxy_of_the_environment_is_asked_unless_the_host_is_excepted() {
    let tree = Tree::start(1, Duration::ZERO).unwrap();
    let (port, log) = proxy(behind(&tree));
    let folder = tempfile::tempdir().unwrap();
    let proxy = format!("http://127.0.0.1:{port}");
    // Only the proxy knows the name.
    let output = sync(
        folder.path(),
        "http://api.tree.invalid",
        &[("HTTP_PROXY", &proxy)],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let asked = std::mem::take(&mut *log.lock().unwrap());
    assert_eq!(asked.len(), tree.take_requests().len());
    assert!(
        asked
            .iter()
            .all(|line| line.starts_with("GET http://api.tree.invalid/")),
        "{asked:?}"
    );
    let excepted = [("HTTP_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1")];
    let output = sync(folder.path(), &tree.url(), &excepted);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(*log.lock().unwrap(), [""; 0]);
}

#[test]
fn a_certificate_of_ones_own_is_trusted_when_the_environment_names_it_also_through_a_proxy() {
    let tree = Tree::start(1, Duration::ZERO).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let base = format!("https://localhost:{}", tls(behind(&tree), folder.path()));
    let ca = folder.path().join("ca.pem").display().to_string();
    let output = sync(folder.path(), &base, &[("SSL_CERT_FILE", &ca)]);
    assert!(
        output.status.success(),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    assert!(!tree.take_requests().is_empty());

    let (port, log) = proxy(String::new());
    let proxy = format!("http://127.0.0.1:{port}");
    let output = sync(
        folder.path(),
        &base,
        &[("SSL_CERT_FILE", &ca), ("HTTPS_PROXY", &proxy)],
    );
    assert!(
        output.status.success(),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );
    let asked = log.lock().unwrap();
    assert!(!asked.is_empty());
    assert!(
        asked
            .iter()
            .all(|line| line.starts_with("CONNECT localhost:")),
        "{asked:?}"
    );
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_named_as_the_trouble() {
    let tree = Tree::start(1, Duration::ZERO).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let base = format!("https://localhost:{}", tls(behind(&tree), folder.path()));
    let output = sync(folder.path(), &base, &[]);
    assert!(!output.status.success());
    let said = stdout(&output) + &stderr(&output);
    assert!(said.contains("certificate"), "{said}");
    assert_eq!(tree.take_requests(), [""; 0]);
}
