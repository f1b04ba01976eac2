//! The lines about requests that are tried again: many requests have one cause.

use std::time::Duration;

use etlgen_model::counted;

use crate::world::Moment;

/// How often a line about one resource is written if there is no terminal, or about one cause.
pub(super) const EVERY: Duration = Duration::from_secs(10);

/// The number of causes of one resource that get a line as soon as they occur.
const CAUSES: usize = 5;

/// What has been told about the retries of one resource.
#[derive(Default)]
pub(super) struct Retries {
    /// The causes that were told.
    causes: Vec<String>,
    /// When the last line was written.
    last: Option<Moment>,
    /// The retries without a line since then.
    untold: u64,
}

impl Retries {
    /// Adds a retry. Returns what its line adds to the reason; `None` if it gets none, because a
    /// line has told its cause a short time ago.
    pub fn add(&mut self, cause: &str, now: Moment) -> Option<String> {
        let is_new = !self.causes.iter().any(|known| known == cause);
        let is_new = is_new && self.causes.len() < CAUSES;
        if is_new {
            self.causes.push(cause.to_owned());
        }
        if !is_new && self.last.is_some_and(|last| now.since(last) < EVERY) {
            self.untold += 1;
            return None;
        }
        self.last = Some(now);
        Some(match std::mem::take(&mut self.untold) {
            0 => String::new(),
            more => format!(" ({} since the last line)", counted(more, "other retry")),
        })
    }

    /// Returns the line about the retries that got none.
    pub fn untold(&self) -> Option<String> {
        (self.untold > 0).then(|| counted(self.untold, "other retry"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn one_cause_gets_one_line_in_ten_seconds() {
        let (mut retries, start) = (Retries::default(), World::real().moment());
        let at = |seconds: u64| start.after(Duration::from_secs(seconds));
        assert_eq!(retries.add("503", at(0)).as_deref(), Some(""));
        for second in 1..9 {
            assert_eq!(retries.add("503", at(second)), None);
        }
        let line = retries.add("502", at(9));
        assert_eq!(
            line.as_deref(),
            Some(" (8 other retries since the last line)")
        );
        assert_eq!(retries.untold(), None);
        assert_eq!(retries.add("503", at(10)), None);
        assert_eq!(retries.untold().as_deref(), Some("1 other retry"));
        let line = retries.add("503", at(19));
        assert_eq!(
            line.as_deref(),
            Some(" (1 other retry since the last line)")
        );
        // Causes without end do not get a line each.
        let lines = (0..100).filter(|n| retries.add(&n.to_string(), at(19)).is_some());
        assert_eq!(lines.count(), CAUSES - 2);
    }
}
