//! The words of a name, however it is spelled: `numberMatched`, `number_matched`, `NUMBER-MATCHED`
//! and `numbermatched` have the same two.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::vocabulary::KNOWN;

/// Longer names are cut.
const LONGEST: usize = 64;

/// Words that stand for others.
const SYNONYMS: [(&str, &str); 4] = [
    ("cnt", "count"),
    ("nb", "num"),
    ("nbr", "num"),
    ("nr", "num"),
];

/// Returns the words of a name in small letters, without the `x` of a vendor.
///
/// ```text
/// x_total -> total; hasNextResultSet -> has next result set; batchcomplete -> batch complete
/// ```
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in parts(name) {
        match tiles(&word) {
            Some(tiles) => words.extend(tiles.into_iter().map(str::to_owned)),
            None => words.push(word),
        }
    }
    if words.len() > 1 && words.first().is_some_and(|word| word == "x") {
        words.remove(0);
    }
    for word in &mut words {
        if let Some((_, same)) = SYNONYMS.iter().find(|(synonym, _)| synonym == word) {
            *word = (*same).to_owned();
        }
    }
    words
}

/// Splits a name where its spelling shows words: at other characters, and before capital letters.
fn parts(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().take(LONGEST).collect();
    let mut parts: Vec<String> = Vec::new();
    let mut apart = true;
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            apart = true;
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let behind = letters.get(at.saturating_add(1));
        let small = |letter: Option<&char>| letter.is_some_and(|letter| letter.is_lowercase());
        let digit = before.is_some_and(char::is_ascii_digit);
        let begins = letter.is_uppercase() && (small(before) || digit || small(behind));
        if apart || begins {
            parts.push(String::new());
        }
        apart = false;
        if let Some(part) = parts.last_mut() {
            part.extend(letter.to_lowercase());
        }
    }
    parts
}

/// Returns the known words into which a word that is none itself can be divided.
fn tiles(word: &str) -> Option<Vec<&'static str>> {
    if word.len() < 5 || is_known(word) {
        return None;
    }
    // The tiles of each beginning of the word; the longest last tile is preferred.
    let mut begun: Vec<Option<Vec<&'static str>>> = vec![None; word.len().saturating_add(1)];
    begun[0] = Some(Vec::new());
    for end in 1..=word.len() {
        begun[end] = (0..end).find_map(|start| {
            let before = begun.get(start)?.as_ref()?;
            let tile = known(word.get(start..end)?)?;
            Some([before.as_slice(), &[tile]].concat())
        });
    }
    begun.pop()?
}

fn is_known(word: &str) -> bool {
    known(word).is_some()
}

fn known(word: &str) -> Option<&'static str> {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        KNOWN
            .iter()
            .flat_map(|words| words.iter().copied())
            .collect()
    });
    WORDS.get(word).copied()
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_name_has_the_same_words_in_any_spelling() {
        for (name, expected) in [
            ("numberMatched", "number matched"),
            ("number_matched", "number matched"),
            ("NUMBER-MATCHED", "number matched"),
            ("numbermatched", "number matched"),
            ("x_total", "total"),
            ("X-Total", "total"),
            ("$skipToken", "skip token"),
            ("__count", "count"),
            ("hasNextResultSet", "has next result set"),
            ("HTTPStatus", "http status"),
            ("batchcomplete", "batch complete"),
            ("fetchxmlpagingcookie", "fetch xml paging cookie"),
            ("LastEvaluatedKey", "last evaluated key"),
            ("totalCnt", "total count"),
            ("totalcnt", "total count"),
            ("weekend", "weekend"),
            ("overall", "overall"),
            ("endpoint", "endpoint"),
            ("x", "x"),
            ("", ""),
            ("\u{301}\u{df}\u{130}", "\u{df} i\u{307}"),
        ] {
            assert_eq!(words(name).join(" "), expected, "{name}");
        }
        assert!(words(&"total".repeat(1000)).concat().len() <= super::LONGEST);
    }
}
