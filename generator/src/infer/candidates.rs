//! Weighs candidates: the possible answers to a question, each with what speaks for it and against
//! it.
//!
//! The one with the highest score wins; of equals, the first. Where answers exclude one
//! another and the runner-up is close, the decision is not sure.

use super::facts::{Decision, SURE};

/// The smallest distance to the runner-up of a sure decision between answers that exclude one
/// another.
const MARGIN: i32 = 5;

/// Evidence with its weight: positive if it speaks for a candidate, negative if against it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Evidence {
    pub weight: i32,
    /// A short sentence.
    pub text: String,
}

/// A possible answer.
#[derive(Clone, Debug)]
pub(super) struct Candidate<T> {
    pub value: T,
    /// The answer as `explain` prints it.
    pub shown: String,
    /// From 0 to 1: how sure the answer is if nothing competes with it.
    pub sure: f32,
    pub evidence: Vec<Evidence>,
}

impl<T> Candidate<T> {
    pub fn new(value: T, shown: impl Into<String>, sure: f32) -> Self {
        Candidate {
            value,
            shown: shown.into(),
            sure,
            evidence: Vec::new(),
        }
    }

    /// Adds evidence; its weight is negative if it speaks against the candidate.
    pub fn with(mut self, weight: i32, text: impl Into<String>) -> Self {
        let text = text.into();
        self.evidence.push(Evidence { weight, text });
        self
    }

    /// Returns the weight of the strongest evidence, a tenth of what else speaks for it, minus what
    /// speaks against it.
    pub fn score(&self) -> i32 {
        let weights = || self.evidence.iter().map(|it| it.weight);
        let strongest = weights().max().unwrap_or_default().max(0);
        let all: i32 = weights().filter(|weight| *weight > 0).sum();
        let against: i32 = weights().filter(|weight| *weight < 0).sum();
        strongest + (all - strongest) / 10 + against
    }

    /// Returns the answer and its evidence in one line.
    fn line(&self) -> String {
        let texts: Vec<&str> = self.evidence.iter().map(|it| it.text.as_str()).collect();
        format!("not {}: {}", self.shown, texts.join("; but "))
    }
}

/// Whether the answers to a question exclude one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    /// Several may be right, such as two ways to page a list.
    Several,
    /// At most one is right, such as the key of a record.
    One,
}

/// Decides on the candidate with the highest score above zero.
pub(super) fn elect<T: PartialEq>(
    candidates: Vec<Candidate<T>>,
    answers: Answers,
) -> Option<Decision<T>> {
    let best = candidates
        .iter()
        .enumerate()
        .filter(|(_, it)| it.score() > 0)
        .min_by_key(|(index, it)| (-it.score(), *index))
        .map(|(index, _)| index)?;
    let mut others = candidates;
    let best = others.remove(best);
    others.sort_by_key(|it| -it.score());
    let score = best.score();
    let close = |it: &&Candidate<T>| it.score() + MARGIN > score && it.value != best.value;
    let rival = others.iter().find(close);
    let mut sure = best.sure;
    let mut reasons: Vec<String> = best.evidence.into_iter().map(|it| it.text).collect();
    if answers == Answers::One
        && let Some(rival) = rival
    {
        sure = sure.min(SURE - 0.05);
        reasons.push(format!("{} is about as likely", rival.shown));
    }
    Some(Decision {
        value: best.value,
        confidence: sure,
        reasons,
        others: others.iter().map(Candidate::line).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(value: &str, weights: &[i32]) -> Candidate<String> {
        let new = Candidate::new(value.to_owned(), format!("`{value}`"), 0.9);
        let add = |it: Candidate<String>, weight: &i32| it.with(*weight, format!("{weight}"));
        weights.iter().fold(new, add)
    }

    #[test]
    fn evidence_against_a_candidate_lets_another_win() {
        let all = vec![candidate("a", &[80, -50]), candidate("b", &[40])];
        let found = elect(all, Answers::One).unwrap();
        assert_eq!(found.value, "b");
        assert_eq!(found.confidence, 0.9);
        assert_eq!(found.others, ["not `a`: 80; but -50"]);
    }

    #[test]
    fn a_close_runner_up_leaves_the_answer_open() {
        let all = || vec![candidate("a", &[40]), candidate("b", &[38])];
        assert!(elect(all(), Answers::One).unwrap().confidence < SURE);
        assert!(elect(all(), Answers::Several).unwrap().confidence > SURE);
        // The same answer twice is no contest.
        let same = vec![candidate("a", &[40]), candidate("a", &[38])];
        assert!(elect(same, Answers::One).unwrap().confidence > SURE);
    }

    #[test]
    fn nothing_is_chosen_that_only_evidence_against_speaks_of() {
        assert!(elect(vec![candidate("a", &[40, -40])], Answers::One).is_none());
    }
}
