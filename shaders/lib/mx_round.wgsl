// Rounding of whole vec4s for blocks whose smallest code step is a normal f32 (can_round_in_place), without codes.
// Needs lib/mx_element.wgsl.

fn can_round_in_place(k: i32) -> bool {
  return !PRE_SCALED && k + EMIN - i32(MANTISSA_BITS) >= -125;
}

// Magnitudes rounded to the element times 2^k; `limit` is the largest element times 2^k. All are f32 bits.
// Rounds the significands where they are: `unit` is one code step in their last places, 2^(23 - MANTISSA_BITS), and
// doubles with each binade below the smallest normal element. From 2^25 on everything rounds to 0, f32 subnormals
// included. The carry of a significand runs into the exponent.
fn round_in_place(magnitudes: vec4<i32>, k: i32, limit: i32) -> vec4<i32> {
  let binade = magnitudes & vec4<i32>(0x7F800000);
  let deepest = vec4<i32>(i32(MANTISSA_BITS + 2u) << 23u);
  let below = clamp(vec4<i32>((k + 127 + EMIN) << 23u) - binade, vec4<i32>(0), deepest);
  let unit_bits = below + vec4<i32>((150 - i32(MANTISSA_BITS)) << 23u);
  let unit = vec4<i32>(bitcast<vec4<f32>>(unit_bits)); // exact: a power of two, at most 2^25
  let significand = magnitudes - binade + 0x800000;
  var moved = significand;
  if (ROUNDING == 0u) {
    moved += (unit >> vec4<u32>(1u)) - 1 + min(significand & unit, vec4<i32>(1));
  } else if (ROUNDING == 1u) {
    moved += unit >> vec4<u32>(1u);
  }
  let kept = moved & -unit;
  let result = min(binade - 0x800000 + kept, vec4<i32>(limit));
  return select(result, vec4<i32>(0), kept == vec4<i32>(0));
}
