//! A mock of the APIs of the example connectors, on loopback.
//!
//! All data derives from the [`Scenario`]; methods of [`MockApi`] add data between two runs.

mod billing;
mod bulk;
mod data;
mod faults;
mod forge;
mod github;
#[cfg(test)]
mod tests;
mod tracker;

use std::io;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use billing::{BILLING_KEY, invoice_lines};
pub use faults::Faults;
pub use forge::{FORGE_ORG, FORGE_TOKEN};
pub use tracker::TRACKER_KEY;

pub use etlgen_testkit::http;

use bulk::Bulk;
use data::{Kind, Store};
use faults::Fault;
use http::{Request, Response, Server};

/// The amount of data, and the behaviour of the mock API.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub customers: usize,
    pub invoices: usize,
    pub events: usize,
    pub repos: usize,
    pub issues_per_repo: usize,
    pub commits_per_repo: usize,
    pub projects: usize,
    pub tasks_per_project: usize,
    /// The number of invoices of `/bulk/invoices`.
    pub bulk: usize,
    /// The delay before every response.
    pub delay: Duration,
    pub faults: Faults,
    /// Every 50th record (customer, invoice, event, issue, task) has an extra field and a value of a wrong type.
    pub drift: bool,
    /// The forge sends everything that GitHub sends, and accepts requests without a token.
    pub github: bool,
}

impl Default for Scenario {
    fn default() -> Self {
        Scenario {
            customers: 250,
            invoices: 400,
            events: 300,
            repos: 3,
            issues_per_repo: 120,
            commits_per_repo: 60,
            projects: 4,
            tasks_per_project: 70,
            bulk: 0,
            delay: Duration::ZERO,
            faults: Faults::default(),
            drift: true,
            github: false,
        }
    }
}

/// The data shared by all connections.
struct Mock {
    scenario: Scenario,
    store: Store,
    bulk: Bulk,
    faults: Mutex<Faults>,
    /// The number of requests since the faults were last set.
    count: AtomicU32,
    log: Mutex<Vec<String>>,
}

impl Mock {
    fn answer(&self, request: &Request) -> Response {
        let line = format!("{} {}", request.method, request.target);
        self.log.lock().unwrap().push(line);
        if !self.scenario.delay.is_zero() {
            std::thread::sleep(self.scenario.delay);
        }
        let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let fault = self.faults.lock().unwrap().of(count, &request.path);
        match fault {
            Some(Fault::Status(status)) => {
                let body = serde_json::json!({"error": {"message": "a fault of the mock"}});
                let response = Response::json(status, &body);
                match status {
                    500 => response,
                    _ => response.with("Retry-After", "0".to_owned()),
                }
            }
            Some(Fault::Cut) => {
                let mut response = self.route(request);
                response.cut = true;
                response
            }
            None => self.route(request),
        }
    }

    fn route(&self, request: &Request) -> Response {
        match request.path.split('/').nth(1) {
            Some("v1") => billing::answer(self, request),
            Some("orgs" | "repos" | "user") => forge::answer(self, request),
            Some("projects" | "tasks") => tracker::answer(self, request),
            Some("bulk") if request.path == "/bulk/invoices" => self.bulk.answer(request),
            _ => Response::json(
                404,
                &serde_json::json!({"message": "there is nothing here"}),
            ),
        }
    }
}

/// Adds `n` to the count; returns the first and the last number of the added records.
fn grow(count: &AtomicUsize, n: usize) -> (usize, usize) {
    let before = count.fetch_add(n, Ordering::SeqCst);
    (before + 1, before + n)
}

/// A running mock API; dropping it stops it.
pub struct MockApi {
    mock: Arc<Mock>,
    server: Server,
}

impl MockApi {
    /// Starts on a free port.
    pub fn start(scenario: Scenario) -> MockApi {
        MockApi::start_on(0, scenario).expect("loopback has a free port")
    }

    /// Starts on a port of loopback.
    pub fn start_on(port: u16, scenario: Scenario) -> io::Result<MockApi> {
        let mock = Arc::new(Mock {
            store: Store::new(&scenario),
            bulk: Bulk::new(scenario.bulk),
            faults: Mutex::new(scenario.faults.clone()),
            count: AtomicU32::new(0),
            log: Mutex::default(),
            scenario,
        });
        let answering = mock.clone();
        let server = Server::start(port, move |request| answering.answer(request))?;
        Ok(MockApi { mock, server })
    }

    /// Returns the base URL of all APIs, without a slash at its end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Returns the server, which can stall.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Returns every request so far, as method, path and query: `GET /v1/customers?limit=100`.
    pub fn requests(&self) -> Vec<String> {
        self.mock.log.lock().unwrap().clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.mock.log.lock().unwrap().clear();
    }

    /// Changes the faults, and restarts the count of requests.
    pub fn set_faults(&self, faults: Faults) {
        let mut known = self.mock.faults.lock().unwrap();
        *known = faults;
        self.mock.count.store(0, Ordering::SeqCst);
    }

    /// Adds customers, newer than all others; `add_invoices`, `add_events` and `add_commits` do the same.
    pub fn add_customers(&self, n: usize) {
        self.mock.store.customers.fetch_add(n, Ordering::SeqCst);
    }

    pub fn add_invoices(&self, n: usize) {
        self.mock.store.invoices.fetch_add(n, Ordering::SeqCst);
    }

    pub fn add_events(&self, n: usize) {
        self.mock.store.events.fetch_add(n, Ordering::SeqCst);
    }

    /// Adds commits to every repository.
    pub fn add_commits(&self, n: usize) {
        let commits = &self.mock.store.commits_per_repo;
        commits.fetch_add(n, Ordering::SeqCst);
    }

    /// Adds issues to every repository, with later updates than all others.
    pub fn add_issues(&self, n: usize) {
        let store = &self.mock.store;
        let (first, last) = grow(&store.issues_per_repo, n);
        for repo in 0..self.mock.scenario.repos {
            for number in first..=last {
                store.touch(Kind::Issue, repo, number);
            }
        }
    }

    /// Adds tasks to every project, with later updates than all others.
    pub fn add_tasks(&self, n: usize) {
        let store = &self.mock.store;
        let (first, last) = grow(&store.tasks_per_project, n);
        for project in 1..=self.mock.scenario.projects {
            for number in first..=last {
                store.touch(Kind::Task, project, number);
            }
        }
    }

    /// Updates an issue now: `touch_issue(1, 7)` is `repo-1`'s issue 7.
    pub fn touch_issue(&self, repo: usize, number: usize) {
        let store = &self.mock.store;
        store.touch(Kind::Issue, repo.saturating_sub(1), number);
    }

    /// Updates a task now: `touch_task(1, 7)` is the task 100007 of project 1.
    pub fn touch_task(&self, project: usize, number: usize) {
        self.mock.store.touch(Kind::Task, project, number);
    }
}
