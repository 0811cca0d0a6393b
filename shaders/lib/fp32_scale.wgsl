// The fp32 scale of a block or a row: a range over DIVISOR * 2^DIVISOR_EXPONENT, rounded once, half to even. Needs
// lib/real_scale.wgsl.

override DIVISOR: u32 = 3u; // odd, 1 ... 255
override DIVISOR_EXPONENT: i32 = 1;

// The bits of a finite magnitude over the divisor.
fn fp32_scale(magnitude: u32) -> u32 {
  return select(extended_over_divisor(extended_of(magnitude)), 0u, magnitude == 0u);
}

// The same for the sum of two finite magnitudes, rounded to 24 bits before.
fn fp32_scale_of_sum(a: u32, b: u32) -> u32 {
  let sum = real_sum(real_of(max(a, b)), real_of(min(a, b)));
  return select(extended_over_divisor((sum.exponent + 149) * 0x800000 + i32(sum.n)), 0u, max(a, b) == 0u);
}

// Dividends for which a quotient is a normal number.
const PLAIN_DIVIDEND_FROM = 0x10800000; // 2^-94
const PLAIN_DIVIDEND_TO = 0x7F000000; // 2^127

// With the quotient estimated as m * 2^e, in units of its last place what is left of the dividend says how far off it is:
// two at most. Long division where that is unknown, in a loop that usually runs zero times.
fn extended_over_divisor(dividend: i32) -> u32 {
  let is_plain = dividend >= PLAIN_DIVIDEND_FROM && dividend < PLAIN_DIVIDEND_TO;
  let x = clamp(dividend, PLAIN_DIVIDEND_FROM, PLAIN_DIVIDEND_TO);
  let estimate = bitcast<i32>(bitcast<f32>(x) * (1.0 / f32(DIVISOR)));
  let m = (estimate & 0x7FFFFF) | 0x800000;
  let shift = bitcast<u32>((x & 0x7F800000) - (estimate & 0x7F800000)) >> 23u;
  let n = u32((x & 0x7FFFFF) | 0x800000) << (shift & 31u);
  let twice_rest = 2 * bitcast<i32>(n - bitcast<u32>(m) * DIVISOR);
  let d = i32(DIVISOR);
  let up = select(0, 1, twice_rest > d) + select(0, 1, twice_rest > 3 * d);
  let down = select(0, 1, twice_rest < -d) + select(0, 1, twice_rest < -3 * d);
  // For adapters that do not divide to nearest: two steps may be too few, or lead below a power of two, where units are
  // half as large.
  let is_far = abs(twice_rest) > 5 * d;
  let crosses = m + up - down <= 0x800000 && twice_rest < 0;
  var bits = u32(estimate + up - down - DIVISOR_EXPONENT * 0x800000);
  for (var i = select(1u, 0u, crosses || is_far || !is_plain); i < 1u; i++) {
    let real = Real(u32(dividend & 0x7FFFFF) | 0x800000u, (dividend >> 23u) - 150);
    let quotient = real_quotient(real, DIVISOR);
    bits = nearest_f32(Real(quotient.n, quotient.exponent - DIVISOR_EXPONENT));
  }
  return bits;
}
