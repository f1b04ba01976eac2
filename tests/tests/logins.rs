//! Tests generated connectors that fetch their tokens, against an API whose tokens end after a few requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use etlgen_tests::compile::cargo_in;
use etlgen_tests::workspace::{binary, root, stderr, stdout};

/// What the API has been asked for.
#[derive(Default)]
struct Seen {
    /// The bodies of logins.
    logins: Vec<String>,
    /// How often the current token was used.
    used: usize,
    refused: usize,
}

/// The requests that one token serves.
const LIFE: usize = 2;

/// Starts an API with 250 rows on pages of 100; returns its URL.
fn api(seen: Arc<Mutex<Seen>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that disconnects is not an error of the server.
            let _ = stream.and_then(|stream| answer(stream, &mut seen.lock().unwrap()));
        }
    });
    url
}

fn answer(mut stream: TcpStream, seen: &mut Seen) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut first, mut line) = (String::new(), String::new());
    let (mut length, mut token) = (0, String::new());
    reader.read_line(&mut first)?;
    while reader.read_line(&mut line)? > 2 {
        let (name, value) = line.split_once(':').unwrap_or_default();
        match name.to_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "authorization" => token = value.trim().replace("Bearer ", ""),
            _ => {}
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let (status, answer) = if first.starts_with("POST ") {
        seen.logins.push(body);
        seen.used = 0;
        let made = format!("{{\"access_token\": \"token-{}\"}}", seen.logins.len());
        (200, made)
    } else if token == "by-hand"
        || token == format!("token-{}", seen.logins.len()) && seen.used < LIFE
    {
        seen.used += 1;
        (200, page(&first))
    } else {
        seen.refused += 1;
        (401, "{}".to_owned())
    };
    let length = answer.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{answer}"
    )
}

/// Returns the page that a request asks for by its number.
fn page(request: &str) -> String {
    let number = request
        .split("number%5D=")
        .nth(1)
        .or(request.split("number]=").nth(1));
    let number = number.and_then(|rest| rest.split(['&', ' ']).next()?.parse().ok());
    let start = (number.unwrap_or(1usize).max(1) - 1) * 100;
    let rows: Vec<String> = (start..250.min(start + 100))
        .map(|id| format!("{{\"id\": {id}, \"owner\": \"ann\"}}"))
        .collect();
    format!(
        "{{\"total_entries\": 250, \"flows\": [{}]}}",
        rows.join(", ")
    )
}

/// Generates the connector of the fixture with that name and that etlgen.toml. The programs of all tests
/// are in one folder, so that each has a name of its own.
fn connector(folder: &Path, name: &str, overrides: &str) {
    let spec = root().join("tests/fixtures/documents/alternatives.yaml");
    std::fs::write(folder.join("wishes.toml"), overrides).unwrap();
    let output = std::process::Command::new(binary("etlgen"))
        .args(["new", "--out", "c", "--name", name])
        .args(["--config", "wishes.toml", "--spec"])
        .arg(spec)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    std::fs::copy(root().join("Cargo.lock"), folder.join("c/Cargo.lock")).unwrap();
}

/// Runs the connector with these settings in its environment.
fn run(folder: &Path, prefix: &str, settings: &[(&str, &str)]) -> Output {
    let mut cargo = cargo_in(&folder.join("c"));
    cargo.args(["run", "--quiet", "--", "sync"]);
    let settings = settings
        .iter()
        .map(|(name, value)| (format!("{prefix}_{name}"), value));
    cargo.envs(settings).output().unwrap()
}

#[test]
fn a_generated_connector_renews_its_tokens_or_takes_one() {
    let folder = tempfile::tempdir().unwrap();
    connector(folder.path(), "flows", "");
    let seen = Arc::new(Mutex::new(Seen::default()));
    let url = api(seen.clone());
    let file = folder.path().join("password");
    std::fs::write(&file, "the-password\n").unwrap();
    let file = file.display().to_string();
    let place = ("DESTINATION", "sqlite:flows.db");

    let output = run(folder.path(), "FLOWS", &[("BASE_URL", &url), place]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("--username and --password, or --api-key"),
        "{said}"
    );

    let by_name = [("USERNAME", "ann"), ("PASSWORD_FILE", file.as_str())];
    let output = run(
        folder.path(),
        "FLOWS",
        &[&by_name[..], &[("BASE_URL", &url), place]].concat(),
    );
    let said = stdout(&output) + &stderr(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("250 records") && !said.contains("the-password"),
        "{said}"
    );
    assert!(folder.path().join("c/flows.db").exists());
    {
        let seen = seen.lock().unwrap();
        // Three pages at least, of which a token serves two.
        assert!(
            seen.logins.len() >= 2 && seen.refused >= 1,
            "{:?}",
            seen.logins
        );
        for part in [
            "grant_type=password",
            "username=ann",
            "password=the-password",
        ] {
            assert!(seen.logins[0].contains(part), "{:?}", seen.logins);
        }
    }

    let before = seen.lock().unwrap().logins.len();
    let output = run(
        folder.path(),
        "FLOWS",
        &[("API_KEY", "by-hand"), ("BASE_URL", &url), place],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(seen.lock().unwrap().logins.len(), before);
}

#[test]
fn a_login_that_only_the_owner_knows_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let login = "auth = { login = \"/login\", user = \"user.name\", password = \"user.secret\", body = { provider = \"db\" } }\n";
    connector(folder.path(), "logins", login);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let url = api(seen.clone());
    let settings = [
        ("USERNAME", "ann"),
        ("PASSWORD", "the-password"),
        ("BASE_URL", url.as_str()),
    ];
    let output = run(folder.path(), "LOGINS", &settings);
    assert!(output.status.success(), "{}", stderr(&output));
    let seen = seen.lock().unwrap();
    assert!(seen.logins.len() >= 2, "{:?}", seen.logins);
    let body: serde_json::Value = serde_json::from_str(&seen.logins[0]).unwrap();
    let wanted =
        serde_json::json!({"user": {"name": "ann", "secret": "the-password"}, "provider": "db"});
    assert_eq!(body, wanted);
}
