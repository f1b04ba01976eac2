//! Faults that can be put back, to see that the simulation finds them. They are in the simulation's own layers, and act as
//! a runtime with that fault would.

use crate::api::Answer;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The destination loses a row of a commit.
    LostRow,
    /// A list ends where it says nothing of a next page in its first answer: what leads on is not heard.
    DeafToMore,
    /// The rows of a page are taken twice.
    DoubledPage,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 3] = [Fault::LostRow, Fault::DeafToMore, Fault::DoubledPage];

    /// What becomes of an answer before the runtime has it.
    pub fn of_the_way(self, mut answer: Answer) -> Answer {
        match self {
            Fault::LostRow => {}
            Fault::DeafToMore => {
                // The last of the statements that lead on.
                answer
                    .headers
                    .retain(|(name, _)| *name != "link" && *name != "x-next");
                if let Some((list, _)) = answer.body.split_once(r#"],""#) {
                    answer.body = format!("{list}]}}");
                }
            }
            Fault::DoubledPage => {
                let rows = answer.body.find('[').zip(answer.body.find("}]"));
                if let Some((from, to)) = rows {
                    let rows = answer.body[from + 1..=to].to_owned();
                    answer.body.insert_str(to + 1, &format!(",{rows}"));
                }
            }
        }
        answer
    }
}
