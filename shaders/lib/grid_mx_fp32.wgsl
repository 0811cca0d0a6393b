// Grid library of the MX elements but E2M1 under an fp32 scale, the block maximum over the largest element rounded
// once; 0 makes all codes 0. Needs lib/mx_element.wgsl, lib/quotient.wgsl, lib/real_scale.wgsl and
// lib/fp32_scale.wgsl. An element is first rounded without its scale, as f32 bits, then multiplied. Values are one
// f32 product; hardware that does not round products to nearest may be one unit in the last place off.

override FLUSH: bool = false; // blocks whose maximum is an f32 subnormal become zero

struct Grid {
  divisor: Divisor,
}

fn grid_of(range: BlockRange, row: u32, candidate: u32) -> Grid {
  let maximum = largest_of(range);
  if (maximum >= INFINITY_BITS) {
    return Grid(divisor_of(NAN_BITS));
  }
  return Grid(divisor_of(fp32_scale(select(maximum, 0u, FLUSH && maximum < 0x800000u))));
}

fn grid_of_stored(stored: vec2<u32>) -> Grid {
  return Grid(divisor_of(stored.x));
}

fn stored_scale(grid: Grid) -> vec2<u32> {
  return vec2<u32>(grid.divisor.bits, 0u);
}

fn is_nan(grid: Grid) -> bool {
  return grid.divisor.bits >= INFINITY_BITS;
}

fn is_rare(grid: Grid) -> bool {
  return unsure || !is_plain(grid.divisor);
}

const NEAR = 8; // units in the last place of the estimate, more than it can be off

// Magnitudes over the scale rounded to elements, as f32 bits; lib/mx_round.wgsl has the same steps at a scale of 2^k.
fn elements_near(bits: vec4<u32>, grid: Grid) -> vec4<i32> {
  let estimate = bitcast<vec4<f32>>(bits & vec4<u32>(0x7FFFFFFFu)) * grid.divisor.inverse;
  let magnitudes = bitcast<vec4<i32>>(estimate);
  let binade = magnitudes & vec4<i32>(0x7F800000);
  let deepest = vec4<i32>(i32(MANTISSA_BITS + 2u) << 23u);
  let depth = clamp(vec4<i32>((127 + EMIN) << 23u) - binade, vec4<i32>(0), deepest);
  let unit = vec4<i32>(bitcast<vec4<f32>>(depth + vec4<i32>((150 - i32(MANTISSA_BITS)) << 23u)));
  var moved = magnitudes - binade + 0x800000;
  if (ROUNDING != 2u) {
    moved += unit >> vec4<u32>(1u);
  }
  let kept = moved & -unit;
  let limit = i32(magnitude_of_code(MAX_CODE, 0));
  let result = min(binade - 0x800000 + kept, vec4<i32>(limit));
  let past = (moved + vec4<i32>(NEAR)) & (unit - 1); // a boundary is where moved is a multiple of the unit
  unsure |= any(past <= vec4<i32>(2 * NEAR));
  return select(result, vec4<i32>(0), kept == vec4<i32>(0));
}

fn elements_general(bits: vec4<u32>, grid: Grid) -> vec4<i32> {
  let steps = nearest_steps(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)), grid.divisor);
  let limit = i32(magnitude_of_code(MAX_CODE, 0));
  let exponent = min(steps.exponent, vec4<i32>(16)); // 2^16 is above the largest element
  let power = bitcast<vec4<f32>>((exponent + vec4<i32>(127)) << vec4<u32>(23u));
  let elements = min(bitcast<vec4<i32>>(vec4<f32>(steps.count) * power), vec4<i32>(limit));
  return select(elements, vec4<i32>(0), vec4<bool>(grid.divisor.bits == 0u));
}

fn with_sign(magnitudes: vec4<i32>, bits: vec4<u32>) -> vec4<u32> {
  let signed = bitcast<vec4<u32>>(magnitudes) | (bits & vec4<u32>(0x80000000u));
  if (TWOS_COMPLEMENT) {
    return select(signed, vec4<u32>(0u), magnitudes == vec4<i32>(0)); // an integer has no negative zero
  }
  return signed;
}

fn rounded(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let products = bitcast<vec4<f32>>(elements_near(bits, grid)) * grid.divisor.value;
  return with_sign(bitcast<vec4<i32>>(products), bits);
}

fn rounded_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return values_general(with_sign(elements_general(bits, grid), bits), grid);
}

fn values_general(elements: vec4<u32>, grid: Grid) -> vec4<u32> {
  return select(scaled(elements, grid.divisor), vec4<u32>(NAN_BITS), vec4<bool>(is_nan(grid)));
}

fn codes_of(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return codes_of_elements(elements_near(bits, grid), bits);
}

fn codes_of_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return codes_of_elements(elements_general(bits, grid), bits);
}

// A normal element's code is the top of its bits; a subnormal's is the element over one step, both exact.
fn codes_of_elements(elements: vec4<i32>, bits: vec4<u32>) -> vec4<u32> {
  let smallest_normal = vec4<i32>((EMIN + 127) << 23u);
  let inverse_step = bitcast<f32>((127 - EMIN + i32(MANTISSA_BITS)) << 23u);
  let normal = (elements - smallest_normal + 0x800000) >> vec4<u32>(23u - MANTISSA_BITS);
  let subnormal = vec4<i32>(bitcast<vec4<f32>>(min(elements, smallest_normal)) * inverse_step);
  let codes = select(subnormal, normal, elements >= smallest_normal);
  if (TWOS_COMPLEMENT) {
    let negated = -codes & vec4<i32>(255);
    return bitcast<vec4<u32>>(select(codes, negated, bits >= vec4<u32>(0x80000000u)));
  }
  return bitcast<vec4<u32>>(codes) | ((bits >> vec4<u32>(31u)) * SIGN_BIT);
}

// Unscaled elements as f32 bits; codes beyond the largest are not produced with an fp32 scale.
fn elements_of(codes: vec4<u32>) -> vec4<u32> {
  let step = bitcast<f32>((EMIN - i32(MANTISSA_BITS) + 127) << 23u);
  if (TWOS_COMPLEMENT) {
    let integers = (bitcast<vec4<i32>>(codes) << vec4<u32>(24u)) >> vec4<u32>(24u);
    return bitcast<vec4<u32>>(vec4<f32>(integers) * step);
  }
  let magnitudes = bitcast<vec4<i32>>(codes & vec4<u32>(SIGN_BIT - 1u));
  let normal = (magnitudes << vec4<u32>(23u - MANTISSA_BITS)) + vec4<i32>((EMIN + 126) << 23u);
  let subnormal = bitcast<vec4<i32>>(vec4<f32>(magnitudes) * step);
  let values = bitcast<vec4<u32>>(select(subnormal, normal, magnitudes >= vec4<i32>(1i << MANTISSA_BITS)));
  return values | ((codes & vec4<u32>(SIGN_BIT)) * (0x80000000u / SIGN_BIT));
}

fn decoded(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  return bitcast<vec4<u32>>(bitcast<vec4<f32>>(elements_of(codes)) * grid.divisor.value);
}

fn decoded_general(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  return values_general(elements_of(codes), grid);
}

// Above the largest element times the scale by more than the rounding of the scale and of this product can bring about.
fn is_clipped(bits: vec4<u32>, grid: Grid) -> vec4<bool> {
  let largest = scaled_value(magnitude_of_code(MAX_CODE, 0), grid.divisor) + 1u;
  let limit = select(largest, 0x7FFFFFFFu, is_nan(grid) || grid.divisor.bits == 0u);
  return (bits & vec4<u32>(0x7FFFFFFFu)) > vec4<u32>(limit);
}
