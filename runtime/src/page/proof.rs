//! How well it is known that nothing is missing.

/// How well it is known that nothing is missing; ordered from best to worst.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Proof {
    /// Something that the API said shows that this was all, nothing that it said speaks against it, and no row can have slipped
    /// through; the sentence says how.
    Proved(String),
    /// The list may have moved while it was read; what can be seen of that was compared. The sentence says how.
    Consistent(String),
    /// One answer was read, and nothing says that there is another one.
    Assumed(String),
    /// Nothing proves it; the sentence says why.
    Unproved(String),
    /// Not read to its end.
    Open,
}

impl Proof {
    /// The proof of two slices together: the weaker one.
    pub(crate) fn and(self, other: Proof) -> Proof {
        if other.rank() > self.rank() {
            other
        } else {
            self
        }
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

    /// Its grade, as reports and `--require` name it.
    pub fn grade(&self) -> &'static str {
        ["proved", "consistent", "assumed", "unproved", "open"][usize::from(self.rank())]
    }

    /// The sentence that says how it is known, or why not.
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
    /// Nothing can be missing.
    Proved,
    /// Nothing is missing of what did not move.
    Consistent,
    /// Nothing says that something is missing.
    Assumed,
    /// Any: only what is contradicted fails.
    #[default]
    Any,
}

impl Required {
    /// All, from the strictest on.
    pub const ALL: [Required; 4] = [
        Required::Proved,
        Required::Consistent,
        Required::Assumed,
        Required::Any,
    ];

    /// Its name: `proved`, `consistent`, `assumed` or `any`.
    pub fn name(self) -> &'static str {
        match self {
            Required::Proved => "proved",
            Required::Consistent => "consistent",
            Required::Assumed => "assumed",
            Required::Any => "any",
        }
    }

    /// Whether a proof is good enough.
    pub fn is_met_by(self, proof: &Proof) -> bool {
        self == Required::Any || proof.rank() <= self as u8
    }
}
