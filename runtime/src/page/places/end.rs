//! The end of a list whose pages are asked for by their place: how well it is known, and what a second look says.

use std::ops::Deref;

use etlgen_model::Paginator;

use super::{Again, Joints, Places};
use crate::error::{Error, Result};
use crate::page::advance::{PageFacts, Step};
use crate::page::paginator::{Next, Pager, Position};
use crate::page::proof::Proof;

/// What the account says of the end of a list.
pub(in crate::page) struct Ending {
    /// Signs that it has moved.
    pub moved: Option<Moved>,
    /// What is not proved is read twice.
    pub thorough: bool,
    /// Its records have a key: they may come again.
    pub keyed: bool,
}

/// A sign that a list has moved while it was read, or that what it says of itself is wrong; as a sentence.
#[derive(Debug)]
pub(in crate::page) enum Moved {
    /// Fewer rows came than it says that there are: an error, if it stays.
    Short { reason: String, error: Error },
    /// More rows came: an error, if the list rests.
    Over { reason: String, error: Error },
    /// Rows came, went or changed places.
    Rows(String),
    /// Nobody can know.
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
    /// The end of a list of several pages: how well is it known?
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
        } = ending;
        let seen = places.joints == Joints::Seen;
        let Some(again) = places.again.clone() else {
            return self.ended_once(position, places, evidence, (moved, thorough, keyed));
        };
        let same = again.before == places.all;
        Ok(Step::End(match moved {
            Some(Moved::Short { error, .. }) => return Err(error),
            Some(Moved::Over { error, .. }) if same => return Err(error),
            Some(Moved::Unknown(why)) => Proof::Unproved(why),
            None if same => Proof::Proved("read twice, and the same both times".to_owned()),
            None | Some(Moved::Rows(_)) if seen => Proof::Consistent(rested(&again.why)),
            _ if places.plain && places.overlapped => Proof::Unproved(
                "rows went from it whenever it was read: others may be missing".to_owned(),
            ),
            Some(moved) => Proof::Unproved(format!(
                "{}, and it moved whenever it was read: rows may be missing",
                moved.reason()
            )),
            None => return Ok(look_back(position, places)),
        }))
    }

    /// The end of a list that has been read once.
    fn ended_once(
        &self,
        position: &Position,
        places: Places,
        evidence: String,
        (moved, thorough, keyed): (Option<Moved>, bool, bool),
    ) -> Result<Step> {
        let seen = places.joints == Joints::Seen;
        let shifted = "rows came, went or changed places while it was read";
        let why = match moved {
            Some(Moved::Unknown(why)) => return Ok(Step::End(Proof::Unproved(why))),
            Some(Moved::Short { error, .. }) if !keyed => return Err(error),
            // Each page was joined to the one before: what was there all the time has come.
            Some(Moved::Rows(why) | Moved::Over { reason: why, .. }) if seen && !thorough => {
                let why = format!("{why}, and each page began with the last row of the one before");
                return Ok(Step::End(Proof::Consistent(why)));
            }
            Some(moved) => moved.reason().to_owned(),
            None if seen && !places.shifted => return Ok(Step::End(Proof::Proved(evidence))),
            None if seen && !thorough => {
                let why = format!("{evidence}; {shifted}");
                return Ok(Step::End(Proof::Consistent(why)));
            }
            None if seen => shifted.to_owned(),
            None if thorough && places.joints != Joints::AllButFirst => {
                "its pages are asked for by number".to_owned()
            }
            None if matches!(
                self.deref(),
                Paginator::LinkHeader(_) | Paginator::NextUrl(_)
            ) =>
            {
                return Ok(Step::End(Proof::Consistent(format!(
                    "{evidence}; the links lead on by number: what moved meanwhile cannot be seen"
                ))));
            }
            // Of a server that does not overlap, or of one whose rows have gone: the second time tells.
            None if places.plain => "a page did not begin where the one before ended".to_owned(),
            None => return Ok(look_back(position, places)),
        };
        Ok(start_again(&places, why, keyed))
    }

    /// The first page has come once more.
    pub(super) fn looked_back(
        &self,
        position: &Position,
        page: &PageFacts<'_>,
        keyed: bool,
    ) -> Step {
        let places = &position.places;
        let now = page.ids;
        // Rows that came in front have only repeated others.
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
        let joined = places.joints == Joints::AllButFirst && !places.shifted;
        match (same, &places.again) {
            (true, None) if joined && came == Some(0) => Step::End(Proof::Proved(
                "each page began with the last row of the one before".to_owned(),
            )),
            (true, None) => Step::End(Proof::Consistent(
                "asked for by number, and neither its total nor its first page moved meanwhile"
                    .to_owned(),
            )),
            (true, Some(again)) => Step::End(Proof::Consistent(rested(&again.why))),
            (false, None) => start_again(places, "its first page changed".to_owned(), keyed),
            (false, Some(_)) => Step::End(Proof::Unproved(
                "its first page changed whenever it was read: rows may be missing".to_owned(),
            )),
        }
    }
}

fn rested(why: &str) -> String {
    format!("{why}: read again, and it rested")
}

/// The first page once more, after the last.
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

/// The beginning of the second time.
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
            again: Some(Again { why, before }),
            ..Places::default()
        },
        ..Position::default()
    })
}
