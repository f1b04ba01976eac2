//! Data packed with gzip (RFC 1952): members one after another, whose contents are joined, and zeros
//! behind the last one, with which some writers fill a block. Anything else behind a member is an
//! error, since it may be the rest of the data.

use std::io::{self, Write};

use flate2::write::GzDecoder;

/// Unpacks the members of a body as its bytes arrive.
pub(super) struct Members<W: Write> {
    place: Place<W>,
}

/// What comes next.
enum Place<W: Write> {
    /// The first member, or another one.
    Within(Box<GzDecoder<W>>),
    /// A member or zeros.
    Behind(W),
    /// Zeros.
    Padding(W),
    /// Nothing: the data has been found to be broken.
    Broken,
}

impl<W: Write> Members<W> {
    /// Creates a reader whose unpacked bytes go to `out`.
    pub fn new(out: W) -> Self {
        Members {
            place: Place::Within(Box::new(GzDecoder::new(out))),
        }
    }

    /// Takes the next bytes.
    pub fn take(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while let Some(first) = bytes.first() {
            self.place = match std::mem::replace(&mut self.place, Place::Broken) {
                Place::Within(mut member) => match member.write(bytes)? {
                    // The member has ended.
                    0 => Place::Behind(member.finish()?),
                    taken => {
                        bytes = bytes.get(taken..).unwrap_or_default();
                        Place::Within(member)
                    }
                },
                Place::Behind(out) if *first != 0 => Place::Within(Box::new(GzDecoder::new(out))),
                Place::Behind(out) | Place::Padding(out) => {
                    if bytes.iter().any(|byte| *byte != 0) {
                        return Err(broken("data follows the zeros behind it"));
                    }
                    bytes = &[];
                    Place::Padding(out)
                }
                Place::Broken => return Err(broken("it is broken")),
            };
        }
        Ok(())
    }

    /// Ends the data; returns where it went.
    pub fn end(self) -> io::Result<W> {
        match self.place {
            Place::Within(member) => member.finish(),
            Place::Behind(out) | Place::Padding(out) => Ok(out),
            Place::Broken => Err(broken("it is broken")),
        }
    }
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
