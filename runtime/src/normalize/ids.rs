//! Row ids: the same input gives the same id, on every machine and in every run.

use xxhash_rust::xxh3::xxh3_128;

/// 120 bits of a hash, as 20 characters.
pub(super) type Id = [u8; 20];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What an id is made from: parts that cannot run into one another.
#[derive(Default)]
pub(super) struct Hasher {
    bytes: Vec<u8>,
}

impl Hasher {
    /// Starts anew; ids of another kind are others.
    pub fn start(&mut self, kind: u8) -> &mut Self {
        self.bytes.clear();
        self.bytes.push(kind);
        self
    }

    pub fn part(&mut self, part: &[u8]) -> &mut Self {
        self.bytes
            .extend_from_slice(&(part.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(part);
        self
    }

    pub fn number(&mut self, number: u64) -> &mut Self {
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self
    }

    pub fn id(&self) -> Id {
        let mut hash = xxh3_128(&self.bytes);
        let mut id = [0; 20];
        for place in &mut id {
            *place = ALPHABET[(hash & 63) as usize];
            hash >>= 6;
        }
        id
    }
}

/// An id as text.
pub(super) fn text(id: &Id) -> &str {
    // The alphabet is ASCII.
    std::str::from_utf8(id).unwrap_or_default()
}
