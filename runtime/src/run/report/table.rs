//! Text in columns.

use super::screen::{Ink, Screen, fitted, width};
use crate::text::printable;

/// The fewest columns of the screen that a column keeps when it is cut.
const LEAST: usize = 8;

/// A table: columns with names, and rows.
pub(crate) struct Table {
    columns: Vec<(String, u8)>,
    rows: Vec<Vec<(String, Ink)>>,
}

impl Table {
    /// Creates a table. The number of a column says how early it gives way where the screen is too
    /// narrow: the highest first, those with 0 never.
    pub fn new(columns: &[(&str, u8)]) -> Self {
        let columns = columns.iter();
        Table {
            columns: columns
                .map(|(name, rank)| (printable(name), *rank))
                .collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; missing cells are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = (String, Ink)>) {
        let cells = cells.into_iter();
        let one_line = |text: &str| printable(text).replace('\n', " ");
        self.rows
            .push(cells.map(|(text, ink)| (one_line(&text), ink)).collect());
    }

    /// Adds a row without colours.
    pub fn plain<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        let cells = cells.into_iter();
        self.row(cells.map(|text| (text.into(), Ink::Plain)));
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn cell(&self, row: &[(String, Ink)], column: usize) -> (String, Ink) {
        row.get(column).cloned().unwrap_or_default()
    }

    /// Returns the widths of the columns.
    fn widths(&self) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        let widest = |(at, (name, _)): (usize, &(String, u8))| {
            let cells = self.rows.iter().filter_map(|row| row.get(at));
            let cells = cells.map(|(text, _)| width(text));
            cells.chain([width(name)]).max().unwrap_or(0)
        };
        columns.map(widest).collect()
    }

    /// Returns the width of the whole table.
    #[cfg(any(test, feature = "cli"))]
    pub fn natural_width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)
    }

    /// Returns the columns that are shown, with their widths.
    fn layout(&self, screen: Screen) -> Vec<(usize, usize)> {
        let mut shown: Vec<(usize, usize)> = self.widths().into_iter().enumerate().collect();
        let total = |shown: &[(usize, usize)]| {
            let sum: usize = shown.iter().map(|(_, width)| width).sum();
            sum + 2 * shown.len().saturating_sub(1)
        };
        while total(&shown) > screen.width {
            let ranks = shown.iter().map(|(at, _)| self.columns[*at].1);
            match ranks.max().filter(|rank| *rank > 0) {
                None => break,
                Some(rank) => shown.retain(|(at, _)| self.columns[*at].1 != rank),
            }
        }
        // What is left is cut, the widest column first.
        while total(&shown) > screen.width {
            let widest = shown.iter_mut().max_by_key(|(_, width)| *width);
            match widest.filter(|(_, width)| *width > LEAST) {
                None => break,
                Some((_, width)) => *width -= 1,
            }
        }
        shown
    }

    /// Returns the lines of the table, with numbers at the right; the first one is the header.
    pub fn lines(&self, screen: Screen) -> Vec<String> {
        let is_number = |text: &str| {
            text.chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' '))
        };
        let layout = self.layout(screen).into_iter().map(|(at, width)| {
            let mut cells = self.rows.iter().map(|row| self.cell(row, at).0);
            (
                at,
                width,
                cells.all(|text| is_number(&text)) && !self.rows.is_empty(),
            )
        });
        let layout: Vec<_> = layout.collect();
        let line = |cell: &dyn Fn(usize) -> (String, Ink)| {
            let mut line = String::new();
            for (place, (at, columns, number)) in layout.iter().enumerate() {
                let (text, ink) = cell(*at);
                let text = fitted(&text, *columns);
                let blanks = " ".repeat(columns.saturating_sub(width(&text)));
                let text = screen.paint(ink, &text);
                if place > 0 {
                    line.push_str("  ");
                }
                match number {
                    true => line.extend([blanks, text]),
                    false => line.extend([text, blanks]),
                }
            }
            line.trim_end().to_owned()
        };
        let head = line(&|at| (self.columns[at].0.clone(), Ink::Title));
        let rows = self.rows.iter().map(|row| line(&|at| self.cell(row, at)));
        [head].into_iter().chain(rows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen(width: usize) -> Screen {
        Screen {
            width,
            colours: false,
        }
    }

    fn table() -> Table {
        let mut table = Table::new(&[("name", 0), ("rows", 0), ("bytes", 2), ("end", 1)]);
        table.plain(["a", "7", "1 B", "x"]);
        table.plain(["a_long_name_of_a_table", "1,200", "2 B", ""]);
        table
    }

    #[test]
    fn numbers_stand_to_the_right() {
        assert_eq!(
            table().lines(screen(80)),
            [
                "name                     rows  bytes  end",
                "a                           7  1 B    x",
                "a_long_name_of_a_table  1,200  2 B"
            ]
        );
    }

    #[test]
    fn a_narrow_screen_shows_fewer_columns_and_cuts_the_widest() {
        assert_eq!(table().natural_width(), 41);
        assert_eq!(
            table().lines(screen(34))[1..],
            [
                "a                           7  x",
                "a_long_name_of_a_table  1,200"
            ]
        );
        assert_eq!(
            table().lines(screen(20)),
            [
                "name            rows",
                "a                  7",
                "a_long_name_…  1,200"
            ]
        );
        for width in 18..90 {
            let lines = table().lines(screen(width));
            assert!(
                lines.iter().all(|line| super::width(line) <= width),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn wide_letters_take_two_columns() {
        let mut table = Table::new(&[("名前", 0), ("n", 0)]);
        table.plain(["日本語", "1"]);
        table.plain(["abc", "2"]);
        assert_eq!(
            table.lines(screen(80)),
            ["名前    n", "日本語  1", "abc     2"]
        );
    }

    #[test]
    fn a_cell_is_one_line() {
        let mut table = Table::new(&[("a", 0)]);
        table.plain(["x\ny\u{1b}"]);
        assert_eq!(table.lines(screen(80))[1], "x y\\u{1b}");
    }
}
