//! How certain it is that a list is complete.

use serde::{Deserialize, Serialize};

/// How certain it is that a list is complete; ordered from best to worst.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Proof {
    /// A statement of the API shows that the list ended, no statement contradicts it, and no row
    /// can have been missed; the sentence says how.
    Proved(String),
    /// The list may have changed while it was read; the visible signs of that were compared. The
    /// sentence says how.
    Consistent(String),
    /// One response was read, and nothing says that there is another one.
    Assumed(String),
    /// Nothing proves it; the sentence says why.
    Unproved(String),
    /// The list was not read to its end.
    Open,
}

impl Proof {
    /// Returns the proof of two slices together: the weaker one.
    pub(crate) fn and(self, other: Proof) -> Proof {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
    }

    /// Adds a proof to what is known so far: the weaker one remains.
    pub(crate) fn weaken(known: &mut Option<Proof>, proof: Proof) {
        *known = Some(match known.take() {
            Some(before) => before.and(proof),
            None => proof,
        });
    }

    /// Returns the proof of a pass that continues from the cursor of an earlier one, whose proof
    /// this is: records that the earlier pass has missed are not requested again.
    ///
    /// ```text
    /// unproved: 12 rows came -> unproved: an earlier run (12 rows came)
    /// ```
    pub(crate) fn inherited(self) -> Proof {
        const BEFORE: &str = "an earlier run is not proved (";
        let of = |why: String| match why.starts_with(BEFORE) {
            true => why,
            false => format!("{BEFORE}{why}); `--full-refresh` reads all records again"),
        };
        match self {
            Proof::Consistent(why) => Proof::Consistent(of(why)),
            Proof::Assumed(why) => Proof::Assumed(of(why)),
            Proof::Unproved(why) => Proof::Unproved(of(why)),
            proof => proof,
        }
    }

    /// Returns the proof that a feed with this proof leaves to the resource that it changes, if the
    /// resource's own list does not show all records: a change that the feed has missed is in
    /// neither.
    pub(crate) fn of_feed(&self, feed: &str) -> Proof {
        self.of(
            &format!("its feed `{feed}`"),
            "it was not read to its end, so changes may be missing",
        )
    }

    /// Returns the proof that a parent with this proof leaves to its children: the children of a
    /// record that is missing are missing too.
    pub(crate) fn of_parent(&self, parent: &str) -> Proof {
        self.of(
            &format!("its parent `{parent}`"),
            "it was not read to its end, so children may be missing",
        )
    }

    /// Returns the proof that a resource leaves to one that depends on it; `open` is the reason if it
    /// was not read to its end.
    fn of(&self, resource: &str, open: &str) -> Proof {
        let of = |why: &str| format!("{resource}: {why}");
        match self {
            Proof::Proved(why) => Proof::Proved(of(why)),
            Proof::Consistent(why) => Proof::Consistent(of(why)),
            Proof::Assumed(why) => Proof::Assumed(of(why)),
            Proof::Unproved(why) => Proof::Unproved(of(why)),
            Proof::Open => Proof::Unproved(of(open)),
        }
    }

    /// Returns whether it is the best grade.
    pub(crate) fn is_proved(&self) -> bool {
        matches!(self, Proof::Proved(_))
    }

    fn rank(&self) -> u8 {
        match self {
            Proof::Proved(_) => 0,
            Proof::Consistent(_) => 1,
            Proof::Assumed(_) => 2,
            Proof::Unproved(_) => 3,
            Proof::Open => 4,
        }
    }

    /// Returns the grade, as reports and `--require` name it.
    pub fn grade(&self) -> &'static str {
        ["proved", "consistent", "assumed", "unproved", "open"][usize::from(self.rank())]
    }

    /// Returns the sentence that says how it is known, or why not.
    pub fn why(&self) -> Option<&str> {
        match self {
            Proof::Proved(why)
            | Proof::Consistent(why)
            | Proof::Assumed(why)
            | Proof::Unproved(why) => Some(why),
            Proof::Open => None,
        }
    }
}

/// The worst grade with which a resource passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Required {
    /// No row can be missing.
    Proved,
    /// The end was reached, and nothing that can be compared shows that a row is missing.
    Consistent,
    /// Nothing says that a row is missing.
    Assumed,
    /// Any grade passes; only a contradiction fails.
    #[default]
    Any,
}

impl Required {
    /// All values, starting with the strictest.
    pub const ALL: [Required; 4] = [
        Required::Proved,
        Required::Consistent,
        Required::Assumed,
        Required::Any,
    ];

    /// Returns the name: `proved`, `consistent`, `assumed` or `any`.
    pub fn name(self) -> &'static str {
        match self {
            Required::Proved => "proved",
            Required::Consistent => "consistent",
            Required::Assumed => "assumed",
            Required::Any => "any",
        }
    }

    /// Returns whether a proof is good enough.
    pub fn is_met_by(self, proof: &Proof) -> bool {
        self == Required::Any || proof.rank() <= self as u8
    }
}
