//! Plays a scenario: runs one after another, and judges each at its end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use etlgen_runtime::run::{Outcome, Proof, ResourceReport, RunOptions, RunReport, sync};
use etlgen_runtime::world::{Clock, VirtualClock, World};

use crate::api::Api;
use crate::clock::{Shifted, seconds};
use crate::connector::source;
use crate::dest::{Loaded, Target};
use crate::fault::Fault;
use crate::judge::{Case, Grade, judge, removes};
use crate::lies::Lie;
use crate::life::Life;
use crate::net::Network;
use crate::panics;
use crate::random::Rng;
use crate::scenario::{Change, ListSpec, Paging, RunSpec, Scenario};
use crate::trace::Trace;

/// The time at which every simulation begins.
const START: u64 = 1_700_000_000;
/// A run that waits this long will never continue.
const FOR_EVER: Duration = Duration::from_secs(400 * 86_400);

/// The result of a scenario.
#[derive(Debug, Default)]
pub struct Verdict {
    /// The first fault.
    pub wrong: Option<String>,
    /// The grade of the weakest resource of the last run.
    pub last: Option<Grade>,
    /// The reason for that grade, from the first resource that has it.
    pub why: String,
    pub runs: usize,
    pub requests: u64,
    /// The greatest part of its bound that a run has used, in percent.
    pub of_bound: u64,
    pub deaths: usize,
    /// The rows that complete runs into empty tables reported as written, and the rows that existed
    /// afterwards.
    pub written: (u64, u64),
    /// The trace, if it was requested.
    pub trace: String,
}

/// How a run ended.
enum End {
    Died,
    /// The run could not continue.
    Stuck,
    Failed(String),
    Reported(Box<RunReport>),
}

struct Play {
    scenario: Arc<Scenario>,
    fault: Option<Fault>,
    clock: VirtualClock,
    api: Arc<Mutex<Api>>,
    target: Target,
    trace: Trace,
    rng: Rng,
    /// The connector's clock is this many seconds behind that of the API.
    behind: i64,
    /// The moment at which the run began.
    from: u64,
    /// The ticks at which the open passes of resources began.
    began: BTreeMap<&'static str, u64>,
    /// A difference between the rows that were written and those that exist. It counts only if
    /// nothing else is wrong.
    miscounted: Option<String>,
    verdict: Verdict,
    /// Called before and after each run of the runtime.
    watch: fn(bool),
}

/// Plays a scenario to its end, or to the first fault.
pub fn play(scenario: &Scenario, fault: Option<Fault>, traced: bool) -> Verdict {
    play_watched(scenario, fault, traced, |_| ())
}

/// Plays a scenario. `watch` is called with true before the runtime begins each run, and with false
/// after it has ended.
pub fn play_watched(
    scenario: &Scenario,
    fault: Option<Fault>,
    traced: bool,
    watch: fn(bool),
) -> Verdict {
    panics::listen();
    let scenario = Arc::new(scenario.clone());
    let clock = VirtualClock::new(UNIX_EPOCH + Duration::from_secs(START));
    let trace = Trace::new(clock.clone(), traced);
    let target = match Target::new(scenario.place, fault) {
        Ok(target) => target,
        Err(error) => {
            return Verdict {
                wrong: Some(format!("no folder for the destination: {error}")),
                ..Verdict::default()
            };
        }
    };
    let mut play = Play {
        api: Arc::new(Mutex::new(Api::new(scenario.clone(), seconds(&clock)))),
        rng: Rng::new(scenario.seed ^ 0xface),
        behind: scenario.behind,
        from: 0,
        began: BTreeMap::new(),
        miscounted: None,
        verdict: Verdict::default(),
        watch,
        scenario,
        fault,
        clock,
        target,
        trace,
    };
    for number in 0..play.scenario.runs.len() {
        if let Err(wrong) = play.run(number) {
            play.trace.add(format_args!("WRONG: {wrong}"));
            play.verdict.wrong = Some(wrong);
            break;
        }
    }
    play.verdict.wrong = play.verdict.wrong.or(play.miscounted);
    play.verdict.trace = play.trace.text();
    play.verdict
}

impl Play {
    fn api(&self) -> MutexGuard<'_, Api> {
        self.api.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the lists of the scenario, parents first.
    fn lists(&self) -> Vec<(&'static str, ListSpec)> {
        let mut lists = vec![("items", self.scenario.items.clone())];
        lists.extend(self.scenario.parts.clone().map(|parts| ("parts", parts)));
        lists.extend(self.scenario.feed.clone().map(|feed| ("events", feed)));
        lists
    }

    /// Returns the greatest number of requests that a run may send: each list is read twice at most.
    /// Pages that are lost on the way are requested again.
    fn bound(&self, spec: &RunSpec) -> u64 {
        let api = self.api();
        let (come, size) = (spec.during.len(), ListSpec::size);
        // Of a list without an order, each page brings one new row at least.
        let disorder = matches!(
            self.scenario.lie,
            Some(Lie::Unordered | Lie::PageShuffled | Lie::OffsetRounds)
        );
        let pages = |rows: usize, list: &ListSpec| {
            let pages = rows.div_ceil(if disorder { 1 } else { size(list) });
            // A page with a hole has fewer rows, and some have none. If rows have moved, a page by
            // offset is looked for at the place of the one before, and then without its last row.
            let times = match list.paging == Paging::Offset || list.holes {
                true => 3,
                false => 1,
            };
            6 + times * pages
        };
        let windows = if self.scenario.items.windows { 6 } else { 1 };
        let items = pages(api.items.rows.len() + come, &self.scenario.items);
        let parts = self.scenario.parts.as_ref().map_or(0, |list| {
            let tables = api.parts.values();
            let pages = tables.map(|table| pages(table.rows.len() + come, list));
            pages.sum::<usize>() + come * pages_of_new(list, self.scenario.most_parts)
        });
        let feed = self.scenario.feed.as_ref();
        let events = feed.map_or(0, |list| pages(api.events.rows.len() + come, list));
        let lost = 100 + 2 * spec.faults;
        // A record has three pages of tags at most.
        let tags = match self.scenario.items.embedded {
            true => 2 * (api.items.rows.len() + come),
            false => 0,
        };
        let lists = 2 * (windows * items + parts + events + tags) * lost / 100;
        (lists + self.futile(&api, spec)) as u64
    }

    /// Returns how many empty or repeated pages with new tokens are followed, and how often a page
    /// is waited for: in each list, also in those of items that are added during the run.
    fn futile(&self, api: &Api, spec: &RunSpec) -> usize {
        // Of a list to which rows are only added, every change but a deletion adds one.
        let appends = self.scenario.items.append;
        let adds = |(_, change): &&(u64, Change)| match change {
            Change::Come(at) | Change::Back(at) => at.below.is_none(),
            Change::Edit(at) | Change::Move(at) => appends && at.below.is_none(),
            Change::Go(_) => false,
        };
        let lists = match self.scenario.lies_below {
            true => api.parts.len() + spec.during.iter().filter(adds).count(),
            false => 1,
        };
        match self.scenario.lie {
            Some(Lie::TokenFresh | Lie::RowsAgain) => 1050 * lists,
            Some(Lie::EndsIn202 | Lie::NotYet) => 14 * lists * self.scenario.concurrency,
            _ => 0,
        }
    }

    fn run(&mut self, number: usize) -> Result<(), String> {
        let spec = self.scenario.runs[number].clone();
        self.behind += spec.clock_back;
        let from = {
            let mut api = self.api();
            api.begin(number, &spec, seconds(&self.clock));
            api.tick
        };
        self.from = from;
        self.trace.add(format_args!("--- run {number}: {spec:?}"));
        let mut before = BTreeMap::new();
        for (name, _) in self.lists() {
            self.began.entry(name).or_insert(from);
            before.insert(name, self.rows(name)?);
        }
        let bound = self.bound(&spec);
        let end = self.sync(&spec, bound)?;
        self.verdict.runs += 1;
        let requests = self.api().requests;
        self.verdict.requests += requests;
        self.verdict.of_bound = self.verdict.of_bound.max(100 * requests / bound);
        if let Some(panic) = panics::take() {
            return Err(format!("a panic: {panic}"));
        }
        if requests >= bound {
            return Err(format!("the run does not end: {requests} requests"));
        }
        let mut failed = String::new();
        let report = match end {
            End::Died => {
                self.verdict.deaths += 1;
                None
            }
            End::Stuck => return Err("the run waits for nothing".to_owned()),
            End::Failed(message) => {
                self.trace.add(format_args!("the run failed: {message}"));
                failed = message;
                None
            }
            End::Reported(report) => Some(report),
        };
        self.judge(number, report.as_deref(), &before)?;
        if report.is_none() {
            self.verdict.why = failed;
        }
        Ok(())
    }

    fn rows(&self, table: &str) -> Result<Vec<Loaded>, String> {
        let rows = self.target.rows(table);
        rows.map_err(|error| format!("the destination cannot be read: {error:#}"))
    }

    /// Runs the connector once, in its own tokio runtime, which ends with the run like a process.
    fn sync(&mut self, spec: &RunSpec, bound: u64) -> Result<End, String> {
        let life = Life::new(spec.dies_at);
        let network = Network {
            api: self.api.clone(),
            clock: self.clock.clone(),
            life: life.clone(),
            trace: self.trace.clone(),
            rng: Mutex::new(self.rng.fork()),
            faults: spec.faults,
            bound,
            fault: self.fault,
            hoard: Mutex::default(),
        };
        let world = World::simulated(network, self.clock.clone(), self.rng.any())
            .with_clock(Shifted(self.clock.clone(), -self.behind));
        let source = source(&self.scenario, world);
        let commit_rows = self.scenario.commit_rows;
        let into = self
            .target
            .open(&life, commit_rows, spec.commit_fails, &self.trace);
        let runtime = self.clock.runtime().map_err(|error| error.to_string())?;
        let mut options = RunOptions::default();
        options.max_time = spec.stops_after.map(Duration::from_secs);
        let run = sync(&source, into, &options, Arc::new(()));
        let clock = self.clock.clone();
        (self.watch)(true);
        let end = runtime.block_on(async move {
            tokio::select! {
                biased;
                () = life.end() => End::Died,
                done = run => match done {
                    Ok(report) => End::Reported(Box::new(report)),
                    Err(error) => End::Failed(format!("{error:#}")),
                },
                () = clock.sleep(FOR_EVER) => End::Stuck,
            }
        });
        (self.watch)(false);
        Ok(end)
    }

    fn judge(
        &mut self,
        number: usize,
        report: Option<&RunReport>,
        before: &BTreeMap<&'static str, Vec<Loaded>>,
    ) -> Result<(), String> {
        let mut last = Grade::Proved;
        self.verdict.why.clear();
        let mut written = None;
        // This is whether deletions of parents are known.
        let mut above = true;
        for (name, spec) in self.lists() {
            let resource = report.and_then(|report| resource(report, name));
            let grade = resource.map_or(Grade::Open, grade);
            self.trace
                .add(format_args!("{name}: {grade:?} {}", told(resource)));
            let rows = self.rows(name)?;
            let api = self.api();
            let from = self.began.get(name).copied().unwrap_or_default();
            let case = Case {
                name,
                spec: &spec,
                api: &api,
                grade,
                pass: (from, api.tick),
                rows: &rows,
                deletes: removes(&spec) && above,
                before: &before[name],
                shares_keys: matches!(
                    self.scenario.lie,
                    Some(Lie::KeyTwice | Lie::KeyAcrossParents)
                ),
            };
            let judged = judge(&case);
            drop(api);
            judged.map_err(|wrong| format!("run {number}: {grade:?}, yet {wrong}"))?;
            if !self.scenario.lies_below
                && name == "items"
                && grade == Grade::Proved
                && self.is_contradicted(number, from)
            {
                return Err(format!("run {number}: Proved, yet the total is another"));
            }
            if resource.is_some_and(|r| matches!(r.outcome, Outcome::Complete)) {
                // Rows of an earlier run may be staged.
                let resource = resource.filter(|_| from == self.from);
                written = written.or(self.count(resource, &before[name], &rows));
                // What an incremental pass misses is not requested again: the claim is about all
                // passes since the last proved one.
                if grade == Grade::Proved || !self.scenario.is_incremental() {
                    self.began.remove(name);
                }
            }
            if grade > last {
                last = grade;
                self.verdict.why = resource.map_or_else(String::new, why);
            }
            above = grade == Grade::Proved && !spec.since;
        }
        self.verdict.last = Some(last);
        if let Some((written, there)) = written.filter(|_| self.scenario.lie.is_none()) {
            let wrong = format!(
                "run {number}: {written} rows are said to be written, and {there} are there"
            );
            self.miscounted.get_or_insert(wrong);
        }
        Ok(())
    }

    /// Returns whether the API's total differed from the rows of a list that did not change.
    fn is_contradicted(&self, number: usize, from: u64) -> bool {
        let told = matches!(
            self.scenario.lie,
            Some(Lie::TotalTooLow | Lie::TotalTooHigh)
        );
        let api = self.api();
        let rested = api.items.during(from, api.tick).len() == 1;
        told && rested && !self.scenario.items.since && number >= self.scenario.lies_from
    }

    /// Returns the rows that were written into an empty table and those that exist, if the two
    /// differ.
    fn count(
        &mut self,
        resource: Option<&ResourceReport>,
        before: &[Loaded],
        rows: &[Loaded],
    ) -> Option<(u64, u64)> {
        let (_, written) = resource?.tables.first().filter(|_| before.is_empty())?;
        let there = rows.len() as u64;
        self.verdict.written.0 += written;
        self.verdict.written.1 += there;
        (*written != there).then_some((*written, there))
    }
}

/// Returns the number of pages of the parts of an item that is added during a run.
fn pages_of_new(list: &ListSpec, most_parts: usize) -> usize {
    6 + most_parts.div_ceil(list.size())
}

fn resource<'a>(report: &'a RunReport, name: &str) -> Option<&'a ResourceReport> {
    report
        .resources
        .iter()
        .find(|resource| resource.name == name)
}

fn grade(resource: &ResourceReport) -> Grade {
    match (&resource.outcome, &resource.proof) {
        (Outcome::Complete, Proof::Proved(_)) => Grade::Proved,
        (Outcome::Complete, Proof::Consistent(_)) => Grade::Consistent,
        _ => Grade::Open,
    }
}

/// Returns the reason that a report gives for the proof or the failure of a resource.
fn why(resource: &ResourceReport) -> String {
    match (&resource.outcome, &resource.proof) {
        (Outcome::Failed(_, message), _) => message.clone(),
        (_, Proof::Proved(why) | Proof::Consistent(why) | Proof::Unproved(why)) => why.clone(),
        _ => String::new(),
    }
}

/// Returns the report of a resource in one line.
fn told(resource: Option<&ResourceReport>) -> String {
    resource.map_or_else(String::new, |resource| {
        format!(
            "{:?} {:?} read {} in {} pages, wrote {:?} {:?}",
            resource.outcome,
            resource.proof,
            resource.records,
            resource.pages,
            resource.tables,
            resource.notes
        )
    })
}
