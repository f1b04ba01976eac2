//! Single tokens and links whose text shows a number of rows or pages: `p2`, `offset:20`,
//! `{"page":2}`, also in base64.
//!
//! Opaque tokens hold digits by chance. So a text counts only if it is made of words: each is a number,
//! or letters with a number before or behind them, and no number but the one that counts is larger
//! than a position can be, unless a name such as `offset` stands before it.

use super::spelling::texts;
use super::{LONGEST, Step, is_time, parts, runs};
use crate::page::places::{NAMES, is_token_name};
use crate::page::statements::plain;

/// A word of a text: its letters, in lower case, and its number.
struct Word {
    letters: String,
    number: Option<u64>,
}

impl Step<'_> {
    /// Returns whether a token shows the number of rows or pages before its page.
    pub(super) fn is_shown_in(&self, token: &str) -> bool {
        let mut texts = texts(token).into_iter();
        token.len() <= LONGEST && texts.any(|(_, text)| self.is_in_text(&text, false))
    }

    /// Returns whether a link shows it, in a token or by a name in the last segment of its path.
    pub(super) fn is_shown_in_link(&self, link: &str) -> bool {
        let parts = parts(link);
        let mut tokens = parts.iter().filter(|(name, _)| is_token_name(&plain(name)));
        let segment = parts.iter().rfind(|(name, _)| name.starts_with('/'));
        tokens.any(|(_, value)| self.is_shown_in(value))
            || segment.is_some_and(|(_, text)| self.is_in_text(text, true))
    }

    /// `named`: only a number with a name such as `page` counts.
    fn is_in_text(&self, text: &str, named: bool) -> bool {
        let Some(words) = words(text).filter(|_| !is_time(text)) else {
            return false;
        };
        let farthest = self.rows.saturating_add(self.width).saturating_add(1);
        let mut numbers = words.iter().filter_map(|word| word.number);
        let all_near = !named && numbers.all(|number| number <= farthest);
        let before = std::iter::once("").chain(words.iter().map(|word| word.letters.as_str()));
        before.zip(&words).any(|(before, word)| {
            let name = match word.letters.as_str() {
                "" => before,
                letters => letters,
            };
            let may_count = NAMES.contains(&name) || all_near && !is_version(name);
            may_count && word.number.is_some_and(|number| self.is_count(number))
        })
    }

    /// Returns whether a number is that of the rows or pages so far, or their index.
    pub(super) fn is_count(&self, number: u64) -> bool {
        let near = |count: u64| number == count || number == count.saturating_add(1);
        let is_last = number > 0 && number.saturating_add(1) == self.rows;
        number > 0 && (near(self.rows) || near(self.pages) || is_last)
    }
}

fn is_version(name: &str) -> bool {
    matches!(name, "v" | "ver" | "version")
}

/// Returns the words of a text; `None` if one of them has digits within letters, or letters within
/// digits.
fn words(text: &str) -> Option<Vec<Word>> {
    let is_number = |run: &str| run.starts_with(|c: char| c.is_ascii_digit());
    let words = text.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).map(|word| {
        let (letters, digits) = match runs(word)[..] {
            [one] if is_number(one) => ("", one),
            [one] => (one, ""),
            [number, letters] if is_number(number) => (letters, number),
            [letters, number] => (letters, number),
            _ => return None,
        };
        Some(Word {
            letters: letters.to_lowercase(),
            // A number that is too long counts nothing.
            number: (!digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX)),
        })
    });
    words.collect()
}
