//! What the keys of an object within a record say about the list beside them.

use super::words::{HOLDERS, Word, noun, plain, usual};
use crate::record::Said;

/// Returns what a key says about the list beside it; `None`: the key is one of a record.
pub(crate) fn says_within(key: &str) -> Option<Said> {
    let name = plain(key);
    match usual(&name) {
        Some(Word::Total | Word::Count) => Some(Said::Total),
        Some(Word::More | Word::Incomplete) => Some(Said::More),
        Some(Word::Next) => Some(Said::Next),
        Some(Word::OfPage) => None,
        _ if HOLDERS.contains(&name.as_str()) => Some(Said::Holder),
        Some(_) => Some(Said::Idle),
        None => {
            let idle = matches!(name.as_str(), "href" | "object" | "uri" | "url");
            (idle || noun(&name).is_some()).then_some(Said::Idle)
        }
    }
}
