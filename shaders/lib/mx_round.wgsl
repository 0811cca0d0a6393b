// Rounding of whole vec4s for blocks whose smallest code step is a normal f32 (can_round_in_place).
// Needs lib/mx_element.wgsl.

fn can_round_in_place(k: i32) -> bool {
  return k + EMIN - i32(MANTISSA_BITS) >= -125;
}

// Significands about to be cut at a code step, which is bit `step` in their last places: 23 - MANTISSA_BITS, and one
// more with each binade below the smallest normal element. From 25 on everything rounds to 0, f32 subnormals included.
struct Moved {
  binade: vec4<i32>, // exponents where they are
  above: vec4<i32>, // binade minus the exponent of the smallest normal element
  significand: vec4<i32>, // with up to half a step added, so that cutting it rounds
  step: vec4<u32>,
  half: vec4<i32>, // a step
}

fn moved_to_step(magnitudes: vec4<i32>, k: i32) -> Moved {
  let binade = magnitudes & vec4<i32>(0x7F800000);
  let above = binade - vec4<i32>((k + 127 + EMIN) << 23u);
  let least = vec4<i32>(-(i32(MANTISSA_BITS + 2u) << 23u));
  let binades_below = bitcast<vec4<u32>>(-clamp(above, least, vec4<i32>(0))) >> vec4<u32>(23u);
  let step = binades_below + vec4<u32>(23u - MANTISSA_BITS);
  let half = vec4<i32>(1) << (step - vec4<u32>(1u));
  var significand = magnitudes - binade + 0x800000;
  if (ROUNDING == 0u) {
    let is_even = (significand & (half + half)) == vec4<i32>(0);
    significand += half - select(vec4<i32>(0), vec4<i32>(1), is_even);
  } else if (ROUNDING == 1u) {
    significand += half;
  }
  return Moved(binade, above, significand, step, half);
}

// Magnitudes rounded to the element times 2^k; `limit` is the largest element times 2^k. All are f32 bits.
// The carry of a significand runs into the exponent.
fn round_in_place(magnitudes: vec4<i32>, k: i32, limit: i32) -> vec4<i32> {
  let moved = moved_to_step(magnitudes, k);
  let kept = moved.significand & -(moved.half + moved.half);
  let result = min(moved.binade - 0x800000 + kept, vec4<i32>(limit));
  return select(result, vec4<i32>(0), kept == vec4<i32>(0));
}

// The magnitude codes of the same: the steps in a significand, and for each binade above the lowest one as many codes
// as it has.
fn codes_in_place(magnitudes: vec4<i32>, k: i32) -> vec4<i32> {
  let moved = moved_to_step(magnitudes, k);
  let above = max(moved.above, vec4<i32>(0)) >> vec4<u32>(23u - MANTISSA_BITS);
  return min((moved.significand >> moved.step) + above, vec4<i32>(i32(MAX_CODE)));
}
