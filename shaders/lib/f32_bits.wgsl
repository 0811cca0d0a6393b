// Numbers made of integers as f32 bits.

const NAN_BITS = 0x7FC00000u;
const INFINITY_BITS = 0x7F800000u;

// The bits of n * 2^exponent as f32, rounded once to nearest even; 0 < n < 2^30.
fn assemble_f32(n: u32, exponent: i32) -> u32 {
  let top = 31 - i32(countLeadingZeros(n));
  let field = max(exponent + top + 127, 1);
  if (field > 254) {
    return INFINITY_BITS;
  }
  let drop = field - 150 - exponent; // result step is 2^(field - 150)
  if (drop <= 0) {
    return u32(field - 1) * 0x800000u + (n << u32(-drop));
  }
  if (drop > 30) {
    return 0u;
  }
  let shift = u32(drop);
  let rounded = (n + (1u << (shift - 1u)) - 1u + ((n >> shift) & 1u)) >> shift;
  return u32(field - 1) * 0x800000u + rounded;
}
