//! Random choices from a seed.

/// A xorshift generator.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Chance {
        let mut chance = Chance((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        chance.below(2);
        chance
    }

    /// Returns a number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % end as u64) as usize
    }

    pub fn of<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        match things.is_empty() {
            true => None,
            false => Some(&things[self.below(things.len())]),
        }
    }
}
