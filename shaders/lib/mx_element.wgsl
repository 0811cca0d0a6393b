// The elements of an MX block, by integers only (docs/formats.md; OCP MX v1.0, conversion).
// A magnitude code has its exponent field above MANTISSA_BITS; field 0 holds the subnormals; code + 1 is the next
// number. MXINT8 is the float with 6 mantissa bits and one binade: its magnitude code is the integer itself.
// Needs lib/f32_bits.wgsl.
// "magnitude" is always the bit pattern of an f32 without its sign; `k` is the unbiased exponent of the scale.

override MANTISSA_BITS: u32 = 1u;
override EMIN: i32 = 0; // exponent of the smallest normal element
override MAX_CODE: u32 = 7u;
override INFINITY_CODE: u32 = 0xFFFFu; // 0xFFFF: the element has no infinity
override SIGN_BIT: u32 = 8u;
override TWOS_COMPLEMENT: bool = false;
override ROUNDING: u32 = 0u; // 0 half to even, 1 half away from zero, 2 toward zero

// n / 2^drop, rounded; drop >= 1, n < 2^27.
fn round_shift(n: u32, drop: u32) -> u32 {
  if (drop > 27u) {
    return 0u;
  }
  if (ROUNDING == 2u) {
    return n >> drop;
  }
  let half = 1u << (drop - 1u);
  if (ROUNDING == 1u) {
    return (n + half) >> drop;
  }
  return (n + half - 1u + ((n >> drop) & 1u)) >> drop;
}

// The magnitude code nearest to magnitude / 2^k, saturated.
fn magnitude_code(magnitude: u32, k: i32) -> u32 {
  var n = magnitude & 0x7FFFFFu;
  var base = -149 - k; // the scaled value is n * 2^base
  if (magnitude >= 0x800000u) {
    n |= 0x800000u;
    base += i32(magnitude >> 23u) - 1;
  }
  if (n == 0u) {
    return 0u;
  }
  let mantissa_bits = i32(MANTISSA_BITS);
  let exponent = max(base + 31 - i32(countLeadingZeros(n)), EMIN);
  let drop = u32(exponent - mantissa_bits - base);
  return min((u32(exponent - EMIN) << MANTISSA_BITS) + round_shift(n, drop), MAX_CODE);
}

// The f32 magnitude that `code` stands for under the scale 2^k, exact.
fn magnitude_of_code(code: u32, k: i32) -> u32 {
  if (code > MAX_CODE && !TWOS_COMPLEMENT) {
    return select(NAN_BITS, INFINITY_BITS, code == INFINITY_CODE);
  }
  let field = code >> MANTISSA_BITS;
  var n = code;
  if (field > 0u) {
    n = (code & ((1u << MANTISSA_BITS) - 1u)) | (1u << MANTISSA_BITS);
  }
  if (n == 0u) {
    return 0u;
  }
  let exponent = EMIN - i32(MANTISSA_BITS) + max(i32(field) - 1, 0) + k;
  return assemble_f32(n, exponent);
}
