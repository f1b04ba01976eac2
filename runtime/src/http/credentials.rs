//! Decides whether the source's own credentials are valid: if not, the run ends; if only one list
//! refuses them, only its resource fails.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::request::{Method, Request};

/// What is known about the source's own credentials.
#[derive(Default)]
pub(super) struct Trial {
    /// A request that the API has accepted with them.
    accepted: Mutex<Option<Request>>,
    refused: AtomicBool,
    /// Held while one request is judged.
    pub judging: tokio::sync::Mutex<()>,
}

impl Trial {
    fn lock(&self) -> MutexGuard<'_, Option<Request>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a request that the API has accepted.
    pub fn accept(&self, request: &Request) {
        let mut accepted = self.lock();
        if accepted.is_none() && request.method == Method::Get {
            *accepted = Some(request.clone());
        }
    }

    /// Returns a request that the API has accepted before. Repeating it tells a closed list from
    /// credentials that are no longer valid.
    pub fn accepted(&self) -> Option<Request> {
        self.lock().clone()
    }

    /// Remembers that the API has refused the credentials.
    pub fn refuse(&self) {
        self.refused.store(true, Relaxed);
    }

    pub fn is_refused(&self) -> bool {
        self.refused.load(Relaxed)
    }
}
