//! Texts in Postgres, which cannot hold NUL characters.
//!
//! NUL is stored as `␀0`, and `␀` (U+2400) as `␀␀`. Every other text is stored as it is, and different texts stay
//! different. JSON is stored as it is: it has no NUL characters.

use std::borrow::Cow;

const SYMBOL: char = '\u{2400}';

/// Returns the text as it is stored.
pub fn stored(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', SYMBOL]) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0' => out.extend([SYMBOL, '0']),
            SYMBOL => out.extend([SYMBOL, SYMBOL]),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Returns the text that was stored so.
pub fn read(stored: String) -> String {
    if !stored.contains(SYMBOL) {
        return stored;
    }
    let mut out = String::with_capacity(stored.len());
    let mut chars = stored.chars();
    while let Some(c) = chars.next() {
        match c {
            SYMBOL => match chars.next() {
                Some('0') => out.push('\0'),
                Some(SYMBOL) | None => out.push(SYMBOL),
                // Somebody else has written it.
                Some(other) => out.extend([SYMBOL, other]),
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nul_is_stored_as_its_symbol() {
        assert_eq!(stored("a\0b"), "a\u{2400}0b");
        assert_eq!(stored("\u{2400}"), "\u{2400}\u{2400}");
        assert_eq!(stored("caf\u{e9} 0"), "caf\u{e9} 0");
    }

    proptest! {
        #[test]
        fn every_text_comes_back(text in "[\0\u{2400}0a]{0,12}") {
            let kept = stored(&text).into_owned();
            prop_assert!(!kept.contains('\0'));
            prop_assert_eq!(read(kept), text);
        }
    }
}
