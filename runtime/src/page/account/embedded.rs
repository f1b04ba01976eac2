//! A list whose beginning is embedded in a record.

use std::ops::Deref;

use etlgen_model::{Paginator, ResponsePath, Token};

use super::Account;
use crate::error::Result;
use crate::page::advance::{PageFacts, Step};
use crate::page::paginator::{Pager, Position, TotalOf};
use crate::page::proof::Proof;

impl Account {
    /// Returns the first step of a list whose beginning is embedded in a record. If the position of
    /// the next page does not follow from that (it has no headers, or not the length of a page),
    /// the list is read from its first page.
    pub fn begin_embedded(&mut self, paginator: &Pager, beginning: &PageFacts<'_>) -> Result<Step> {
        let start = Position::default();
        let more = paginator.says(beginning);
        let numbered = matches!(
            paginator.deref(),
            Paginator::PageNumber(_)
                | Paginator::LinkHeader(_)
                | Paginator::Token(Token {
                    next: ResponsePath::Header(_),
                    ..
                })
        );
        let stub = beginning.rows == 0 && more == Some(true);
        if !numbered && !stub {
            return self.judge(paginator, &start, beginning)?.step;
        }
        let ends = beginning.rows == 0
            || more == Some(false)
            || paginator
                .total_of(beginning)
                .is_some_and(|(count, of)| match of {
                    TotalOf::Items => beginning.rows >= count,
                    TotalOf::Pages => count <= 1,
                });
        Ok(match !stub && ends {
            true => Step::End(Proof::Proved("it is complete within the record".into())),
            false => Step::Next(start),
        })
    }
}
