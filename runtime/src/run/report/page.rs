//! Text for people: lines of a width, and colours if the reader's terminal has them.

use super::screen::{Ink, Screen};
use super::table::Table;
use crate::text::{printable, wrapped_to};

/// A text that grows line by line. It escapes the control characters of all that it takes.
pub(crate) struct Page {
    screen: Screen,
    lines: Vec<String>,
}

impl Page {
    pub fn new(screen: Screen) -> Self {
        Page {
            screen,
            lines: Vec::new(),
        }
    }

    /// Adds a line, wrapped.
    pub fn line(&mut self, ink: Ink, text: &str) {
        for line in wrapped_to(self.screen.width, "", 2, &printable(text)) {
            self.lines.push(self.screen.paint(ink, &line));
        }
    }

    /// Adds an empty line, unless the text is empty.
    pub fn gap(&mut self) {
        if !self.lines.is_empty() {
            self.lines.push(String::new());
        }
    }

    /// Adds a table.
    pub fn table(&mut self, table: &Table) {
        self.lines.extend(table.lines(self.screen));
    }

    /// Adds a table without its header.
    #[cfg(feature = "cli")]
    pub fn fields(&mut self, table: &Table) {
        self.lines
            .extend(table.lines(self.screen).into_iter().skip(1));
    }

    /// Adds a list with a title; an empty list has none. An item is its label, which has the colour of
    /// the list, and its text.
    pub fn list(&mut self, title: &str, ink: Ink, items: &[(String, String)]) {
        if items.is_empty() {
            return;
        }
        self.gap();
        let bold = match ink {
            Ink::Plain => Ink::Title,
            ink => ink,
        };
        self.line(bold, title);
        for (label, text) in items {
            self.item(ink, label, text);
        }
    }

    /// Adds a label and its text, indented; the label has the colour.
    pub fn item(&mut self, ink: Ink, label: &str, text: &str) {
        let label = printable(label);
        let text = match text.is_empty() {
            true => label.clone(),
            false => format!("{label}: {}", printable(text)),
        };
        // The label may go over several lines; each line break stands for one blank.
        let mut left = label.chars().count();
        for line in wrapped_to(self.screen.width, "  ", 4, &text) {
            let words = line.trim_start();
            let indent = line.len() - words.len();
            let end = words
                .char_indices()
                .nth(left)
                .map_or(words.len(), |(at, _)| at);
            let (head, tail) = words.split_at(end);
            left = left.saturating_sub(words.chars().count() + 1);
            let head = self.screen.paint(ink, head);
            self.lines
                .push(format!("{}{head}{tail}", " ".repeat(indent)));
        }
    }

    /// Returns the text, without a line break at its end.
    pub fn text(self) -> String {
        self.lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLOURS: Screen = Screen {
        width: 30,
        colours: true,
    };

    #[test]
    fn what_came_from_elsewhere_has_no_effect_on_the_terminal() {
        let mut page = Page::new(COLOURS);
        page.line(Ink::Bad, "a\u{1b}[2Jb");
        page.list(
            "t",
            Ink::Plain,
            &[("x\u{7}".to_owned(), "y\u{1b}".to_owned())],
        );
        let text = page.text();
        assert_eq!(
            text,
            "\u{1b}[1;31ma\\u{1b}[2Jb\u{1b}[0m\n\n\u{1b}[1mt\u{1b}[0m\n  x\\u{7}: y\\u{1b}"
        );
    }

    #[test]
    fn a_long_label_keeps_its_colour_over_several_lines() {
        let mut page = Page::new(COLOURS);
        let names = "customers, invoices, subscriptions".to_owned();
        page.list("failed", Ink::Bad, &[(names, "no".to_owned())]);
        let lines: Vec<String> = page.text().lines().map(str::to_owned).collect();
        assert_eq!(
            lines[1..],
            [
                "  \u{1b}[1;31mcustomers, invoices,\u{1b}[0m",
                "    \u{1b}[1;31msubscriptions\u{1b}[0m: no"
            ]
        );
    }
}
