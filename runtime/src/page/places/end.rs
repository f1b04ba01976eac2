//! The end of a list whose pages are requested by position: how certain it is, and the result of a
//! second look.

use std::ops::Deref;

use etlgen_model::Paginator;

use super::{Again, Joints, Places};
use crate::error::{Error, Result};
use crate::page::advance::{PageFacts, Step};
use crate::page::paginator::{Next, Pager, Position};
use crate::page::proof::Proof;

/// What the account says about the end of a list.
pub(in crate::page) struct Ending {
    /// A sign that the list has changed.
    pub moved: Option<Moved>,
    /// Whether a list that is not proved complete is read twice.
    pub thorough: bool,
    /// Whether its records have a key, so that they may arrive twice.
    pub keyed: bool,
    /// Whether the second reading has repeated rows.
    pub repeats: bool,
}

/// A sign that a list has changed while it was read, or that its own statements are wrong; the text
/// is a sentence.
#[derive(Debug)]
pub(in crate::page) enum Moved {
    /// Fewer rows arrived than the list states; this is an error if it persists.
    Short { reason: String, error: Error },
    /// More rows arrived; this is an error if the list does not change.
    Over { reason: String, error: Error },
    /// Rows were created or deleted, or changed places.
    Rows(String),
    /// It is unknown whether rows are missing.
    Unknown(String),
}

impl Moved {
    fn reason(&self) -> &str {
        match self {
            Moved::Short { reason, .. } | Moved::Over { reason, .. } => reason,
            Moved::Rows(reason) | Moved::Unknown(reason) => reason,
        }
    }
}

impl Pager {
    /// Judges the end of a list of several pages.
    pub(super) fn ended(
        &self,
        position: &Position,
        places: Places,
        evidence: String,
        ending: Ending,
    ) -> Result<Step> {
        let Ending {
            moved,
            thorough,
            keyed,
            repeats,
        } = ending;
        if places.cut {
            let why = "the API returned nothing at the offset of a row that exists: it limits how far the list can be read";
            return Ok(Step::End(Proof::Unproved(why.to_owned())));
        }
        let seen = places.joints == Joints::Seen;
        let Some(again) = places.again.clone() else {
            return self.ended_once(position, places, evidence, (moved, thorough, keyed));
        };
        let same = again.before == places.all;
        Ok(Step::End(match moved {
            Some(Moved::Short { error, .. }) => return Err(error),
            Some(Moved::Over { error, .. }) if same => return Err(error),
            Some(Moved::Unknown(why)) => Proof::Unproved(why),
            None if same && repeats => Proof::Unproved(
                "rows were repeated in the same places each time it was read, so the list has no stable order and rows may be missing".to_owned(),
            ),
            None if same => Proof::Proved("read twice, and the same both times".to_owned()),
            None | Some(Moved::Rows(_)) if seen => Proof::Consistent(rested(&again.why)),
            _ if places.plain && places.overlapped => Proof::Unproved(
                "rows were deleted each time it was read: others may be missing".to_owned(),
            ),
            Some(moved) => Proof::Unproved(format!(
                "{}, and it changed each time it was read: rows may be missing",
                moved.reason()
            )),
            None => return Ok(look_back(position, places)),
        }))
    }

    /// Judges the end of a list that has been read once.
    fn ended_once(
        &self,
        position: &Position,
        places: Places,
        evidence: String,
        (moved, thorough, keyed): (Option<Moved>, bool, bool),
    ) -> Result<Step> {
        let seen = places.joints == Joints::Seen;
        let shifted = "rows were created, deleted or moved while it was read";
        let why = match moved {
            Some(Moved::Unknown(why)) => return Ok(Step::End(Proof::Unproved(why))),
            Some(Moved::Short { error, .. }) if !keyed => return Err(error),
            // Each page was joined to the previous one: every row that existed throughout has
            // arrived.
            Some(Moved::Rows(why) | Moved::Over { reason: why, .. }) if seen && !thorough => {
                let why =
                    format!("{why}, and each page began with the last row of the previous one");
                return Ok(Step::End(Proof::Consistent(why)));
            }
            Some(moved) => moved.reason().to_owned(),
            None if seen && !places.shifted => return Ok(Step::End(Proof::Proved(evidence))),
            None if seen && !thorough => {
                let why = format!("{evidence}; {shifted}");
                return Ok(Step::End(Proof::Consistent(why)));
            }
            None if seen => shifted.to_owned(),
            None if thorough => "its pages are requested by number".to_owned(),
            None if matches!(
                self.deref(),
                Paginator::LinkHeader(_) | Paginator::NextUrl(_)
            ) =>
            {
                return Ok(Step::End(Proof::Consistent(format!(
                    "{evidence}; the links use page numbers: changes during the pass cannot be detected"
                ))));
            }
            // Either the server does not overlap, or rows were deleted: the second reading tells
            // which.
            None if places.plain => "a page did not begin where the previous one ended".to_owned(),
            None => return Ok(look_back(position, places)),
        };
        Ok(start_again(&places, why, keyed))
    }

    /// Judges the repeated first page.
    pub(super) fn looked_back(
        &self,
        position: &Position,
        page: &PageFacts<'_>,
        keyed: bool,
    ) -> Step {
        let places = &position.places;
        let now = page.ids;
        // New rows at the front have only caused repetitions.
        let head = places.first.first();
        let came = head.and_then(|head| now.iter().position(|id| id == head));
        let same = came.is_some_and(|came| {
            let (old, new) = (&places.first, &now[came..]);
            let both = old.len().min(new.len());
            let totals = position.total.zip(self.stated(page));
            old[..both] == new[..both]
                && (came > 0 || old.len() == new.len())
                && totals.is_none_or(|(before, now)| now == before || now == before + came as u64)
        });
        match (same, &places.again) {
            (true, None) => Step::End(Proof::Consistent(
                "requested by number, and neither its total nor its first page changed".to_owned(),
            )),
            (true, Some(again)) => Step::End(Proof::Consistent(rested(&again.why))),
            (false, None) => start_again(places, "its first page changed".to_owned(), keyed),
            (false, Some(_)) => Step::End(Proof::Unproved(
                "its first page changed each time it was read: rows may be missing".to_owned(),
            )),
        }
    }
}

fn rested(why: &str) -> String {
    format!("{why}: read again, and it did not change")
}

/// Returns the step that requests the first page again, after the last.
fn look_back(position: &Position, places: Places) -> Step {
    Step::Next(Position {
        next: Next::First,
        fingerprint: None,
        places: Places {
            looks_back: true,
            early: false,
            ..places
        },
        ..position.clone()
    })
}

/// Returns the first step of the second reading.
fn start_again(places: &Places, why: String, keyed: bool) -> Step {
    if !keyed {
        return Step::End(Proof::Unproved(format!(
            "{why}, and without a key it cannot be read again"
        )));
    }
    let before = places.all;
    Step::Next(Position {
        places: Places {
            plain: places.plain && !places.overlapped,
            overlapped: places.overlapped,
            again: Some(Box::new(Again { why, before })),
            ..Places::default()
        },
        ..Position::default()
    })
}
