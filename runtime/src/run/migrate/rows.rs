//! The identity of the rows of a resource, before and after a migration.

use crate::source::ResourceSpec;
use crate::state::Rows;

/// What a difference does to the existing rows.
pub enum Step {
    /// Nothing: an incoming record gets the id that its row has.
    Same,
    /// They get new ids; the text gives the reason.
    Rekey(String),
    /// All records are read and replace them.
    Refresh(String),
    /// They would be lost or duplicated.
    Refuse(String),
}

impl Step {
    /// Returns the step if the existing rows may be replaced.
    pub fn consented(self) -> Self {
        match self {
            Step::Same => Step::Same,
            Step::Rekey(why) | Step::Refresh(why) | Step::Refuse(why) => Step::Refresh(why),
        }
    }

    /// Returns the step if all records are read again.
    pub fn read_again(self, why: &str, rows: Option<&Rows>) -> Self {
        let doubles = rows.is_some_and(|rows| rows.key.is_empty() && rows.appends());
        match self {
            Step::Same if doubles => Step::Refuse(format!(
                "{why}, and rows without a key that are read again would be duplicated"
            )),
            step => step,
        }
    }
}

/// Returns the step that the difference of two declarations requires.
pub fn step(before: Option<&Rows>, now: Option<&Rows>, spec: &ResourceSpec) -> Step {
    let (Some(before), Some(now)) = (before, now) else {
        return Step::Same;
    };
    // Rows that each run replaces may be replaced once more.
    let replaceable = before.replaces();
    // A disposition that is not declared follows from the key; the owner may not intend it.
    let wanted = spec.disposition.is_some();
    let why = difference(before, now);
    match before.names_like(now) {
        true if now.replaces() && !before.replaces() && !wanted => Step::Refuse(why),
        true => Step::Same,
        false if replaceable || (now.replaces() && wanted) => Step::Refresh(why),
        false if now.key.is_empty() || now.appends() || now.replaces() => Step::Refuse(why),
        // Rows that were merged into one exist again only if all records are read again.
        false if now.within_parent && !before.within_parent && before.key == now.key => {
            Step::Refresh(why)
        }
        false if now.within_parent => Step::Refuse(format!(
            "{why}; that key cannot be made from the existing rows"
        )),
        false => Step::Rekey(why),
    }
}

/// Describes the difference.
fn difference(before: &Rows, now: &Rows) -> String {
    let mut said = Vec::new();
    if before.key != now.key {
        said.push(format!(
            "its primary key was {} and is {} now",
            key(before),
            key(now)
        ));
    }
    if before.disposition != now.disposition {
        let (was, is) = (&before.disposition, &now.disposition);
        said.push(format!("its write disposition was {was} and is {is} now"));
    }
    if before.within_parent != now.within_parent {
        let is = match now.within_parent {
            true => {
                "its key now identifies a record only within its parent; before, it did so everywhere"
            }
            false => {
                "its key now identifies a record everywhere; before, it did so only within its parent"
            }
        };
        said.push(is.to_owned());
    }
    if said.is_empty() {
        let slices = |rows: &Rows| match rows.slices.is_empty() {
            true => "none".to_owned(),
            false => format!("`{}`", rows.slices.join("`, `")),
        };
        said.push(format!(
            "the parameters that identify its rows were {} and are {} now",
            slices(before),
            slices(now)
        ));
    }
    said.join(", ")
}

fn key(rows: &Rows) -> String {
    let parts: Vec<String> = rows.key.iter().map(|keys| keys.join(".")).collect();
    match parts.is_empty() {
        true => "none".to_owned(),
        false => format!("`{}`", parts.join("`, `")),
    }
}
