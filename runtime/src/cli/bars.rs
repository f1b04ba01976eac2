//! Lines of a terminal that are drawn again and again: one for each resource that is being read, and one for the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::run::Screen;

/// The most lines of resources; the overall line counts the others.
const MOST: usize = 10;

/// The columns in front of the overall line, and those behind it, where the terminal shows `^C`: a line that it makes too
/// long would stay.
const FRONT: usize = 9;
const BEHIND: usize = 4;

/// The lines that are drawn.
pub struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    pub screen: Screen,
    /// The number of resources that have a line, and the most that may have one.
    used: Arc<AtomicUsize>,
    most: usize,
}

/// The line of a resource. It is removed when it is dropped.
pub struct Bar {
    bar: ProgressBar,
    used: Arc<AtomicUsize>,
}

impl Bars {
    /// Creates lines for a terminal with this number of lines.
    pub fn new(screen: Screen, lines: usize) -> Self {
        let all = MultiProgress::new();
        let total = ProgressBar::new_spinner().with_style(style("{spinner} {elapsed:>5}  {msg}"));
        let total = all.add(total);
        total.enable_steady_tick(Duration::from_millis(250));
        Bars {
            all,
            total,
            screen,
            used: Arc::default(),
            most: MOST.min(lines.saturating_sub(4)),
        }
    }

    /// Adds the line of a resource above the overall one, if there is room.
    pub fn add(&self) -> Option<Bar> {
        if self.used.load(Relaxed) >= self.most {
            return None;
        }
        self.used.fetch_add(1, Relaxed);
        let bar = ProgressBar::new_spinner().with_style(style("  {msg}"));
        Some(Bar {
            bar: self.all.insert_before(&self.total, bar),
            used: self.used.clone(),
        })
    }

    /// Draws the overall line.
    pub fn total(&self, text: &str) {
        let room = self.screen.width.saturating_sub(FRONT + BEHIND);
        self.total.set_message(self.screen.cut(text, room));
    }

    /// Writes something above the lines.
    pub fn suspend(&self, write: impl FnOnce()) {
        self.all.suspend(write);
    }

    /// Removes all lines.
    pub fn clear(&self) {
        self.total.finish_and_clear();
        // If this fails, standard error is closed.
        let _ = self.all.clear();
    }
}

impl Bar {
    /// Draws the line.
    pub fn set(&self, text: &str) {
        self.bar.set_message(text.to_owned());
        self.bar.tick();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        self.used.fetch_sub(1, Relaxed);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
