//! Bytes and decimals as text, and hints with names.

use std::borrow::Cow;
use std::fmt::Write;

use etlgen_model::nearest;

/// Encodes bytes in standard base64 with padding, as RFC 7617 requires.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group =
            chunk.iter().fold(0u32, |n, b| (n << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            if i <= chunk.len() {
                text.push(ALPHABET[(group >> (18 - 6 * i)) as usize & 63] as char);
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// Decodes base64 in either alphabet, with or without padding; `None` if the text is none.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut group, mut bits) = (0_u32, 0);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        (group, bits) = ((group << 6 | u32::from(value)) & 0xfff, bits + 6);
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits) as u8);
        }
    }
    // What is left is padding.
    (bits < 6 && group & ((1 << bits) - 1) == 0).then_some(bytes)
}

/// Decodes `%41` and the like; other bytes stay as they are.
pub(crate) fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.split_at_checked(2).filter(|_| *byte == b'%');
        let escaped = hex.and_then(|(hex, behind)| {
            let hex = std::str::from_utf8(hex).ok()?;
            Some((u8::from_str_radix(hex, 16).ok()?, behind))
        });
        let (byte, behind) = escaped.unwrap_or((*byte, after));
        decoded.push(byte);
        rest = behind;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Decodes UTF-8. Each byte that is not valid becomes U+FFFD and its two hexadecimal digits, so that
/// texts that differ only in such bytes stay different: `a\xff` becomes `a\u{fffd}ff`.
pub(crate) fn lossless(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 16);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(text, "\u{fffd}{byte:02x}");
        }
    }
    Cow::Owned(text)
}

/// The most names in a hint.
const SHOWN: usize = 8;

/// Returns a hint for an unknown name: the nearest name, or else the first ones.
pub(crate) fn alternatives(wanted: &str, names: &[&str]) -> String {
    if let Some(near) = nearest(wanted, names.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    match names {
        [] => "there are none".to_owned(),
        names => format!("there are {}", listed(names)),
    }
}

/// Lists the first names: `` `a`, `b` and 3 more ``.
pub(crate) fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The width of text for people.
const WIDTH: usize = 80;

/// Wraps a text between words in lines of at most 80 characters. The first line begins with `head`,
/// the others and those after a line break with `indent` blanks. Longer words stay whole.
pub(crate) fn wrapped(head: &str, indent: usize, text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut left = head.to_owned();
    for (at, line) in text.lines().enumerate() {
        if at > 0 {
            lines.push(std::mem::replace(&mut left, " ".repeat(indent)));
        }
        for (at, word) in line.trim_start().split(' ').enumerate() {
            if at > 0 && left.chars().count() + 1 + word.chars().count() > WIDTH {
                lines.push(std::mem::replace(&mut left, " ".repeat(indent)));
            } else if at > 0 {
                left.push(' ');
            }
            left.push_str(word);
        }
    }
    lines.push(left);
    lines
}

/// Returns a text of at most this many characters: of a longer one its beginning and its end.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    let length = text.chars().count();
    if length <= most {
        return Cow::Borrowed(text);
    }
    let kept = most.saturating_sub(1);
    let tail = kept / 3;
    let head: String = text.chars().take(kept.saturating_sub(tail)).collect();
    let tail: String = text.chars().skip(length.saturating_sub(tail)).collect();
    Cow::Owned(format!("{head}…{tail}"))
}

/// Formats the exact number without trailing zeros (`-12.5`).
pub(crate) fn decimal(value: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let part = part.trim_end_matches('0');
    let (sign, point) = (
        if value < 0 { "-" } else { "" },
        if part.is_empty() { "" } else { "." },
    );
    format!("{sign}{whole}{point}{part}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_nearest_name_or_the_first_ones() {
        let names = ["orders", "invoices"];
        assert_eq!(alternatives("order", &names), "did you mean `orders`?");
        assert_eq!(alternatives("x", &names), "there are `orders`, `invoices`");
        let many: Vec<String> = (10..36).map(|n| format!("resource{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let hint = alternatives("x", &many);
        assert!(hint.ends_with("`resource17` and 18 more"), "{hint}");
    }

    #[test]
    fn lines_are_wrapped_between_words() {
        let text = format!("{} {}\n  next", "a".repeat(70), "b".repeat(100));
        let lines = wrapped("  ", 4, &text);
        let expected = [
            format!("  {}", "a".repeat(70)),
            format!("    {}", "b".repeat(100)),
        ];
        assert_eq!(lines[..2], expected);
        assert_eq!(lines[2], "    next");
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_end() {
        assert_eq!(shortened("GET /a", 6), "GET /a");
        assert_eq!(shortened("GET /abcdefghij", 10), "GET /a…hij");
        assert_eq!(shortened("äöüäöü", 4), "äö…ü");
        assert_eq!(shortened("abc", 0), "…");
    }

    #[test]
    fn base64_is_decoded_in_all_forms() {
        for bytes in [
            &b""[..],
            b"f",
            b"fo",
            b"foo",
            b"\xfb\xff?>~20",
            b"{\"offset\": 20}",
        ] {
            let text = base64(bytes);
            assert_eq!(from_base64(&text).as_deref(), Some(bytes), "{text}");
            let bare = text
                .trim_end_matches('=')
                .replace('+', "-")
                .replace('/', "_");
            assert_eq!(from_base64(&bare).as_deref(), Some(bytes), "{bare}");
        }
        for none in ["a", "a b", "offset:20", "Zh", "\u{e4}"] {
            assert_eq!(from_base64(none), None, "{none}");
        }
    }

    #[test]
    fn base64_pads_as_rfc_4648_says() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn texts_that_differ_in_invalid_bytes_stay_different() {
        for (bytes, text) in [
            (&b"caf\xc3\xa9"[..], "caf\u{e9}"),
            (b"caf\xe9!", "caf\u{fffd}e9!"),
            (b"\xff", "\u{fffd}ff"),
            (b"\xf0\x9f\x92", "\u{fffd}f0\u{fffd}9f\u{fffd}92"),
        ] {
            assert_eq!(lossless(bytes), text);
        }
    }

    #[test]
    fn decimals_have_no_trailing_zeros() {
        for (value, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (-12_500_000_000, "-12.5"),
            (7_000_000_000, "7"),
        ] {
            assert_eq!(decimal(value, 9), text);
        }
    }
}
