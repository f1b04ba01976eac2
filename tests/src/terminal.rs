//! Programs in a terminal, as a person sees them.

use std::io::{Read, Write};
use std::num::NonZero;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a test waits for something to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns whether this machine has the program `script`, which gives a program a terminal.
pub fn is_there() -> bool {
    Command::new("script").arg("--version").output().is_ok()
}

/// A program that runs in a terminal.
pub struct Terminal {
    columns: u16,
    bytes: Arc<Mutex<Vec<u8>>>,
    keyboard: ChildStdin,
    child: Child,
    reader: std::thread::JoinHandle<()>,
}

/// What is left when the program has ended.
pub struct Seen {
    pub code: Option<i32>,
    /// Everything that the program wrote, with the sequences that move the cursor.
    pub raw: String,
    /// The lines above and on the screen at its end.
    pub text: String,
}

impl Terminal {
    /// Starts a program with these columns and variables; `TERM` is that of a usual terminal. The terminal is that of
    /// the program `script`.
    pub fn start(command: &Command, columns: u16, variables: &[(&str, &str)]) -> Terminal {
        let line = format!("stty cols {columns} rows 24; exec \"$@\"");
        let words = [command.get_program()]
            .into_iter()
            .chain(command.get_args());
        let words: Vec<String> = words.map(|word| quoted(&word.to_string_lossy())).collect();
        let line = format!("sh -c {} sh {}", quoted(&line), words.join(" "));
        let mut script = Command::new("script");
        script.args([
            "--quiet",
            "--return",
            "--flush",
            "--command",
            &line,
            "/dev/null",
        ]);
        if let Some(folder) = command.get_current_dir() {
            script.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            script.env(name, value.unwrap_or_default());
        }
        for name in ["CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            script.env_remove(name);
        }
        script
            .env("TERM", "xterm-256color")
            .envs(variables.iter().copied());
        script.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = script.spawn().expect("`script` is there");
        let (keyboard, output) = (child.stdin.take(), child.stdout.take());
        let (Some(keyboard), Some(mut output)) = (keyboard, output) else {
            unreachable!("both are pipes");
        };
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let kept = bytes.clone();
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut part) {
                kept.lock().unwrap().extend_from_slice(&part[..length]);
            }
        });
        Terminal {
            columns,
            bytes,
            keyboard,
            child,
            reader,
        }
    }

    fn raw(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// Waits until a text was written.
    pub fn wait_for(&self, text: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.raw().contains(text) {
            assert!(Instant::now() < until, "no `{text}` in {}", self.raw());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Types these bytes: `\x03` is Ctrl-C.
    pub fn types(&mut self, bytes: &str) {
        self.keyboard.write_all(bytes.as_bytes()).expect("it reads");
        self.keyboard.flush().expect("it reads");
    }

    /// Waits for the end of the program.
    pub fn end(mut self) -> Seen {
        // The keyboard stays there until the end: without it, the terminal would be closed.
        let code = loop {
            match self.child.try_wait().expect("it ends") {
                Some(status) => break status.code(),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        drop(self.keyboard);
        self.reader.join().expect("the output ends");
        let bytes = std::mem::take(&mut *self.bytes.lock().unwrap());
        // So many lines are never scrolled out of it.
        let size = |number| NonZero::new(number).unwrap_or(NonZero::<u16>::MIN);
        let mut screen = vt100::Parser::new(size(2000), size(self.columns), 0);
        screen.process(&bytes);
        let text = screen.screen().contents();
        Seen {
            code,
            raw: String::from_utf8_lossy(&bytes).into_owned(),
            text: text.trim_end().to_owned(),
        }
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Replaces what differs from run to run: ids of loads, seconds, rates, ports.
pub fn settled(text: &str) -> String {
    let mut settled = String::new();
    let mut words = text.split_inclusive([' ', '\n', '(', ')', ',']).peekable();
    while let Some(word) = words.next() {
        let bare = word.trim_end_matches([' ', '\n', '(', ')', ',']);
        let end = &word[bare.len()..];
        let is_number = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
        };
        let next = words
            .peek()
            .map_or("", |next| next.trim_end_matches([' ', '\n', ')', ',', '(']));
        let known = match bare {
            _ if is_number(bare) && bare.len() == 17 && bare.contains('.') => "LOAD",
            _ if is_number(bare) && next == "s" => "N",
            _ if is_number(bare.trim_end_matches("/s")) && bare.ends_with("/s") => "N/s",
            _ => bare,
        };
        settled.push_str(known);
        settled.push_str(end);
    }
    settled
}
