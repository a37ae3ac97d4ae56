//! Numbers that look random and are the same for the same seed (splitmix64).

/// Where the variety of made data comes from.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// 0 up to, and without, `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.number() % end.max(1)
    }

    /// 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Small ones are common, large ones rare, around `median`.
    pub fn skewed(&mut self, median: f64) -> u64 {
        // The sum of a few is near enough to a bell.
        let bell = (0..6).map(|_| self.unit()).sum::<f64>() - 3.0;
        (median * (bell * 2.0).exp()) as u64
    }

    /// One of these, the first ones much more often.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = (self.unit() * self.unit() * of.len() as f64) as usize;
        &of[at.min(of.len() - 1)]
    }
}
