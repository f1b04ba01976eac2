//! The entries of the reference, of which errors and suggestions are made, too.

/// An entry of the reference.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub name: &'static str,
    /// What it takes: `a text`.
    pub takes: &'static str,
    /// One or two sentences.
    pub does: &'static str,
    /// Lines of TOML; those of a key of a resource stand below `[resources.NAME]`.
    pub examples: &'static [&'static str],
    /// The keys of its table.
    pub parts: &'static [Part],
}

impl About {
    /// The entry without its examples.
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
