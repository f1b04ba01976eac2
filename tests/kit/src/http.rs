//! A small HTTP/1.1 server on loopback: one thread per connection, keep-alive, bodies with a length.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

/// A request of a client.
pub struct Request {
    pub method: String,
    /// Path and query, unchanged.
    pub target: String,
    /// The decoded path.
    pub path: String,
    /// The decoded parameters, in order.
    pub query: Vec<(String, String)>,
    /// The headers, with names in lower case.
    headers: Vec<(String, String)>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns a numeric parameter; `Err` with its name if it is not a number.
    pub fn number(&self, name: &str) -> Result<Option<i64>, String> {
        match self.param(name).map(str::parse) {
            None => Ok(None),
            Some(Ok(number)) => Ok(Some(number)),
            Some(Err(_)) => Err(format!("`{name}` must be an integer")),
        }
    }
}

/// A response to a client.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The connection breaks in the middle of the body.
    pub cut: bool,
}

impl Response {
    pub fn bytes(status: u16, body: Vec<u8>) -> Self {
        Response {
            status,
            headers: Vec::new(),
            body,
            cut: false,
        }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Response::bytes(status, body.to_string().into_bytes())
            .with("Content-Type", "application/json".to_owned())
    }

    pub fn with(mut self, name: impl Into<String>, value: String) -> Self {
        self.headers.push((name.into(), value));
        self
    }
}

type Handler = dyn Fn(&Request) -> Response + Send + Sync;

/// Limits the requests that a server answers before it stalls.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    /// The number of further requests that may pass; `None`: no limit.
    left: Option<usize>,
    waiting: usize,
}

impl Gate {
    /// Sets the number of further requests.
    fn set(&self, left: Option<usize>) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .left = left;
        self.changed.notify_all();
    }

    /// Waits until a request may pass.
    fn pass(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        self.changed.notify_all();
        while state.left == Some(0) {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting -= 1;
        state.left = state.left.map(|left| left - 1);
    }

    /// Waits until a request waits; returns false if none arrives in time.
    fn is_waited_at(&self, within: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |state: &mut GateState| state.waiting == 0 || state.left != Some(0);
        let waited = self
            .changed
            .wait_timeout_while(state, within, waits)
            .unwrap_or_else(PoisonError::into_inner);
        !waited.1.timed_out()
    }
}

/// A server that runs until it is dropped.
pub struct Server {
    address: SocketAddr,
    gate: Arc<Gate>,
    stop: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<Weak<TcpStream>>>>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a port; port 0 takes a free one.
    pub fn start(
        port: u16,
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> io::Result<Server> {
        let listener = TcpListener::bind(("127.0.0.1", port))?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let gate = Arc::new(Gate::default());
        let passed = gate.clone();
        let handler: Arc<Handler> = Arc::new(move |request: &Request| {
            passed.pass();
            handler(request)
        });
        let (stopped, open) = (stop.clone(), connections.clone());
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let stream = Arc::new(stream);
                let mut open = open.lock().unwrap();
                open.retain(|known: &Weak<TcpStream>| known.strong_count() > 0);
                open.push(Arc::downgrade(&stream));
                let handler = handler.clone();
                std::thread::spawn(move || {
                    // A client that disconnects is not an error of the server.
                    let _ = converse(&stream, &*handler);
                });
            }
        });
        Ok(Server {
            address,
            gate,
            stop,
            connections,
            accepting: Some(accepting),
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers this many further requests and lets the rest wait; `None` answers all, including waiting ones.
    pub fn stall_after(&self, requests: Option<usize>) {
        self.gate.set(requests);
    }

    /// Waits until a request waits for its response; returns false if none does in time.
    pub fn has_stalled(&self, within: Duration) -> bool {
        self.gate.is_waited_at(within)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.gate.set(None);
        // `accept` only returns for a connection.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(accepting) = self.accepting.take().filter(|_| woken) {
            let _ = accepting.join();
        }
        for stream in self.connections.lock().unwrap().iter() {
            if let Some(stream) = stream.upgrade() {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

fn converse(stream: &TcpStream, handler: &Handler) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let response = handler(&request);
        let close = request
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        write_response(stream, &response, close)?;
        if close || response.cut {
            stream.shutdown(Shutdown::Both)?;
            break;
        }
    }
    Ok(())
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 {
            return Ok(None);
        }
        match header.trim_end().split_once(':') {
            Some((name, value)) => {
                headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
            None => break,
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        path: decode(path, false),
        query: query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name, true), decode(value, true)))
            .collect(),
        headers,
    };
    let length = request.header("content-length").unwrap_or("0");
    let length = length.parse().unwrap_or(0);
    // Bodies are skipped: the next request follows them.
    io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
    Ok(Some(request))
}

fn write_response(mut stream: &TcpStream, response: &Response, close: bool) -> io::Result<()> {
    let body = &response.body;
    let mut message = Vec::with_capacity(body.len() + 512);
    write!(
        message,
        "HTTP/1.1 {} {}\r\nContent-Length: {}\r\n",
        response.status,
        reason(response.status),
        body.len()
    )?;
    for (name, value) in &response.headers {
        write!(message, "{name}: {value}\r\n")?;
    }
    if close {
        message.extend_from_slice(b"Connection: close\r\n");
    }
    message.extend_from_slice(b"\r\n");
    let end = if response.cut {
        body.len() / 2
    } else {
        body.len()
    };
    message.extend_from_slice(&body[..end]);
    stream.write_all(&message)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        404 => "Not Found",
        405 => "Method Not Allowed",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}

/// Undoes percent-encoding; `+` is a space in queries only.
fn decode(text: &str, plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        (rest, _) = match code {
            Some(byte) => (&tail[2..], bytes.push(byte)),
            None if first == b'+' && plus => (tail, bytes.push(b' ')),
            None => (tail, bytes.push(first)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Percent-encodes all but unreserved characters.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
