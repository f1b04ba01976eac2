//! How well it is known that nothing is missing.

/// How well it is known that nothing is missing; ordered from best to worst.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// The API said that this was all, and no row can have slipped through; the sentence says how.
    Proved(String),
    /// The list may have moved while it was read; what can be seen of that was compared. The sentence says how.
    Consistent(String),
    /// Nothing proves it; the sentence says why.
    Unproved(String),
    /// Not read to its end.
    Open,
}

impl Proof {
    /// The proof of two slices together: the weaker one.
    pub(crate) fn and(self, other: Proof) -> Proof {
        let rank = |proof: &Proof| match proof {
            Proof::Proved(_) => 0,
            Proof::Consistent(_) => 1,
            Proof::Unproved(_) => 2,
            Proof::Open => 3,
        };
        if rank(&other) > rank(&self) {
            other
        } else {
            self
        }
    }
}
