//! A connection that breaks at chosen moments: a proxy between the destination and the server.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;

/// What happens to the next commit.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    /// It passes.
    Passes,
    /// It reaches the server, and its answer is lost.
    LosesAnswer,
    /// It does not reach the server.
    IsLost,
}

type Fate = Arc<Mutex<Next>>;

static PROXIES: LazyLock<Mutex<HashMap<PathBuf, (u16, Fate)>>> = LazyLock::new(Mutex::default);

/// Returns the proxy of a test, by its folder.
fn proxy(dir: &Path) -> (u16, Fate) {
    let mut proxies = PROXIES.lock().unwrap();
    let proxy = proxies.entry(dir.to_owned()).or_insert_with(start);
    proxy.clone()
}

pub fn port(dir: &Path) -> u16 {
    proxy(dir).0
}

pub fn lose_next_answer(dir: &Path) {
    *proxy(dir).1.lock().unwrap() = Next::LosesAnswer;
}

pub fn lose_next_commit(dir: &Path) {
    *proxy(dir).1.lock().unwrap() = Next::IsLost;
}

fn start() -> (u16, Fate) {
    let server = super::port();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let fate: Fate = Arc::new(Mutex::new(Next::Passes));
    let known = fate.clone();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let muted = Arc::new(Mutex::new(false));
            let (fate, mute) = (known.clone(), muted.clone());
            thread::spawn(move || forward(from, to, &fate, &mute));
            thread::spawn(move || answer(server, client, &muted));
        }
    });
    (port, fate)
}

/// Passes what the client says; a commit may change how it goes on.
fn forward(mut client: TcpStream, mut server: TcpStream, fate: &Fate, muted: &Mutex<bool>) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        if bytes[..count].windows(7).any(|part| part == b"COMMIT\0") {
            match std::mem::replace(&mut *fate.lock().unwrap(), Next::Passes) {
                Next::Passes => {}
                Next::LosesAnswer => *muted.lock().unwrap() = true,
                Next::IsLost => break,
            }
        }
        if server.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}

/// Passes what the server says; if it is muted, its next answer ends the connection.
fn answer(mut server: TcpStream, mut client: TcpStream, muted: &Mutex<bool>) {
    let mut bytes = [0; 65_536];
    while let Ok(count @ 1..) = server.read(&mut bytes) {
        if *muted.lock().unwrap() || client.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}
