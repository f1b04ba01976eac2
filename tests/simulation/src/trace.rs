//! The events of a simulation, line by line, for readers of a failed seed.

use std::fmt::Arguments;
use std::sync::{Arc, Mutex, PoisonError};

use etlgen_runtime::world::{Clock, VirtualClock};

/// Lines with the second of each event; they are kept only if they are wanted.
#[derive(Clone)]
pub struct Trace {
    clock: VirtualClock,
    lines: Option<Arc<Mutex<Vec<String>>>>,
}

impl Trace {
    pub fn new(clock: VirtualClock, wanted: bool) -> Self {
        let lines = wanted.then(Arc::default);
        Trace { clock, lines }
    }

    /// Adds a line.
    pub fn add(&self, line: Arguments<'_>) {
        if let Some(lines) = &self.lines {
            let second = self.clock.monotonic().as_secs_f64();
            let line = format!("{second:10.3}  {line}");
            lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    }

    /// Returns all lines.
    pub fn text(&self) -> String {
        let lines = self.lines.as_ref();
        let lines = lines.map(|lines| lines.lock().unwrap_or_else(PoisonError::into_inner));
        lines.map_or_else(String::new, |lines| lines.join("\n"))
    }
}
