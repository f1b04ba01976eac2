//! The rows that a query returns.

/// The rows that a query returns, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows; a null is `None`.
    pub rows: Vec<Vec<Option<String>>>,
    /// Whether there are more rows.
    pub is_cut: bool,
}

impl Answer {
    /// Creates an answer with these columns and no rows.
    pub fn new(columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Answer {
            columns: columns.into_iter().map(Into::into).collect(),
            ..Answer::default()
        }
    }

    /// Adds a row, or says that there are more than `most`; returns whether another one may follow.
    pub fn add(&mut self, row: Vec<Option<String>>, most: usize) -> bool {
        self.is_cut = self.rows.len() >= most;
        if !self.is_cut {
            self.rows.push(row);
        }
        !self.is_cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_that_it_is_cut() {
        let mut answer = Answer::new(["a"]);
        assert!(answer.add(vec![None], 1) && !answer.is_cut);
        assert!(!answer.add(vec![None], 1) && answer.is_cut);
        assert_eq!(answer.rows.len(), 1);
    }
}
