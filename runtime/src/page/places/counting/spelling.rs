//! What a token stands for, in the spellings in which APIs hide what it says: percent encoding, base64
//! and hexadecimal digits of any depth, the parts of a JWT, gzip and zlib.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::{LONGEST, parts};
use crate::page::paginator::Next;
use crate::page::places::is_token_name;
use crate::page::statements::plain as plain_name;
use crate::text::{from_base64, percent_decoded};

/// The most spellings within one another.
const DEEPEST: usize = 4;
/// The most readings of one token.
const MOST: usize = 24;

/// What a token stands for.
#[derive(Debug, PartialEq)]
pub(super) enum Spelled {
    Text(String),
    Bytes(Vec<u8>),
}

/// Returns the readings of a token, each with the spellings that lead to it.
///
/// ```text
/// MjA=   ("", "MjA="), ("b", "20"), …
/// ```
pub(super) fn readings(token: &str) -> Vec<(String, Spelled)> {
    let mut readings = vec![(String::new(), Spelled::Text(token.to_owned()))];
    let mut at = 0;
    while let Some((how, read)) = readings.get(at)
        && readings.len() < MOST
    {
        let next = match how.len() < DEEPEST {
            true => within(read),
            false => Vec::new(),
        };
        let next: Vec<_> = (next.into_iter())
            .map(|(spelling, read)| (format!("{how}{spelling}"), read))
            .collect();
        readings.extend(next);
        at += 1;
    }
    readings
}

/// Returns the readings of a token that are texts.
pub(super) fn texts(token: &str) -> Vec<(String, String)> {
    let readings = readings(token).into_iter();
    let texts = readings.filter_map(|(how, read)| match read {
        Spelled::Text(text) => Some((how, text)),
        Spelled::Bytes(_) => None,
    });
    texts.collect()
}

/// Returns the texts that a token, or the parameters of a link that may be one, stand for.
pub(in crate::page) fn spelled(next: &Next) -> Vec<String> {
    let values = match next {
        Next::First => Vec::new(),
        Next::Value(token) => vec![token.clone()],
        Next::Url(link) => parts(link)
            .into_iter()
            .filter(|(name, _)| is_of_token(name))
            .map(|(_, value)| value)
            .collect(),
    };
    let values = values.iter().filter(|value| value.len() <= LONGEST);
    values
        .flat_map(|value| texts(value))
        .map(|(_, text)| text)
        .collect()
}

/// Returns whether a parameter of a link may say where its page begins. Others, and segments of its path, are the same in
/// every link.
fn is_of_token(name: &str) -> bool {
    let name = plain_name(name);
    is_token_name(&name) || ["before", "max", "min", "since", "until"].contains(&name.as_str())
}

/// Returns what a text or bytes stand for in one spelling less, each with a letter for the spelling.
fn within(read: &Spelled) -> Vec<(char, Spelled)> {
    let mut found = Vec::new();
    match read {
        Spelled::Text(text) => {
            let decoded = percent_decoded(text);
            if decoded != *text {
                found.push(('p', Spelled::Text(decoded)));
            }
            found.extend(from_base64(text).map(|bytes| ('b', plain(bytes))));
            found.extend(from_hex(text).map(|bytes| ('h', plain(bytes))));
            let jwt = text.split('.').enumerate();
            let jwt = jwt.filter(|_| text.split('.').count() == 3);
            let part = |(at, part): (usize, &str)| {
                let letter = char::from_digit(u32::try_from(at).ok()?, 10)?;
                Some((letter, plain(from_base64(part)?)))
            };
            found.extend(jwt.filter_map(part));
        }
        Spelled::Bytes(bytes) => found.extend(unpacked(bytes).map(|bytes| ('z', plain(bytes)))),
    }
    found.retain(|(_, read)| !matches!(read, Spelled::Bytes(bytes) if bytes.is_empty()));
    found
}

/// Returns bytes as text, if they are printable.
fn plain(bytes: Vec<u8>) -> Spelled {
    match String::from_utf8(bytes) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => Spelled::Text(text),
        Ok(text) => Spelled::Bytes(text.into_bytes()),
        Err(error) => Spelled::Bytes(error.into_bytes()),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| {
        let digits = (pair.len() == 2).then(|| std::str::from_utf8(pair).ok())??;
        u8::from_str_radix(digits, 16).ok()
    };
    pairs.map(byte).collect()
}

/// Returns what packed bytes stand for.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let most = LONGEST as u64;
    match bytes {
        [0x1f, 0x8b, ..] => MultiGzDecoder::new(bytes).take(most).read_to_end(&mut text),
        [0x78, ..] => ZlibDecoder::new(bytes).take(most).read_to_end(&mut text),
        _ => return None,
    }
    .ok()?;
    Some(text)
}
