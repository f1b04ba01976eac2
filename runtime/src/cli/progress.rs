//! The progress of a run: bars on a terminal, plain lines otherwise.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use etlgen_model::counted;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::printable;
use super::report::within;
use super::retries::{EVERY, Retries};
use crate::run::{Observer, Progress};
use crate::world::{Moment, World};

/// Shows the progress on standard error.
pub struct Teller {
    world: World,
    bars: Option<MultiProgress>,
    shown: Mutex<BTreeMap<String, Shown>>,
    retries: Mutex<BTreeMap<String, Retries>>,
    /// The first resource that failed with each message: a missing setting is told once.
    failed: Mutex<BTreeMap<String, String>>,
}

struct Shown {
    bar: Option<ProgressBar>,
    written: Moment,
    records: u64,
}

impl Teller {
    pub fn new(world: &World) -> Self {
        Teller {
            world: world.clone(),
            bars: std::io::stderr().is_terminal().then(MultiProgress::new),
            shown: Mutex::default(),
            retries: Mutex::default(),
            failed: Mutex::default(),
        }
    }

    /// Removes the bars before the report.
    pub fn clear(&self) {
        for (_, shown) in std::mem::take(&mut *self.lock()) {
            if let Some(bar) = shown.bar {
                bar.finish_and_clear();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn retries(&self) -> MutexGuard<'_, BTreeMap<String, Retries>> {
        self.retries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the line about a failed resource. A message that another one has had is not repeated.
    pub(super) fn failure(&self, resource: &str, message: &str) -> String {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        match failed.get(message) {
            Some(first) => format!("{resource}: failed like {first}"),
            None => {
                failed.insert(message.to_owned(), resource.to_owned());
                format!("{resource}: failed: {message}")
            }
        }
    }

    fn say(&self, line: &str) {
        let line = printable(line);
        // If this fails, standard error is closed, and the error cannot be reported either.
        let _ = match &self.bars {
            Some(bars) => bars.println(line),
            None => writeln!(std::io::stderr(), "{line}"),
        };
    }

    fn page(&self, resource: &str, pages: u64, records: u64, total: Option<u64>) {
        let mut shown = self.lock();
        let shown = shown.entry(resource.to_owned()).or_insert_with(|| Shown {
            bar: self.bars.as_ref().map(|bars| bars.add(bar(resource))),
            written: self.world.moment(),
            records: 0,
        });
        shown.records = records;
        let read = match total {
            Some(total) => format!("{records} of {}", counted(total, "record")),
            None => counted(records, "record"),
        };
        let read = format!("{read}, {}", counted(pages, "page"));
        match &shown.bar {
            Some(bar) => {
                bar.set_message(read);
                bar.tick();
            }
            None if self.world.moment().since(shown.written) >= EVERY => {
                shown.written = self.world.moment();
                self.say(&format!("{resource}: {read}"));
            }
            None => {}
        }
    }
}

fn bar(resource: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_prefix(printable(resource));
    bar.set_style(
        ProgressStyle::with_template("{spinner} {prefix}: {msg} ({elapsed})")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar
}

impl Observer for Teller {
    fn on(&self, progress: Progress) {
        match progress {
            Progress::Page {
                resource,
                pages,
                records,
                total,
            } => self.page(&resource, pages, records, total),
            Progress::Retry {
                resource,
                reason,
                cause,
            } => {
                let now = self.world.moment();
                let told = self
                    .retries()
                    .entry(resource.clone())
                    .or_default()
                    .add(&cause, now);
                if let Some(more) = told {
                    self.say(&format!("{resource}: {reason}{more}"));
                }
            }
            Progress::Warning { resource, message } => self.say(&format!("{resource}: {message}")),
            Progress::Committed { .. } => {}
            Progress::Finished { resource, error } => {
                let retries = self.retries().remove(&resource);
                if let Some(more) = retries.and_then(|retries| retries.untold()) {
                    self.say(&format!("{resource}: {more}"));
                }
                let shown = self.lock().remove(&resource);
                let records = shown.as_ref().map_or(0, |shown| shown.records);
                if let Some(bar) = shown.and_then(|shown| shown.bar) {
                    bar.finish_and_clear();
                }
                match error {
                    Some(error) => self.say(&self.failure(&resource, within(&resource, &error))),
                    None => self.say(&format!("{resource}: {}", counted(records, "record"))),
                }
            }
        }
    }
}
