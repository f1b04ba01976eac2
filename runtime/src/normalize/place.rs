//! A place below a row.

use super::names::{self, Naming};

/// A place below a row: the JSON pointer within the row, and the name of a column there.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub path: String,
    pub name: String,
}

impl Place {
    /// Returns the place of the row itself.
    pub fn row() -> Self {
        Place {
            path: String::new(),
            name: String::new(),
        }
    }

    /// Returns the place at a key of this one.
    pub fn below(&self, key: &str, naming: Naming) -> Self {
        let escaped = key.replace('~', "~0").replace('/', "~1");
        Place {
            path: format!("{}/{escaped}", self.path),
            name: names::join(&self.name, &naming.key(key)),
        }
    }

    /// Returns the keys for a message.
    pub fn dotted(&self) -> String {
        match self.path.strip_prefix('/') {
            None => "(the value itself)".to_owned(),
            Some(path) => path.replace('/', ".").replace("~1", "/").replace("~0", "~"),
        }
    }
}
