// Grid library of integers under an fp32 scale per group or row, half to even.
// Needs lib/quotient.wgsl, lib/real_scale.wgsl and lib/fp32_scale.wgsl.
// Codes are two's complement, or unsigned with a zero point. A range of zero has scale 1, an asymmetric one -1 ... 1; a
// scale that rounds to 0 makes all values 0.
// Values are one f32 product; hardware that does not round products to nearest may be one unit in the last place off.

override INTEGER_BITS: u32 = 4u;
override ASYMMETRIC: bool = false;
override PER_ROW: bool = false; // the range is that of the row: context[2 row], context[2 row + 1] (row_ranges.wgsl)

// Of lib/quotient.wgsl: steps of 1 below 512.
const MANTISSA_BITS = 8u;
const EMIN = 8;
const ROUNDING = 0u;

const ONE_BITS = 0x3F800000u;

struct Grid {
  divisor: Divisor,
  lowest: f32,
  highest: f32,
  zero_point: i32,
}

fn grid_of(range: BlockRange, row: u32, candidate: u32) -> Grid {
  var negative = range.negative;
  var positive = range.positive;
  if (PER_ROW) {
    negative = context[2u * row];
    positive = context[2u * row + 1u];
  }
  if (max(negative, positive) >= INFINITY_BITS) {
    return grid_of_stored(vec2<u32>(NAN_BITS, 0u));
  }
  if (!ASYMMETRIC) {
    let largest = max(negative, positive);
    return grid_of_stored(vec2<u32>(select(fp32_scale(largest), ONE_BITS, largest == 0u), 0u));
  }
  if (max(negative, positive) == 0u) {
    negative = ONE_BITS;
    positive = ONE_BITS;
  }
  let scale = fp32_scale_of_sum(negative, positive);
  if (scale == 0u) {
    return grid_of_stored(vec2<u32>(0u, 0u));
  }
  return grid_of_stored(vec2<u32>(scale, min(zero_point_of(negative, divisor_of(scale)), (1u << INTEGER_BITS) - 1u)));
}

// The steps from the lowest element to zero; the estimate as in steps_near.
fn zero_point_of(negative: u32, divisor: Divisor) -> u32 {
  let estimate = bitcast<f32>(min(negative, PLAIN_TO)) * divisor.inverse;
  let nearest = floor(estimate + 0.5);
  var count = u32(nearest);
  let is_sure = abs(estimate - nearest) <= 0.5 - within() && is_plain(divisor) && negative <= PLAIN_TO;
  for (var i = select(0u, 1u, is_sure); i < 1u; i++) {
    count = u32(nearest_steps(vec4<i32>(i32(negative)), divisor).count.x);
  }
  return count;
}

fn grid_of_stored(stored: vec2<u32>) -> Grid {
  let codes = 1i << INTEGER_BITS;
  let zero_point = i32(stored.y);
  let lowest = select(-codes / 2, -zero_point, ASYMMETRIC);
  return Grid(divisor_of(stored.x), f32(lowest), f32(lowest + codes - 1), zero_point);
}

fn stored_scale(grid: Grid) -> vec2<u32> {
  return vec2<u32>(grid.divisor.bits, u32(grid.zero_point));
}

fn is_nan(grid: Grid) -> bool {
  return grid.divisor.bits >= INFINITY_BITS;
}

fn is_rare(grid: Grid) -> bool {
  return unsure || !is_plain(grid.divisor);
}

// How close to half a step an estimate may be off: quotients are below 2^(INTEGER_BITS + 1).
fn within() -> f32 {
  return f32(2u << INTEGER_BITS) * 0x1p-22;
}

// Elements over the scale, rounded and clamped: whole numbers as floats. Never -0, thanks to the half that is added.
fn steps_near(bits: vec4<u32>, grid: Grid) -> vec4<f32> {
  let estimate = bitcast<vec4<f32>>(bits) * grid.divisor.inverse;
  let nearest = floor(estimate + vec4<f32>(0.5));
  unsure |= any(abs(estimate - nearest) > vec4<f32>(0.5 - within()));
  let low = vec4<f32>(grid.lowest);
  let high = vec4<f32>(grid.highest);
  return select(select(high, nearest, nearest < high), low, nearest < low);
}

const TWO_TO_23 = 0x4B400000; // bits of 1.5 * 2^23, beyond which whole numbers of 22 bits are added to the bits

fn integers_near(bits: vec4<u32>, grid: Grid) -> vec4<i32> {
  return bitcast<vec4<i32>>(steps_near(bits, grid) + vec4<f32>(bitcast<f32>(TWO_TO_23))) - vec4<i32>(TWO_TO_23);
}

fn integers_general(bits: vec4<u32>, grid: Grid) -> vec4<i32> {
  let count = nearest_steps(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)), grid.divisor).count;
  let integers = select(count, -count, bits >= vec4<u32>(0x80000000u));
  let kept = clamp(integers, vec4<i32>(i32(grid.lowest)), vec4<i32>(i32(grid.highest)));
  return select(kept, vec4<i32>(0), vec4<bool>(grid.divisor.bits == 0u));
}

fn rounded(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return bitcast<vec4<u32>>(steps_near(bits, grid) * grid.divisor.value);
}

fn rounded_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return values_general(integers_general(bits, grid), grid);
}

fn values_general(integers: vec4<i32>, grid: Grid) -> vec4<u32> {
  let values = scaled(bitcast<vec4<u32>>(vec4<f32>(integers)), grid.divisor);
  return select(values, vec4<u32>(NAN_BITS), vec4<bool>(is_nan(grid)));
}

fn codes_of(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return stored_codes(integers_near(bits, grid), grid);
}

fn codes_of_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return stored_codes(integers_general(bits, grid), grid);
}

fn stored_codes(integers: vec4<i32>, grid: Grid) -> vec4<u32> {
  return bitcast<vec4<u32>>(integers + vec4<i32>(grid.zero_point)) & vec4<u32>((1u << INTEGER_BITS) - 1u);
}

fn integers_of(codes: vec4<u32>, grid: Grid) -> vec4<i32> {
  if (ASYMMETRIC) {
    return bitcast<vec4<i32>>(codes) - vec4<i32>(grid.zero_point);
  }
  let sign = vec4<i32>(1i << (INTEGER_BITS - 1u));
  return (bitcast<vec4<i32>>(codes) ^ sign) - sign;
}

fn decoded(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  return bitcast<vec4<u32>>(vec4<f32>(integers_of(codes, grid)) * grid.divisor.value);
}

fn decoded_general(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  return values_general(integers_of(codes, grid), grid);
}

// Beyond the largest code of its sign by more than the rounding of the scale and of this product can bring about.
fn is_clipped(bits: vec4<u32>, grid: Grid) -> vec4<bool> {
  let above = scaled_value(bitcast<u32>(grid.highest), grid.divisor) + 1u;
  let below = scaled_value(bitcast<u32>(-grid.lowest), grid.divisor) + 1u;
  let limit = select(vec4<u32>(above), vec4<u32>(below), bits >= vec4<u32>(0x80000000u));
  let held = is_nan(grid) || grid.divisor.bits == 0u;
  return (bits & vec4<u32>(0x7FFFFFFFu)) > select(limit, vec4<u32>(0x7FFFFFFFu), vec4<bool>(held));
}
