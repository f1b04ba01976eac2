//! Response bodies: decompressed as they arrive, and limited in size.

use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};

use super::failure::Failure;
use crate::error::{Error, ErrorKind};
use crate::world::{Body, WireError};

/// The most memory that is allocated for a body before it arrives.
const SET_ASIDE: usize = 1 << 20;

/// Reads a body to its end, decompresses it, and removes the headers that describe its encoding.
/// Neither the received nor the decompressed body may be longer than `limit`. `failed` returns the
/// failure of a broken connection.
pub(super) async fn whole(
    body: &mut dyn Body,
    headers: &mut HeaderMap,
    limit: usize,
    failed: impl Fn(WireError) -> Failure,
) -> Result<Vec<u8>, Failure> {
    let length = headers.remove(CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(too_long(limit));
    }
    let set_aside = length.unwrap_or_default().min(SET_ASIDE);
    let plain = Bounded {
        bytes: Vec::with_capacity(set_aside),
        limit,
    };
    let mut unpacked = match encoding(headers)? {
        Encoding::Plain => Unpacked::Plain(plain),
        Encoding::Gzip => Unpacked::Gzip(Box::new(MultiGzDecoder::new(plain))),
    };
    let mut came = 0usize;
    while let Some(chunk) = body.chunk().await.map_err(&failed)? {
        came = came.saturating_add(chunk.len());
        if came > limit {
            return Err(too_long(limit));
        }
        unpacked
            .take(&chunk)
            .map_err(|error| unreadable(&error, limit))?;
    }
    // A response without a body, such as 204, may still name an encoding.
    if came == 0 {
        return Ok(Vec::new());
    }
    unpacked.end().map_err(|error| unreadable(&error, limit))
}

enum Encoding {
    Plain,
    Gzip,
}

fn encoding(headers: &mut HeaderMap) -> Result<Encoding, Failure> {
    let named = headers.get(CONTENT_ENCODING).cloned();
    let named = named.as_ref().map(|value| value.to_str().unwrap_or("?"));
    match named {
        None | Some("identity") => Ok(Encoding::Plain),
        Some("gzip" | "x-gzip") => {
            headers.remove(CONTENT_ENCODING);
            Ok(Encoding::Gzip)
        }
        Some(other) => {
            let message = format!(
                "the response is encoded as `{other}`, which was not requested and cannot be decoded"
            );
            let hint = "a proxy may do this; the API should honour `Accept-Encoding: gzip`";
            Err(Failure::Final(
                Error::new(ErrorKind::Api, message).hint(hint),
            ))
        }
    }
}

enum Unpacked {
    Plain(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

impl Unpacked {
    fn take(&mut self, chunk: &Bytes) -> io::Result<()> {
        match self {
            Unpacked::Plain(out) => out.write_all(chunk),
            Unpacked::Gzip(decoder) => decoder.write_all(chunk),
        }
    }

    fn end(self) -> io::Result<Vec<u8>> {
        match self {
            Unpacked::Plain(out) => Ok(out.bytes),
            Unpacked::Gzip(decoder) => Ok(decoder.finish()?.bytes),
        }
    }
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
    use flate2::Compression;
    use flate2::write::GzEncoder;

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
            map.insert(*name, value.parse().unwrap());
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
            Ok(bytes) => Ok(String::from_utf8(bytes).unwrap()),
            Err(Failure::Final(error) | Failure::NotHttp(error)) => Err(format!("final: {error}")),
            Err(Failure::Transient(error) | Failure::Unreachable(error)) => {
                Err(format!("transient: {error}"))
            }
        }
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text.as_bytes()).unwrap();
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
