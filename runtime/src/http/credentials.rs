//! Whether the source's own credentials are good: a refusal of them ends the run, that of one list only its resource.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::request::{Method, Request};

/// What is known of the source's own credentials.
#[derive(Default)]
pub(super) struct Trial {
    /// A request that the API has answered with them.
    accepted: Mutex<Option<Request>>,
    refused: AtomicBool,
    /// One request at a time is judged.
    pub judging: tokio::sync::Mutex<()>,
}

impl Trial {
    fn lock(&self) -> MutexGuard<'_, Option<Request>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The API has answered a request.
    pub fn accept(&self, request: &Request) {
        let mut accepted = self.lock();
        if accepted.is_none() && request.method == Method::Get {
            *accepted = Some(request.clone());
        }
    }

    /// A request that the API has answered before: it tells a list that is closed from credentials that are not good any more.
    pub fn accepted(&self) -> Option<Request> {
        self.lock().clone()
    }

    /// The API has refused the credentials.
    pub fn refuse(&self) {
        self.refused.store(true, Relaxed);
    }

    pub fn is_refused(&self) -> bool {
        self.refused.load(Relaxed)
    }
}
