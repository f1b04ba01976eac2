//! Requests that run beside the caller.

use std::sync::Mutex;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::error::{Error, ErrorKind, Result};

/// Requests whose results are waited for together.
#[derive(Default)]
pub struct Tasks(Mutex<Vec<JoinHandle<Result<()>>>>);

impl Tasks {
    /// Starts a request.
    pub fn start(
        &self,
        runtime: &Runtime,
        request: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        let task = runtime.spawn(request);
        self.0
            .lock()
            .unwrap_or_else(|lock| lock.into_inner())
            .push(task);
    }

    /// Takes the requests that have been started.
    pub fn take(&self) -> Vec<JoinHandle<Result<()>>> {
        let mut started = self.0.lock().unwrap_or_else(|lock| lock.into_inner());
        std::mem::take(&mut started)
    }
}

/// Waits for requests; returns the first error.
pub async fn all(tasks: Vec<JoinHandle<Result<()>>>) -> Result<()> {
    let mut result = Ok(());
    for task in tasks {
        let done = task.await.unwrap_or_else(|_| Err(ended()));
        result = result.and(done);
    }
    result
}

/// Returns the error of a request whose thread has ended.
pub fn ended() -> Error {
    let message = "the thread of the requests has ended; this is a bug";
    Error::new(ErrorKind::Destination, message)
}
