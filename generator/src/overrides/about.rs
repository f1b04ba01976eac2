//! The entries of the reference. Errors and suggestions are made from them, too.

/// An entry of the reference.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub name: &'static str,
    /// What the key takes, such as `a text`.
    pub takes: &'static str,
    /// What the key does, in one or two sentences.
    pub does: &'static str,
    /// Lines of TOML. Those of a resource's key are below `[resources.NAME]`.
    pub examples: &'static [&'static str],
    /// The keys of its table.
    pub parts: &'static [Part],
}

impl About {
    /// Returns the entry without its examples.
    pub fn part(&self) -> Part {
        Part {
            name: self.name,
            takes: self.takes,
            does: self.does,
        }
    }
}

/// A key of a key's table.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub name: &'static str,
    pub takes: &'static str,
    pub does: &'static str,
}
