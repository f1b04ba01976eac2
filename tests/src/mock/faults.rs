//! Deliberate faults of the mock API.

/// The faults of a server. Every number counts requests from the start of the server, or from the
/// last change of the faults.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Every nth request gets a 503 with `Retry-After: 0`.
    pub every_nth_503: Option<u32>,
    /// Every nth request gets a 429 with `Retry-After: 0`.
    pub every_nth_429: Option<u32>,
    /// The connection breaks in the middle of every nth body.
    pub every_nth_cut: Option<u32>,
    /// Every request after this many gets a 500.
    pub dead_after: Option<u32>,
    /// Every request whose path contains this text gets a 500.
    pub dead_path: Option<String>,
}

/// The fault of one request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fault {
    Status(u16),
    Cut,
}

impl Faults {
    /// Returns the fault of a request; `count` is 1 for the first request.
    pub(super) fn of(&self, count: u32, path: &str) -> Option<Fault> {
        let every = |nth: Option<u32>| nth.is_some_and(|nth| nth > 0 && count.is_multiple_of(nth));
        let dead_path = self.dead_path.as_ref();
        if self.dead_after.is_some_and(|last| count > last)
            || dead_path.is_some_and(|part| path.contains(part.as_str()))
        {
            Some(Fault::Status(500))
        } else if every(self.every_nth_503) {
            Some(Fault::Status(503))
        } else if every(self.every_nth_429) {
            Some(Fault::Status(429))
        } else if every(self.every_nth_cut) {
            Some(Fault::Cut)
        } else {
            None
        }
    }
}
