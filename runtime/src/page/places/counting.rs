//! Links and tokens that count rows or pages under any name: compared with the one before, a number
//! in them grows from page to page by one page, or by the rows of one. The first one cannot be
//! compared: there, a number within its text is one if it equals the rows or pages so far.

mod shown;

use std::ops::Deref;

use etlgen_model::Paginator;

use crate::page::advance::PageFacts;
use crate::page::paginator::{Next, Pager, Position};
use crate::text::{from_base64, percent_decoded};

/// Longer links and tokens are not compared.
const LONGEST: usize = 4_096;

/// What has been received of a list up to a page, and the page.
struct Step<'a> {
    /// Rows and pages up to the end of the page.
    rows: u64,
    pages: u64,
    /// The rows of the page.
    width: u64,
    /// The id of its last record, which a link may name.
    last_id: Option<&'a str>,
}

impl Pager {
    /// Returns whether the link or token of the page after this one, at `next`, counts rows or pages
    /// in a way that it does not show alone.
    pub(in crate::page) fn counts(
        &self,
        position: &Position,
        next: &Position,
        page: &PageFacts<'_>,
    ) -> bool {
        let step = |at: &Position| Step {
            rows: at.rows,
            pages: at.pages,
            width: page.rows,
            last_id: page.last_id.as_deref(),
        };
        let (before, after) = (step(position), step(next));
        let counts = match (self.deref(), &position.next, &next.next) {
            (Paginator::Token(_), Next::First, Next::Value(first)) => after.is_shown_in(first),
            (Paginator::Token(_), Next::Value(old), Next::Value(new)) => {
                after.of_values(old, new)
                    || before.is_shown_in(old) && after.is_shown_in(new)
                    || before.grows_to(&after, (old, new))
            }
            (_, Next::First, Next::Url(first)) => after.is_shown_in_link(first),
            (_, Next::Url(old), Next::Url(new)) => {
                after.of_links(old, new)
                    || before.is_shown_in_link(old) && after.is_shown_in_link(new)
            }
            _ => false,
        };
        counts && !self.is_place(next)
    }
}

impl Step<'_> {
    fn of_links(&self, before: &str, after: &str) -> bool {
        let (before, after) = (parts(before), parts(after));
        let mut pairs = after.iter().filter_map(|(name, value)| {
            let same = before.iter().find(|(other, _)| other == name);
            Some((same?.1.as_str(), value.as_str()))
        });
        pairs.any(|(before, after)| self.of_values(before, after))
    }

    /// Compares two values of one parameter, or two tokens, also as what they encode.
    fn of_values(&self, before: &str, after: &str) -> bool {
        if before == after || before.len().max(after.len()) > LONGEST {
            return false;
        }
        READINGS.iter().any(|read| {
            let texts = read(before).zip(read(after));
            texts.is_some_and(|(before, after)| self.of_texts(&before, &after))
        })
    }

    /// Returns whether two tokens, the one at this step and the one `after` it, each have the number of
    /// rows or pages so far as a word, whatever else is in them (`20_9f3c`, a nonce beside it).
    fn grows_to(&self, after: &Step<'_>, (old, new): (&str, &str)) -> bool {
        old.len().max(new.len()) <= LONGEST
            && READINGS.iter().any(|read| {
                let counts = read(old).zip(read(new));
                let counts = counts.map(|(old, new)| (self.word_of(&old), after.word_of(&new)));
                counts.is_some_and(|(old, new)| old.is_some() && old < new)
            })
    }

    /// Returns the largest number among the words of a text that counts rows or pages.
    fn word_of(&self, text: &str) -> Option<u64> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        let numbers = words.filter_map(|word| word.parse().ok());
        let counts = numbers.filter(|number| self.is_count(*number));
        counts.max().filter(|_| !is_time(text))
    }

    /// Compares two texts: all numbers that differ have grown as positions do, and the rest is the
    /// same.
    fn of_texts(&self, before: &str, after: &str) -> bool {
        let (old, new) = (runs(before), runs(after));
        if old.len() != new.len() || is_time(after) {
            return false;
        }
        let mut differ = old
            .iter()
            .zip(&new)
            .filter(|(old, new)| old != new)
            .peekable();
        differ.peek().is_some() && differ.all(|(old, new)| self.is_position(old, new))
    }

    fn is_position(&self, before: &str, after: &str) -> bool {
        let (Ok(old), Ok(new)) = (before.parse::<u64>(), after.parse::<u64>()) else {
            return false;
        };
        let near = |count: u64| new.abs_diff(count) <= 1;
        // A number that names the last record means the same after the list has changed.
        if self.last_id.is_some_and(|id| runs(id).contains(&after)) && !near(self.rows) {
            return false;
        }
        // An id or a time is larger than the number of rows so far; the end of a range is a page
        // further.
        let farthest = self.rows.saturating_add(self.width).saturating_add(1);
        match new.checked_sub(old) {
            Some(1) => near(self.pages),
            // An API that leaves rows out counts those that it was asked for.
            Some(grown) if grown > self.width => new + 1 >= self.rows && new <= farthest,
            Some(grown) => grown == self.width && grown > 0 && new <= farthest,
            None => false,
        }
    }
}

/// Returns the runs of digits of a text, and of other characters between them.
fn runs(text: &str) -> Vec<&str> {
    let mut runs = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = first.is_ascii_digit();
        let end = rest.find(|char: char| char.is_ascii_digit() != digits);
        let (run, after) = rest.split_at(end.unwrap_or(rest.len()));
        runs.push(run);
        rest = after;
    }
    runs
}

/// Returns whether a text has a day: its digits grow from page to page without counting anything.
fn is_time(text: &str) -> bool {
    let runs = runs(text);
    runs.windows(5).any(|part| {
        let lengths = [part[0], part[2], part[4]].map(str::len);
        lengths == [4, 2, 2] && part[1] == "-" && part[3] == "-"
    })
}

/// Returns the parts of a link by name: its parameters, and the segments of its path by their
/// number.
fn parts(link: &str) -> Vec<(String, String)> {
    let link = link.split('#').next().unwrap_or_default();
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let path = path.split_once("://").map_or(path, |(_, path)| path);
    let segments = path.split('/').enumerate();
    let segments = segments.map(|(at, segment)| (format!("/{at}"), percent_decoded(segment)));
    let query = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (percent_decoded(name), percent_decoded(value))
    });
    segments.chain(query).collect()
}

/// The ways to read a token: as it is, in base64, twice in base64, and in hexadecimal digits.
const READINGS: [fn(&str) -> Option<String>; 4] = [
    |token| Some(token.to_owned()),
    from_text,
    |token| from_text(&from_text(token)?),
    |token| printable(from_hex(token)?),
];

/// Returns the printable text that a token in base64 stands for.
fn from_text(token: &str) -> Option<String> {
    printable(from_base64(token)?)
}

/// Decodes pairs of hexadecimal digits.
fn from_hex(token: &str) -> Option<Vec<u8>> {
    let digits = token.chars().map(|c| c.to_digit(16));
    let digits: Vec<u32> = digits.collect::<Option<_>>()?;
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    });
    bytes.collect()
}

fn printable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let is_printable = !text.is_empty() && !text.chars().any(char::is_control);
    is_printable.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::base64;

    fn step(rows: u64, width: u64, last_id: Option<&str>) -> Step<'_> {
        Step {
            rows,
            pages: rows / width,
            width,
            last_id,
        }
    }

    #[test]
    fn numbers_that_grow_by_a_page_or_its_rows_are_positions() {
        let step = step(20, 10, Some("x"));
        for (before, after) in [
            ("10", "20"),
            ("9", "19"),
            ("11", "21"),
            ("2", "3"),
            ("1", "2"),
            ("p2", "p3"),
            ("offset:10", "offset:20"),
            ("10-19", "20-29"),
        ] {
            assert!(step.of_values(before, after), "{before} {after}");
            let (before, after) = (base64(before.as_bytes()), base64(after.as_bytes()));
            assert!(step.of_values(&before, &after), "{before} {after}");
        }
        let json = |offset: u64| base64(format!("{{\"offset\": {offset}}}").as_bytes());
        assert!(step.of_values(&json(10), &json(20)));
        let twice = |offset: u64| base64(json(offset).as_bytes());
        assert!(step.of_values(&twice(10), &twice(20)));
        assert!(step.of_values("3130", "3230"));
        for (before, after) in [
            ("/x?p=2", "/x?p=3"),
            ("/x?%24skip=10&a=b", "/x?%24skip=20&a=b"),
            ("https://h1/x/page/2", "https://h1/x/page/3"),
            ("/x?range=10-19", "/x?range=20-29"),
            ("/x?t=ab&p=2", "/x?t=cd&p=3"),
        ] {
            assert!(step.of_links(before, after), "{before} {after}");
        }
    }

    #[test]
    fn ids_times_and_opaque_tokens_are_no_positions() {
        let step = step(20, 10, Some("1020"));
        for (before, after) in [
            ("1010", "1020"),
            ("1700000010", "1700000020"),
            ("77", "78"),
            ("10", "45"),
            ("20", "10"),
            ("2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"),
            ("t10x", "t20y"),
            ("a", "b"),
            ("Zm9v", "YmFy"),
            ("99999999999999999999999", "99999999999999999999998"),
        ] {
            assert!(!step.of_values(before, after), "{before} {after}");
        }
        for (before, after) in [
            ("/x?after=1010&limit=10", "/x?after=1020&limit=10"),
            ("/x?cursor=abc", "/x?cursor=abd"),
            ("/x", "/x?p=3"),
        ] {
            assert!(!step.of_links(before, after), "{before} {after}");
        }
    }
}
