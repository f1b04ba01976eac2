//! What the reader's terminal shows: lines of a width, and colours.

use unicode_width::UnicodeWidthStr;

/// What the reader's terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Columns of a line.
    pub width: usize,
    pub colours: bool,
}

/// A file, or a program that reads the text.
impl Default for Screen {
    fn default() -> Self {
        Screen {
            width: 80,
            colours: false,
        }
    }
}

/// What a part of a text means, and therefore its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ink {
    #[default]
    Plain,
    Title,
    Good,
    Doubt,
    Bad,
    /// What most readers skip.
    Faint,
}

impl Ink {
    fn code(self) -> Option<&'static str> {
        match self {
            Ink::Plain => None,
            Ink::Title => Some("1"),
            Ink::Good => Some("32"),
            Ink::Doubt => Some("33"),
            Ink::Bad => Some("1;31"),
            Ink::Faint => Some("2"),
        }
    }
}

impl Screen {
    /// Colours a text, which has no control characters.
    pub fn paint(&self, ink: Ink, text: &str) -> String {
        match ink.code().filter(|_| self.colours && !text.is_empty()) {
            Some(code) => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            None => text.to_owned(),
        }
    }

    /// Returns the beginning of a text that takes at most this many columns; of a longer one with `…`.
    #[cfg(feature = "cli")]
    pub fn cut(&self, text: &str, columns: usize) -> String {
        fitted(text, columns)
    }
}

/// Returns the columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Returns the beginning of a text that takes at most this many columns; of a longer one with `…`.
pub(crate) fn fitted(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if width(&short) >= columns.max(1) {
            short.pop();
            break;
        }
    }
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_by_what_it_takes_on_the_screen() {
        assert_eq!(fitted("abc", 3), "abc");
        assert_eq!(fitted("abcd", 3), "ab…");
        assert_eq!(fitted("日本語", 6), "日本語");
        assert_eq!(fitted("日本語", 5), "日本…");
        assert_eq!(fitted("日本語", 4), "日…");
    }
}
