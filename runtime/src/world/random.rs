//! Random numbers that spread retries, as a sequence determined by its seed.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A sequence of random numbers.
pub(super) struct Random {
    seed: u64,
    drawn: AtomicU64,
}

impl Random {
    pub fn new(seed: u64) -> Self {
        Random {
            seed,
            drawn: AtomicU64::new(0),
        }
    }

    /// Returns the next number in 0..1.
    pub fn fraction(&self) -> f64 {
        let place = self.drawn.fetch_add(1, Relaxed).to_le_bytes();
        (xxh3_64_with_seed(&place, self.seed) >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_decides_the_sequence() {
        let drawn = |seed| -> Vec<f64> {
            let random = Random::new(seed);
            (0..1000).map(|_| random.fraction()).collect()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert!(drawn(1).iter().all(|number| (0.0..1.0).contains(number)));
        let mean = drawn(1).iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }
}
