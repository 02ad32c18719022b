//! Rust twin of histogram.h.

/// Index of the bucket that holds `value`.
pub fn index(value: u64, precision: u32, max_bits: u32) -> u32 {
    let value = value.min((1 << max_bits) - 1);
    let octave = (value | 1).ilog2().saturating_sub(precision);
    (octave << precision) + (value >> octave) as u32
}

/// Least value of a bucket.
pub fn lower(index: u32, precision: u32) -> u64 {
    let octave = (index >> precision).saturating_sub(1);
    u64::from(index - (octave << precision)) << octave
}

/// Greatest value of a bucket.
pub fn upper(index: u32, precision: u32) -> u64 {
    lower(index + 1, precision) - 1
}
