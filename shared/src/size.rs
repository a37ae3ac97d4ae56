//! Sizes as people read them.

/// Bytes in binary units, rounded: `812 B`, `4.0 KiB`, `96 MiB`.
pub fn bytes(n: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if n < 1024 {
        return format!("{n} B");
    }
    // Whole numbers, so that no floating point is carried for a label.
    let rounded = |n: u64, unit: u64| n.saturating_add(unit / 2) / unit;
    let (mut unit, mut name) = (1024, 0);
    while rounded(n, unit) >= 1024 && name + 1 < UNITS.len() {
        unit *= 1024;
        name += 1;
    }
    match rounded(n.saturating_mul(10), unit) {
        tenths @ 0..1000 => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[name]),
        _ => format!("{} {}", rounded(n, unit), UNITS[name]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_rounded_and_never_a_thousand_of_the_smaller_unit() {
        let sizes = [812, 1024, 1_048_571, 1_048_576, 900 << 30, 104_800_000, u64::MAX];
        let read =
            ["812 B", "1.0 KiB", "1.0 MiB", "1.0 MiB", "900 GiB", "99.9 MiB", "16777215 TiB"];
        assert_eq!(sizes.map(bytes), read.map(str::to_owned));
    }
}
