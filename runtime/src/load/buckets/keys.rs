//! Names of objects.

use object_store::path::Path;

use crate::load::lake::batch::DataFile;
use crate::load::lake::names::{ENDING, OWN};

/// The end of the name of an object with the id of an upload in parts.
pub const UPLOAD: &str = ".upload";

/// The name of an object that marks a table as owned.
const MARK: &str = "owned";

/// The names of objects below a prefix.
pub struct Keys {
    prefix: Path,
}

impl Keys {
    pub fn new(prefix: Path) -> Self {
        Keys { prefix }
    }

    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    pub fn manifest(&self) -> Path {
        self.below(&format!("{OWN}/manifest.json"))
    }

    pub fn lock(&self) -> Path {
        self.below(&format!("{OWN}/lock"))
    }

    /// Returns the prefix of all staged files.
    pub fn staging(&self) -> Path {
        self.below(&format!("{OWN}/staging"))
    }

    /// Returns the prefix of the files of a table.
    pub fn table(&self, table: &str, placed: bool) -> Path {
        let table = encoded(table);
        match placed {
            true => self.below(&table),
            false => self.below(&format!("{OWN}/staging/{table}")),
        }
    }

    pub fn file(&self, file: DataFile<'_>) -> Path {
        let folder = self.table(file.table, file.placed);
        parsed(&format!("{folder}/{}{ENDING}", file.name))
    }

    /// Returns the object with the id of the upload of a file.
    pub fn upload(file: &Path) -> Path {
        parsed(&format!("{file}{UPLOAD}"))
    }

    /// Returns the object that marks a table as owned.
    pub fn mark(&self, table: &str) -> Path {
        parsed(&format!("{}/{MARK}", self.table(table, false)))
    }

    /// Returns the table and the name of a staged object.
    pub fn staged(&self, object: &Path) -> Option<(String, String)> {
        let rest = object.as_ref().strip_prefix(self.staging().as_ref())?;
        let (table, name) = rest.strip_prefix('/')?.split_once('/')?;
        Some((decoded(table), name.to_owned()))
    }

    fn below(&self, rest: &str) -> Path {
        match self.prefix.as_ref() {
            "" => parsed(rest),
            prefix => parsed(&format!("{prefix}/{rest}")),
        }
    }
}

/// Returns a path whose parts have been checked or encoded.
fn parsed(text: &str) -> Path {
    Path::parse(text).unwrap_or_else(|_| Path::from(text))
}

/// Returns the name of a table as a part of a name of an object, which cannot have control characters.
fn encoded(table: &str) -> String {
    let mut text = String::with_capacity(table.len());
    for letter in table.chars() {
        match letter {
            '%' => text.push_str("%25"),
            letter if letter.is_ascii_control() => {
                text.push_str(&format!("%{:02X}", letter as u32))
            }
            letter => text.push(letter),
        }
    }
    text
}

fn decoded(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        let code = after
            .get(..2)
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code.filter(u8::is_ascii) {
            Some(code) => {
                text.push(char::from(code));
                rest = &after[2..];
            }
            None => {
                text.push('%');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_again_by_its_objects() {
        for prefix in ["", "a/b"] {
            let keys = Keys::new(Path::parse(prefix).unwrap());
            for table in ["orders", "a b", "50%", "%41", "x\u{1}\n", "é*?[~]", "a%2"] {
                let file = keys.file(DataFile {
                    table,
                    name: "1-0",
                    placed: false,
                });
                let found = keys.staged(&file).unwrap();
                assert_eq!(found, (table.to_owned(), "1-0.parquet".to_owned()));
            }
        }
        let keys = Keys::new(Path::parse("p").unwrap());
        assert_eq!(keys.manifest().as_ref(), "p/_etl/manifest.json");
        assert_eq!(keys.table("orders", true).as_ref(), "p/orders");
        assert_eq!(keys.staged(&Path::from("p/_etl/stagings/x/y")), None);
    }
}
