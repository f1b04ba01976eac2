//! Faults that can be injected, to check that the simulation finds them. They are in the
//! simulation's own layers, and act like a runtime with that fault.

use crate::api::Answer;

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The destination loses a row of a commit.
    LostRow,
    /// The links and tokens of the next page are ignored, so that a list ends too early.
    DeafToMore,
    /// The rows of a page are loaded twice.
    DoubledPage,
    /// Each page is requested four times.
    AsksAgain,
    /// The responses of a run are kept until it ends. Only a run with many rows shows this.
    Hoards,
}

impl Fault {
    /// The faults that any seed may show.
    pub const ALL: [Fault; 4] = [
        Fault::LostRow,
        Fault::DeafToMore,
        Fault::DoubledPage,
        Fault::AsksAgain,
    ];

    /// Changes a response before the runtime receives it.
    pub fn of_the_way(self, mut answer: Answer) -> Answer {
        match self {
            Fault::LostRow | Fault::AsksAgain | Fault::Hoards => {}
            Fault::DeafToMore => {
                // This removes the statements about the next page.
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
