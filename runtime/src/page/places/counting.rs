//! Links and tokens that count rows or pages under any name and in any spelling: compared with the one
//! before, a number in them grows from page to page by one page, or by the rows of one. The first one
//! cannot be compared: there, a number within its text is one if it equals the rows or pages so far.

mod shown;
mod spelling;

use std::ops::Deref;

use etlgen_model::Paginator;

use crate::page::advance::PageFacts;
use crate::page::paginator::{Next, Pager, Position};
use crate::text::percent_decoded;
pub(in crate::page) use spelling::spelled;
use spelling::{Spelled, readings, texts};

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

    /// Compares two values of one parameter, or two tokens, in every spelling.
    fn of_values(&self, before: &str, after: &str) -> bool {
        if before == after || before.len().max(after.len()) > LONGEST {
            return false;
        }
        let old = readings(before);
        readings(after).iter().any(|(how, new)| {
            let mut same = old.iter().filter(|(other, _)| other == how);
            same.any(|(_, old)| match (old, new) {
                (Spelled::Text(old), Spelled::Text(new)) => {
                    self.of_texts(old, new) || self.of_words(old, new)
                }
                (Spelled::Bytes(old), Spelled::Bytes(new)) => self.of_bytes(old, new),
                _ => false,
            })
        })
    }

    /// Returns whether two tokens, the one at this step and the one `after` it, each have the number of
    /// rows or pages so far as a word, whatever else is in them (`20_9f3c`, a nonce beside it).
    fn grows_to(&self, after: &Step<'_>, (old, new): (&str, &str)) -> bool {
        if old.len().max(new.len()) > LONGEST {
            return false;
        }
        let (old, new) = (texts(old), texts(new));
        let counts = |how: &str, text: &str| {
            let mut same = old.iter().filter(|(other, _)| other == how);
            let new = after.word_of(text);
            same.any(|(_, old)| self.word_of(old).is_some_and(|old| Some(old) < new))
        };
        new.iter().any(|(how, text)| counts(how, text))
    }

    /// Returns the largest number among the words of a text that counts rows or pages.
    fn word_of(&self, text: &str) -> Option<u64> {
        let words = text.split(|c: char| !c.is_alphanumeric());
        let numbers = words.filter_map(|word| word.parse().ok());
        let counts = numbers.filter(|number| self.is_count(*number));
        counts.max().filter(|_| !is_time(text))
    }

    /// Compares two texts word by word: beside a number that counts, they may have others, such as
    /// signatures. A word may be a hexadecimal number.
    fn of_words(&self, before: &str, after: &str) -> bool {
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric());
            words.map(str::to_owned).collect()
        };
        let (old, new) = (words(before), words(after));
        let named = |word: &str| self.last_id.is_some_and(|id| runs(id).contains(&word));
        if let (Ok(old), Ok(new)) = (before.parse::<u64>(), after.parse::<u64>()) {
            // It counts the rows that are left.
            let left = old.checked_sub(new) == Some(self.width) && self.width > 1;
            return left && !named(after) || self.of_numbers(before, after, 16);
        }
        let mut pairs = old.iter().zip(&new).filter(|(old, new)| old != new);
        old.len() == new.len()
            && !is_time(after)
            && pairs.any(|(old, new)| {
                let counts = self.of_numbers(old, new, 10) || self.of_numbers(old, new, 16);
                counts && !named(new)
            })
    }

    /// Returns whether two numbers with this base count exactly the rows before a page.
    fn of_numbers(&self, before: &str, after: &str, base: u32) -> bool {
        let number = |text: &str| {
            let digits = text.strip_prefix("0x").unwrap_or(text);
            u64::from_str_radix(digits, base).ok()
        };
        number(before)
            .zip(number(after))
            .is_some_and(|(old, new)| self.counts_rows(old, new))
    }

    fn counts_rows(&self, old: u64, new: u64) -> bool {
        let grown = new.checked_sub(old) == Some(self.width);
        grown && self.width > 1 && new.abs_diff(self.rows) <= 1
    }

    /// Compares two binary tokens, which differ in one number: of one to eight bytes, or a varint.
    fn of_bytes(&self, before: &[u8], after: &[u8]) -> bool {
        if before.len() != after.len() {
            return false;
        }
        let differ = |(old, new): (&u8, &u8)| old != new;
        let pairs = || before.iter().zip(after);
        let (Some(first), Some(last)) = (pairs().position(differ), pairs().rposition(differ))
        else {
            return false;
        };
        let numbers = |bytes: &[u8]| {
            let little = bytes
                .iter()
                .rev()
                .fold(0, |n, byte| n << 8 | u64::from(*byte));
            let big = bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
            let bits = bytes.iter().rev();
            let varint = bits.fold(0, |n, byte| n << 7 | u64::from(byte & 0x7f));
            [little, big, varint]
        };
        [1, 2, 4, 8].into_iter().any(|width: usize| {
            let starts = (last + 1).saturating_sub(width)..=first;
            starts.into_iter().any(|start| {
                let parts = before
                    .get(start..start + width)
                    .zip(after.get(start..start + width));
                parts.is_some_and(|(old, new)| {
                    let mut pairs = numbers(old).into_iter().zip(numbers(new));
                    pairs.any(|(old, new)| self.counts_rows(old, new))
                })
            })
        })
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
            Some(grown) if grown > self.width => {
                new <= farthest && new.saturating_add(1) >= self.rows
            }
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
pub(super) fn parts(link: &str) -> Vec<(String, String)> {
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
            ("20", "5"),
            ("2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z"),
            ("t10x", "t20y"),
            ("a", "b"),
            ("Zm9v", "YmFy"),
            ("99999999999999999999999", "99999999999999999999998"),
            ("5", "18446744073709551615"),
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

    #[test]
    fn positions_are_seen_in_every_spelling() {
        let step = step(20, 10, Some("x"));
        let spellings: [fn(u64) -> String; 16] = [
            |at| base64(base64(at.to_string().as_bytes()).as_bytes()),
            |at| hex(at.to_string().as_bytes()),
            |at| format!("{at:x}"),
            |at| format!("0x{at:04x}"),
            |at| base64(&[8, at as u8]),
            |at| base64(&[8, at as u8, 16, 0]),
            |at| base64(&at.to_be_bytes()),
            |at| hex(&(at as u32).to_le_bytes()),
            |at| (53 - at).to_string(),
            |at| {
                let part = |text: &str| base64(text.as_bytes()).trim_end_matches('=').to_owned();
                let payload = part(&format!("{{\"offset\": {at}}}"));
                format!("{}.{payload}.{}", part("{\"alg\": \"HS256\"}"), nonce(at))
            },
            |at| format!("{at}_{}", nonce(at)),
            |at| format!("{}-{at}", nonce(at)),
            |at| base64(format!("{{\"nonce\": \"{}\", \"offset\": {at}}}", nonce(at)).as_bytes()),
            |at| format!("00000000-0000-4000-8000-{at:012x}"),
            |at| base64(&packed(&format!("{{\"offset\": {at}}}"), true)),
            |at| base64(&packed(&format!("{{\"offset\": {at}}}"), false)),
        ];
        for spelling in spellings {
            let (before, after) = (spelling(10), spelling(20));
            assert!(step.of_values(&before, &after), "{before} {after}");
            // The same spelling of something else counts nothing.
            let (before, after) = (spelling(13), spelling(47));
            assert!(!step.of_values(&before, &after), "{before} {after}");
        }
    }

    #[test]
    fn binary_tokens_with_a_key_or_a_signature_are_no_positions() {
        let step = step(20, 10, Some("20"));
        for seed in 0..2_000_u64 {
            let token = |at: u64| {
                let hash =
                    xxhash_rust::xxh3::xxh3_128(&[seed.to_le_bytes(), at.to_le_bytes()].concat());
                base64(&hash.to_le_bytes())
            };
            let (before, after) = (token(1), token(2));
            assert!(!step.of_values(&before, &after), "{seed}: {before} {after}");
        }
        let key =
            |id: u64| base64(format!("{{\"at\": \"{}\", \"id\": {id}}}", nonce(id)).as_bytes());
        assert!(!step.of_values(&key(10), &key(20)));
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn nonce(of: u64) -> String {
        format!(
            "f{:07x}z",
            xxhash_rust::xxh3::xxh3_64(&of.to_le_bytes()) & 0xfff_ffff
        )
    }

    fn packed(text: &str, gzip: bool) -> Vec<u8> {
        use flate2::Compression;
        use flate2::write::{GzEncoder, ZlibEncoder};
        use std::io::Write;
        match gzip {
            true => {
                let mut to = GzEncoder::new(Vec::new(), Compression::default());
                to.write_all(text.as_bytes()).unwrap();
                to.finish().unwrap()
            }
            false => {
                let mut to = ZlibEncoder::new(Vec::new(), Compression::default());
                to.write_all(text.as_bytes()).unwrap();
                to.finish().unwrap()
            }
        }
    }
}
