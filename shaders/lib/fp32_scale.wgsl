// The fp32 scale of a block or a row: a range over DIVISOR * 2^DIVISOR_EXPONENT, rounded once, half to even. Needs
// lib/real_scale.wgsl.

override DIVISOR: u32 = 3u; // odd, 1 ... 255
override DIVISOR_EXPONENT: i32 = 1;

// The bits of (a + b) / divisor for finite magnitudes, their sum rounded to 24 bits before.
fn fp32_scale(a: u32, b: u32) -> u32 {
  if (max(a, b) == 0u) {
    return 0u;
  }
  let quotient = real_quotient(real_sum(real_of(max(a, b)), real_of(min(a, b))), DIVISOR);
  return nearest_f32(Real(quotient.n, quotient.exponent - DIVISOR_EXPONENT));
}
