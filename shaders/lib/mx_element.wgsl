// The shared exponent and the elements of an MX block, by integers only (docs/formats.md; OCP MX v1.0, conversion).
// A magnitude code has its exponent field above MANTISSA_BITS; field 0 holds the subnormals; code + 1 is the next
// number. MXINT8 is the float with 6 mantissa bits and one binade: its magnitude code is the integer itself.
// "magnitude" is always the bit pattern of an f32 without its sign; `k` is the unbiased exponent of the scale.

override MANTISSA_BITS: u32 = 1u;
override EMIN: i32 = 0; // exponent of the smallest normal element
override EMAX: i32 = 2; // exponent of the largest, what the shared exponent subtracts
override MAX_CODE: u32 = 7u;
override INFINITY_CODE: u32 = 0xFFFFu; // 0xFFFF: the element has no infinity
override SIGN_BIT: u32 = 8u;
override TWOS_COMPLEMENT: bool = false;
override BUMP_AT: u32 = 0x800000u; // scale rule: mantissa of the block maximum from which the exponent is one higher
override ROUNDING: u32 = 0u; // 0 half to even, 1 half away from zero, 2 toward zero
override PRE_SCALED: bool = false; // elements times 3/4 before rounding, results times 4/3

const NAN_BITS = 0x7FC00000u;
const INFINITY_BITS = 0x7F800000u;
const NAN_BYTE = 255u;

// The E8M0 byte for a block whose largest magnitude is `maximum`.
fn scale_byte(maximum: u32) -> u32 {
  let field = maximum >> 23u;
  if (field == 255u) {
    return NAN_BYTE;
  }
  let bump = select(0, 1, (maximum & 0x7FFFFFu) >= BUMP_AT);
  return u32(clamp(i32(field) - EMAX + bump, 0, 254));
}

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
  if (PRE_SCALED) {
    n *= 3u;
    base -= 2;
  }
  let mantissa_bits = i32(MANTISSA_BITS);
  let exponent = max(base + 31 - i32(countLeadingZeros(n)), EMIN);
  let drop = u32(exponent - mantissa_bits - base);
  return min((u32(exponent - EMIN) << MANTISSA_BITS) + round_shift(n, drop), MAX_CODE);
}

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

// The f32 magnitude that `code` stands for under the scale 2^k, pre-scale undone. Exact but for the factor 4/3.
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
  if (!PRE_SCALED) {
    return assemble_f32(n, exponent);
  }
  // 4n/3 with 29 bits; the quotient never ends, so one set bit stands for all that follow.
  let quarter_bits = countLeadingZeros(n) - 4u;
  let wide = n << quarter_bits;
  let quotient = (4u * (wide / 3u)) + (4u * (wide % 3u)) / 3u;
  let sticky = select(1u, 0u, n % 3u == 0u);
  return assemble_f32(quotient | sticky, exponent - i32(quarter_bits));
}
