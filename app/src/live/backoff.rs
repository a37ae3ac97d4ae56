//! When to try again.

/// Milliseconds before try number `failures` (1 is the first): 1, 2, 4, 8, 16 s and then always
/// 16 s, each times 0.5 to 1.5, so that a thousand pages do not come back at once. `chance` is a
/// random number from 0 to 1.
pub fn delay_ms(failures: u32, chance: f64) -> u64 {
    let whole = 1000_u64 << failures.saturating_sub(1).min(4);
    // A whole number under 24,000 comes through a float unharmed.
    (whole as f64 * (0.5 + chance.clamp(0.0, 1.0))) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_get_rarer_up_to_a_bound() {
        let middle: Vec<_> = (1..=7).map(|failures| delay_ms(failures, 0.5)).collect();
        assert_eq!(middle, [1000, 2000, 4000, 8000, 16_000, 16_000, 16_000]);
        assert_eq!((delay_ms(1, 0.0), delay_ms(1, 1.0)), (500, 1500));
        assert_eq!(delay_ms(u32::MAX, 1.0), 24_000);
    }
}
