//! Response bodies: decompressed as they arrive, and limited in size.

mod gzip;

use std::io::{self, Write};

use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};

use self::gzip::Members;
use super::failure::Failure;
use crate::error::{Error, ErrorKind};
use crate::world::{Body, WireError};

/// The most memory that is allocated for a body before it arrives.
const SET_ASIDE: usize = 1 << 20;
/// How often a body may be packed.
const MOST_LAYERS: usize = 3;

/// A body, complete and decompressed.
pub(super) struct Whole {
    pub bytes: Vec<u8>,
    /// Whether it was packed: packed data has an end of its own.
    pub packed: bool,
}

/// Reads a body to its end, decompresses it, and removes the headers that describe its encoding.
/// Neither the received nor the decompressed body may be longer than `limit`. `failed` returns the
/// failure of a broken connection.
pub(super) async fn whole(
    body: &mut dyn Body,
    headers: &mut HeaderMap,
    limit: usize,
    failed: impl Fn(WireError) -> Failure,
) -> Result<Whole, Failure> {
    let length = headers.remove(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(too_long(limit));
    }
    let layers = layers(headers)?;
    let bounded = |set_aside: usize| Bounded {
        bytes: Vec::with_capacity(set_aside.min(SET_ASIDE)),
        limit,
    };
    let mut came = bounded(length.unwrap_or_default());
    let mut members = (layers > 0).then(|| Members::new(bounded(0)));
    let mut length = 0usize;
    while let Some(chunk) = body.chunk().await.map_err(&failed)? {
        length = length.saturating_add(chunk.len());
        if length > limit {
            return Err(too_long(limit));
        }
        let taken = match &mut members {
            None => came.write_all(&chunk),
            Some(members) => members.take(&chunk),
        };
        taken.map_err(|error| unreadable(&error, limit))?;
    }
    // A response without a body, such as 204, may still name an encoding.
    let Some(members) = members.filter(|_| length > 0) else {
        return Ok(Whole {
            bytes: came.bytes,
            packed: false,
        });
    };
    let unpacked = || {
        let mut bytes = members.end()?.bytes;
        for _ in 1..layers {
            let mut members = Members::new(bounded(0));
            members.take(&bytes)?;
            bytes = members.end()?.bytes;
        }
        Ok(bytes)
    };
    Ok(Whole {
        bytes: unpacked().map_err(|error| unreadable(&error, limit))?,
        packed: true,
    })
}

/// Returns how often a body is packed with gzip, and removes the headers that say so. Encodings stand
/// in any case, in one header or several, with `identity` for none.
fn layers(headers: &mut HeaderMap) -> Result<usize, Failure> {
    let named = headers.get_all(CONTENT_ENCODING).iter();
    let named: Vec<String> = named
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "identity")
        .collect();
    let known = |name: &&String| matches!(name.as_str(), "gzip" | "x-gzip");
    let unknown = named.iter().find(|name| !known(name));
    if let Some(unknown) = unknown.or_else(|| named.get(MOST_LAYERS)) {
        let message = format!(
            "the response is encoded as `{}`, which was not requested and cannot be decoded",
            match known(&unknown) {
                true => named.join(", "),
                false => unknown.clone(),
            }
        );
        let hint = "a proxy may do this; the API should honour `Accept-Encoding: gzip`";
        return Err(Failure::Final(
            Error::new(ErrorKind::Api, message).hint(hint),
        ));
    }
    headers.remove(CONTENT_ENCODING);
    Ok(named.len())
}

/// A buffer of limited length.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(bytes.len()) > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unreadable(error: &io::Error, limit: usize) -> Failure {
    match error.kind() {
        io::ErrorKind::FileTooLarge => too_long(limit),
        _ => Failure::Transient(format!("the response cannot be decompressed: {error}")),
    }
}

fn too_long(limit: usize) -> Failure {
    let message = format!("the response is longer than {limit} bytes, which is the limit");
    Failure::Final(
        Error::new(ErrorKind::Api, message).hint(
            "ask for smaller pages, or raise the limit with `.body_limit(bytes)` on the source",
        ),
    )
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use reqwest::header::HeaderValue;

    use super::*;
    use crate::world::{BoxFuture, WireError};

    /// A body in chunks of seven bytes.
    struct Sevens(Vec<u8>);

    impl Body for Sevens {
        fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, WireError>> {
            let rest = self.0.split_off(self.0.len().min(7));
            let chunk = std::mem::replace(&mut self.0, rest);
            Box::pin(async { Ok((!chunk.is_empty()).then(|| chunk.into())) })
        }
    }

    fn read(
        body: &[u8],
        headers: &[(&'static str, &'static str)],
        limit: usize,
    ) -> Result<String, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let read = runtime.block_on(whole(
            &mut Sevens(body.to_vec()),
            &mut map,
            limit,
            |_| unreachable!(),
        ));
        assert!(read.is_err() || map.is_empty(), "{map:?}");
        match read {
            Ok(whole) => Ok(String::from_utf8(whole.bytes).unwrap()),
            Err(Failure::Final(error) | Failure::NotHttp(error)) => Err(format!("final: {error}")),
            Err(Failure::Transient(error) | Failure::Unreachable(error)) => {
                Err(format!("transient: {error}"))
            }
        }
    }

    fn gzip(text: &str) -> Vec<u8> {
        pack(text.as_bytes())
    }

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    const GZIP: [(&str, &str); 1] = [("content-encoding", "gzip")];

    #[test]
    fn bodies_are_unpacked_chunk_by_chunk() {
        assert_eq!(read(b"plain text", &[], 10), Ok("plain text".into()));
        assert_eq!(
            read(&gzip("packed text"), &GZIP, 100),
            Ok("packed text".into())
        );
        let two = [gzip("one "), gzip("two")].concat();
        assert_eq!(read(&two, &GZIP, 100), Ok("one two".into()));
        assert_eq!(read(b"", &GZIP, 100), Ok(String::new()));
    }

    #[test]
    fn an_encoding_is_named_in_any_case_and_more_than_once() {
        for names in [
            &["GZIP"][..],
            &["Gzip"],
            &["x-gzip"],
            &["X-GZip"],
            &[" gzip "],
            &["identity, gzip"],
            &["gzip,"],
            &["identity", "gzip"],
        ] {
            let headers: Vec<_> = names
                .iter()
                .map(|name| ("content-encoding", *name))
                .collect();
            let came = read(&gzip("packed text"), &headers, 100);
            assert_eq!(came, Ok("packed text".into()), "{names:?}");
        }
        let packed = |times: usize| (0..times).fold(b"text".to_vec(), |bytes, _| pack(&bytes));
        for (names, times) in [
            (&["gzip, gzip"][..], 2),
            (&["gzip", "x-gzip"], 2),
            (&["gzip,gzip,gzip"], 3),
            (&["Identity"], 0),
            (&[""], 0),
        ] {
            let headers: Vec<_> = names
                .iter()
                .map(|name| ("content-encoding", *name))
                .collect();
            let came = read(&packed(times), &headers, 1000);
            assert_eq!(came, Ok("text".into()), "{names:?}");
        }
        for names in ["gzip, br", "BR, gzip", "gzip, gzip, gzip, gzip", "g\u{fc}"] {
            let error = read(b"x", &[("content-encoding", names)], 100).unwrap_err();
            assert!(
                error.starts_with("final: the response is encoded as"),
                "{error}"
            );
        }
    }

    #[test]
    fn nothing_behind_a_packed_body_is_lost() {
        let one = gzip("one ");
        let unpacked = |parts: &[&[u8]]| read(&parts.concat(), &GZIP, 1000);
        let two = gzip("two");
        // Members follow each other, and zeros fill a block.
        assert_eq!(unpacked(&[&one, &two]), Ok("one two".into()));
        assert_eq!(unpacked(&[&one, &[0; 700]]), Ok("one ".into()));
        assert_eq!(unpacked(&[&one, &two, &[0]]), Ok("one two".into()));
        assert_eq!(unpacked(&[&gzip(""), &one]), Ok("one ".into()));
        // What is no member may be the rest of one, or a damaged one.
        for behind in [
            b"text".as_slice(),
            b"\n",
            &[0x1f],
            &[0x1f, 0x8b, 8],
            &two[..two.len() - 1],
            &[0, 0, b'x'],
            &[&[0; 9], two.as_slice()].concat(),
        ] {
            let error = unpacked(&[&one, behind]).unwrap_err();
            assert!(error.starts_with("transient: "), "{behind:?}: {error}");
        }
        // The checksum and the length of each member hold.
        for at in [1, 5] {
            let mut bad = one.clone();
            let at = bad.len() - at;
            bad[at] ^= 1;
            assert!(unpacked(&[&bad, &two]).is_err());
        }
        assert!(unpacked(&[&[0; 10]]).is_err());
    }

    #[test]
    fn neither_what_comes_nor_what_is_unpacked_passes_the_limit() {
        let long = |read: Result<String, String>| {
            let error = read.unwrap_err();
            assert!(
                error.starts_with("final: the response is longer than"),
                "{error}"
            );
        };
        long(read(b"eleven here", &[], 10));
        long(read(b"", &[("content-length", "11")], 10));
        let bomb = gzip(&"a".repeat(1 << 20));
        assert!(bomb.len() < 2000);
        long(read(&bomb, &GZIP, (1 << 20) - 1));
        assert_eq!(read(&bomb, &GZIP, 1 << 20).unwrap().len(), 1 << 20);
    }

    #[test]
    fn what_is_cut_or_not_packed_at_all_is_worth_another_try() {
        let cut = gzip("packed text");
        for bad in [&cut[..cut.len() - 3], b"plain text"] {
            let error = read(bad, &GZIP, 100).unwrap_err();
            assert!(error.starts_with("transient: "), "{error}");
        }
        let error = read(b"x", &[("content-encoding", "br")], 100).unwrap_err();
        assert!(
            error.starts_with("final: the response is encoded as `br`"),
            "{error}"
        );
    }
}
