// What the scale of a block follows from: its largest magnitudes on either side of zero, as f32 bits without the sign.
// NaN counts as larger than infinity. Zero where there is no element of that sign.
struct BlockRange {
  negative: u32,
  positive: u32,
}

fn largest_of(range: BlockRange) -> u32 {
  return max(range.negative, range.positive);
}
