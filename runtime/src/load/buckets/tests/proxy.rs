//! A network that fails at chosen moments: a proxy between the destination and the server.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

use etlgen_testkit::moto;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fate {
    /// It passes.
    Passes,
    /// It reaches the server, and its answer is lost.
    LosesAnswer,
    /// It is refused, and does not reach the server.
    IsRefused,
    /// The server asks for patience.
    SlowDown,
    /// The connection breaks in the middle of it.
    IsCut,
    /// The server does not look at its condition.
    LosesCondition,
}

/// Requests, by a part of `METHOD /path`, and their fate; the first that fits is used up.
type Plan = Arc<Mutex<Vec<(String, Fate)>>>;

static PROXIES: LazyLock<Mutex<HashMap<PathBuf, (u16, Plan)>>> = LazyLock::new(Mutex::default);

/// Returns the proxy of a test, by its folder.
fn proxy(dir: &Path) -> (u16, Plan) {
    let mut proxies = PROXIES.lock().unwrap();
    let proxy = proxies.entry(dir.to_owned()).or_insert_with(start);
    proxy.clone()
}

pub fn port(dir: &Path) -> u16 {
    proxy(dir).0
}

/// Decides about the next request whose `METHOD /path?query` has these parts.
pub fn next(dir: &Path, parts: &str, fate: Fate) {
    proxy(dir).1.lock().unwrap().push((parts.to_owned(), fate));
}

/// Decides about the next put of the manifest.
pub fn next_commit(dir: &Path, fate: Fate) {
    next(dir, "PUT manifest.json", fate);
}

/// Returns the number of decisions that have not been used.
pub fn left(dir: &Path) -> usize {
    proxy(dir).1.lock().unwrap().len()
}

fn start() -> (u16, Plan) {
    let server = moto::server().unwrap().port;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let plan = Plan::default();
    let known = plan.clone();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let plan = known.clone();
            thread::spawn(move || serve(client, server, &plan));
        }
    });
    (port, plan)
}

/// Passes the first request of a connection, and its answer, which ends the connection.
fn serve(mut client: TcpStream, server: u16, plan: &Plan) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(("content-length", value)) = line.to_lowercase().split_once(": ") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push(line);
    }
    let target = head[0].clone();
    let mut plan = plan.lock().unwrap();
    let fits = |(parts, _): &(String, Fate)| parts.split(' ').all(|part| target.contains(part));
    let fate = plan.iter().position(fits).map(|at| plan.remove(at).1);
    drop(plan);
    if fate == Some(Fate::IsCut) {
        let mut half = vec![0; length / 2];
        reader.read_exact(&mut half).ok()?;
        return None;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let refused = match fate {
        Some(Fate::IsRefused) => Some(("403 Forbidden", "AccessDenied")),
        Some(Fate::SlowDown) => Some(("503 Slow Down", "SlowDown")),
        _ => None,
    };
    if let Some((status, code)) = refused {
        let body = format!("<Error><Code>{code}</Code></Error>");
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        return client.write_all(answer.as_bytes()).ok();
    }
    let mut upstream = TcpStream::connect(("127.0.0.1", server)).ok()?;
    let kept = |line: &&String| {
        let line = line.to_lowercase();
        let condition = line.starts_with("if-") && fate == Some(Fate::LosesCondition);
        !line.starts_with("connection:") && !condition
    };
    let head: String = head.iter().filter(kept).cloned().collect();
    upstream
        .write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())
        .ok()?;
    upstream.write_all(&body).ok()?;
    let mut answer = Vec::new();
    upstream.read_to_end(&mut answer).ok()?;
    if fate == Some(Fate::LosesAnswer) {
        return None;
    }
    client.write_all(&answer).ok()
}
