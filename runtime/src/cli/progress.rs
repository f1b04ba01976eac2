//! The progress of a run: lines that change on a terminal, plain lines otherwise.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::bars::{Bar, Bars};
use super::retries::{EVERY, Retries};
use super::terminal;
use crate::run::{Observer, Progress, Screen, within};
use crate::text::{grouped, printable, wrapped_to};
use crate::world::{Moment, World};

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Failures only.
    Quiet,
    #[default]
    Usual,
    /// Commits and waits too.
    Verbose,
}

/// Shows the progress on standard error.
pub struct Teller {
    world: World,
    detail: Detail,
    bars: Option<Bars>,
    told: Mutex<Told>,
}

/// What is known of the run. One lock guards it together with the screen, so that no two threads draw at a time.
struct Told {
    started: Moment,
    /// When the last plain line about all resources was written.
    written: Moment,
    sums: Sums,
    shown: BTreeMap<String, Shown>,
    retries: BTreeMap<String, Retries>,
    /// The first resource that failed with each message: a missing setting is told once.
    failed: BTreeMap<String, String>,
    /// The last wait for the rate limit, and its end.
    waits: Option<(Duration, Moment)>,
    is_stopping: bool,
}

/// What the overall line says.
#[derive(Clone, Copy, Default)]
struct Sums {
    /// The resources of the run, and those that have ended.
    resources: u64,
    ended: u64,
    records: u64,
    requests: u64,
}

/// A resource that is being read.
#[derive(Default)]
struct Shown {
    bar: Option<Bar>,
    pages: u64,
    records: u64,
    requests: u64,
    total: Option<u64>,
}

impl Teller {
    pub fn new(world: &World, detail: Detail) -> Self {
        let draws = terminal::draws() && detail > Detail::Quiet;
        let now = world.moment();
        Teller {
            world: world.clone(),
            detail,
            bars: draws.then(|| Bars::new(terminal::err(), terminal::lines())),
            told: Mutex::new(Told {
                started: now,
                written: now,
                sums: Sums::default(),
                shown: BTreeMap::new(),
                retries: BTreeMap::new(),
                failed: BTreeMap::new(),
                waits: None,
                is_stopping: false,
            }),
        }
    }

    /// Removes what is drawn, before the report.
    pub fn clear(&self) {
        let mut told = self.lock();
        told.shown.clear();
        if let Some(bars) = &self.bars {
            bars.clear();
        }
    }

    /// Says that a signal was heard.
    pub fn stopping(&self, text: &str) {
        let mut told = self.lock();
        told.is_stopping = true;
        self.say(text);
        self.draw(&mut told);
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line above what is drawn.
    fn say(&self, line: &str) {
        let mut line = printable(line);
        if let Some(bars) = &self.bars {
            line = wrapped_to(bars.screen.width, "", 2, &line).join("\n");
        }
        // If this fails, standard error is closed, and the error cannot be reported either.
        let write = || {
            let _ = writeln!(std::io::stderr(), "{line}");
        };
        match &self.bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }

    /// Writes a line that only some want.
    fn tell(&self, least: Detail, line: &str) {
        if self.detail >= least {
            self.say(line);
        }
    }

    /// Draws the overall line; without a terminal, writes one from time to time.
    fn draw(&self, told: &mut Told) {
        let now = self.world.moment();
        match &self.bars {
            Some(bars) => bars.total(&told.overall(now)),
            None if now.since(told.written) >= EVERY => {
                told.written = now;
                let line = told.overall(now);
                self.tell(Detail::Usual, &line);
            }
            None => {}
        }
    }

    fn page(&self, told: &mut Told, resource: &str, page: Shown) {
        let shown = told.shown.entry(resource.to_owned()).or_default();
        told.sums.records += page.records.saturating_sub(shown.records);
        told.sums.requests += page.requests.saturating_sub(shown.requests);
        let bar = shown.bar.take();
        *shown = Shown { bar, ..page };
        if let Some(bars) = &self.bars {
            shown.bar = shown.bar.take().or_else(|| bars.add());
            if let Some(bar) = &shown.bar {
                bar.set(&resource_line(resource, shown, bars.screen));
            }
        }
        self.draw(told);
    }

    fn finished(&self, told: &mut Told, resource: &str, error: Option<&str>) {
        let retries = told.retries.remove(resource);
        if let Some(more) = retries.and_then(|retries| retries.untold()) {
            self.tell(Detail::Usual, &format!("{resource}: {more}"));
        }
        let shown = told.shown.remove(resource).unwrap_or_default();
        told.sums.ended += 1;
        drop(shown.bar);
        match error {
            Some(error) => {
                let line = told.failure(resource, within(resource, error));
                self.say(&line);
            }
            None => {
                let line = format!("{resource}: {}", many(shown.records, "record"));
                // On a terminal the overall line counts it, and the report lists it.
                let least = match self.bars {
                    Some(_) => Detail::Verbose,
                    None => Detail::Usual,
                };
                self.tell(least, &line);
            }
        }
        self.draw(told);
    }

    /// Returns the line about a failed resource.
    #[cfg(test)]
    pub(super) fn failure(&self, resource: &str, message: &str) -> String {
        self.lock().failure(resource, message)
    }
}

impl Told {
    /// Returns the line about a failed resource. A message that another one has had is not repeated.
    fn failure(&mut self, resource: &str, message: &str) -> String {
        match self.failed.get(message) {
            Some(first) => format!("{resource}: failed like {first}"),
            None => {
                self.failed.insert(message.to_owned(), resource.to_owned());
                format!("{resource}: failed: {message}")
            }
        }
    }

    fn overall(&self, now: Moment) -> String {
        let waits = self.waits.filter(|(_, until)| now < *until);
        let state = match (self.is_stopping, waits) {
            (true, _) => Some("stopping; Ctrl-C again stops at once".to_owned()),
            (_, Some((time, _))) => {
                let seconds = time.as_secs_f64();
                Some(format!("waiting {seconds:.0} s for the rate limit"))
            }
            _ => None,
        };
        overall_line(self.sums, now.since(self.started), state)
    }
}

fn overall_line(sums: Sums, elapsed: Duration, state: Option<String>) -> String {
    // What one must see comes first: a narrow screen cuts the end.
    let mut parts = Vec::from_iter(state);
    if sums.resources > 0 {
        let of = many(sums.resources, "resource");
        parts.push(format!("{} of {of}", grouped(sums.ended)));
    }
    parts.push(many(sums.records, "record"));
    let seconds = elapsed.as_secs_f64();
    if seconds >= 1.0 && sums.records > 0 {
        parts.push(format!(
            "{}/s",
            grouped((sums.records as f64 / seconds) as u64)
        ));
    }
    parts.push(many(sums.requests, "request"));
    parts.join(", ")
}

/// Returns a number of things: `1,200 records`.
fn many(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(count))
}

/// The columns of the name of a resource, and of its bar.
const NAME: usize = 20;
const BAR: u64 = 20;

fn resource_line(resource: &str, shown: &Shown, screen: Screen) -> String {
    let name = screen.cut(&printable(resource), NAME);
    let pages = many(shown.pages, "page");
    let text = match shown.total.filter(|total| *total > 0) {
        None => format!("{name}  {}, {pages}", many(shown.records, "record")),
        Some(total) => {
            let share = shown.records.min(total);
            let full = (share.saturating_mul(BAR) / total) as usize;
            let percent = share.saturating_mul(100) / total;
            let bar = "━".repeat(full);
            let rest = "─".repeat(BAR as usize - full);
            let (read, total) = (grouped(shown.records), grouped(total));
            format!("{name}  {bar}{rest} {percent:>3} %  {read} of {total}, {pages}")
        }
    };
    screen.cut(&text, screen.width.saturating_sub(2))
}

impl Observer for Teller {
    fn on(&self, progress: Progress) {
        let mut told = self.lock();
        match progress {
            Progress::Started {
                load_id,
                source,
                destination,
                resources,
                ..
            } => {
                told.sums.resources = resources;
                let of = many(resources, "resource");
                let line = format!("load {load_id}: {of} of {source} into {destination}");
                self.tell(Detail::Verbose, &line);
                self.draw(&mut told);
            }
            Progress::Page {
                resource,
                pages,
                records,
                total,
                requests,
                ..
            } => {
                let page = Shown {
                    bar: None,
                    pages,
                    records,
                    requests,
                    total,
                };
                self.page(&mut told, &resource, page);
            }
            Progress::Retry {
                resource,
                reason,
                cause,
                ..
            } => {
                let now = self.world.moment();
                let retries = told.retries.entry(resource.clone()).or_default();
                if let Some(more) = retries.add(&cause, now) {
                    self.tell(Detail::Usual, &format!("{resource}: {reason}{more}"));
                }
            }
            Progress::Waiting { resource, time, .. } => {
                let until = self.world.moment().after(time);
                if told.waits.is_none_or(|(_, known)| known < until) {
                    told.waits = Some((time, until));
                }
                let least = match time >= EVERY {
                    true => Detail::Usual,
                    false => Detail::Verbose,
                };
                let line = format!(
                    "{resource}: waits {:.1} s for the rate limit",
                    time.as_secs_f64()
                );
                if self.bars.is_none() || self.detail == Detail::Verbose {
                    self.tell(least, &line);
                }
                self.draw(&mut told);
            }
            Progress::Warning {
                resource, message, ..
            } => self.tell(Detail::Usual, &format!("{resource}: {message}")),
            Progress::Committed { rows, .. } => {
                let line = format!("committed {}", many(rows, "record"));
                self.tell(Detail::Verbose, &line);
            }
            Progress::Finished {
                resource, error, ..
            } => self.finished(&mut told, &resource, error.as_deref()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_a_bar_where_a_total_is_known() {
        let screen = Screen::default();
        let shown = |records, total| Shown {
            pages: 4,
            records,
            total,
            ..Shown::default()
        };
        let line = |records, total| resource_line("invoices", &shown(records, total), screen);
        assert_eq!(line(1200, None), "invoices  1,200 records, 4 pages");
        assert_eq!(
            line(400, Some(1600)),
            "invoices  ━━━━━───────────────  25 %  400 of 1,600, 4 pages"
        );
        // A total may be wrong.
        assert!(line(7, Some(5)).contains("100 %  7 of 5"));
        assert!(line(7, Some(u64::MAX)).contains("  0 %"));
        assert!(line(0, Some(0)).contains("0 records"));
        let narrow = Screen {
            width: 40,
            colours: false,
        };
        let line = resource_line(&"x".repeat(50), &shown(1, Some(u64::MAX)), narrow);
        assert_eq!(line.chars().count(), 38, "{line}");
    }

    #[test]
    fn the_overall_line_says_how_far_and_how_fast_and_what_is_waited_for() {
        let sums = Sums {
            resources: 12,
            ended: 3,
            records: 12_000,
            requests: 45,
        };
        let line = |seconds, state: Option<&str>| {
            overall_line(sums, Duration::from_secs(seconds), state.map(str::to_owned))
        };
        assert_eq!(
            line(10, None),
            "3 of 12 resources, 12,000 records, 1,200/s, 45 requests"
        );
        assert_eq!(
            line(0, Some("stopping")),
            "stopping, 3 of 12 resources, 12,000 records, 45 requests"
        );
    }

    #[test]
    fn a_wait_is_told_as_long_as_it_lasts() {
        let world = World::real();
        let teller = Teller::new(&world, Detail::Quiet);
        teller.on(Progress::Waiting {
            resource: "a".into(),
            time: Duration::from_secs(30),
        });
        let told = teller.lock();
        let now = world.moment();
        let line = told.overall(now);
        assert!(line.contains("waiting 30 s for the rate limit"), "{line}");
        let later = now.after(Duration::from_secs(31));
        assert!(!told.overall(later).contains("waiting"));
    }
}
