//! The charset of a body: what a response declares as another one becomes UTF-8.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

/// Decodes a body whose content type declares another charset than UTF-8, or that begins with the
/// byte order mark of UTF-16; the content type then declares UTF-8. A body that is not in the
/// declared charset, or whose charset is unknown, stays as it is.
///
/// A server may declare a charset of one byte for everything it sends (`iso-8859-1` is a default of
/// some), so a body that is UTF-8 nevertheless is not decoded: text in such a charset is hardly ever
/// UTF-8 by chance.
pub(super) fn decode(headers: &mut HeaderMap, body: &mut Vec<u8>) {
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let (media, declared) = split(content_type.unwrap_or_default());
    let Some(encoding) = encoding(body, declared) else {
        return;
    };
    let (text, _, is_broken) = encoding.decode(body);
    if is_broken {
        return;
    }
    let now = HeaderValue::from_str(&format!("{media}; charset=utf-8"));
    *body = text.into_owned().into_bytes();
    if let Ok(now) = now {
        headers.insert(CONTENT_TYPE, now);
    }
}

/// Returns the encoding that a body must be decoded from; `None` if it is UTF-8 or unknown.
fn encoding(body: &[u8], declared: Option<&str>) -> Option<&'static Encoding> {
    match body {
        [0xff, 0xfe, ..] => return Some(UTF_16LE),
        [0xfe, 0xff, ..] => return Some(UTF_16BE),
        _ => {}
    }
    let label = declared?;
    let encoding = Encoding::for_label_no_replacement(label.as_bytes())?;
    if encoding == UTF_8 {
        return None;
    }
    if encoding == UTF_16LE || encoding == UTF_16BE {
        // The first character of a list is ASCII, which shows the order of the bytes.
        return match body {
            [0, second, ..] if *second != 0 => Some(UTF_16BE),
            [first, 0, ..] if *first != 0 => Some(UTF_16LE),
            _ => None,
        };
    }
    let is_utf8 = std::str::from_utf8(body).is_ok();
    (!encoding.is_single_byte() || !is_utf8).then_some(encoding)
}

/// Returns the media type and the charset of a content type.
fn split(content_type: &str) -> (&str, Option<&str>) {
    let mut parts = content_type.split(';');
    let media = parts.next().unwrap_or_default().trim();
    let charset = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let is_charset = name.trim().eq_ignore_ascii_case("charset");
        is_charset.then(|| value.trim().trim_matches(['"', '\'']))
    });
    (media, charset)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the body and the content type after decoding.
    fn decoded(content_type: &str, body: &[u8]) -> (Vec<u8>, String) {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        let mut body = body.to_vec();
        decode(&mut headers, &mut body);
        let content_type = headers[CONTENT_TYPE].to_str().unwrap().to_owned();
        (body, content_type)
    }

    fn utf16(text: &str, to: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to).collect()
    }

    #[test]
    fn what_is_declared_or_marked_is_decoded() {
        let json = r#"["é ü"]"#;
        let marked = format!("\u{feff}{json}");
        for (content_type, body) in [
            (
                "application/json; charset=iso-8859-1",
                b"[\"\xe9 \xfc\"]".to_vec(),
            ),
            (
                "application/json;odata=full;Charset=\"Windows-1252\"",
                b"[\"\xe9 \xfc\"]".to_vec(),
            ),
            ("application/json", utf16(&marked, u16::to_le_bytes)),
            ("application/json", utf16(&marked, u16::to_be_bytes)),
            (
                "application/json; charset=utf-16",
                utf16(json, u16::to_le_bytes),
            ),
            (
                "application/json; charset=utf-16",
                utf16(json, u16::to_be_bytes),
            ),
        ] {
            let (body, now) = decoded(content_type, &body);
            assert_eq!(String::from_utf8(body).unwrap(), json, "{content_type}");
            assert_eq!(now, "application/json; charset=utf-8");
        }
        // A character of GBK that is UTF-8 by chance.
        let (body, _) = decoded("text/csv; charset=gbk", b"\xc4\xa3");
        assert_eq!(String::from_utf8(body).unwrap(), "模");
    }

    #[test]
    fn what_is_utf_8_unknown_or_no_such_charset_stays() {
        let utf8 = r#"["é"]"#.as_bytes();
        for (content_type, body) in [
            ("application/json", b"[\"\xe9\"]".as_slice()),
            ("application/json; charset=utf-8", b"[\"\xe9\"]"),
            ("application/json; charset=martian", b"[\"\xe9\"]"),
            ("application/json; charset=shift_jis", b"[\"\xff\"]"),
            ("application/json; charset=iso-8859-1", utf8),
            ("application/json; charset=utf-16", utf8),
        ] {
            let (after, now) = decoded(content_type, body);
            assert_eq!((after.as_slice(), now.as_str()), (body, content_type));
        }
    }
}
