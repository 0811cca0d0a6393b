// Part of the grid libraries of E2M1 under a scale that is not a power of two (scale_nvfp4.wgsl, scale_fp32_e2m1.wgsl).
// Needs lib/real_scale.wgsl, and ROUNDING. A block's seven rounding boundaries and seven values are worked out once, as
// f32 bits; then an element is seven comparisons. A boundary is the smallest f32 that rounds up across it.

struct Grid {
  stored: u32,
  scale: Real,
  to_half: i32, // from here on elements round to 0.5 times the scale
  to_one: i32,
  to_one_and_half: i32,
  to_two: i32,
  to_three: i32,
  to_four: i32,
  to_six: i32,
  half: u32,
  one: u32,
  one_and_half: u32,
  two: u32,
  three: u32,
  four: u32,
  six: u32,
}

const UNREACHED = 0x7FFFFFFF;
const DOUBLE = 0x800000; // one exponent
const SMALLEST_PLAIN = 0x1800000; // with a scale from here on boundaries and values are normal numbers

// The grid of scale = n * 2^exponent, n < 2^28. The boundaries are 1, 3, 5, 7 quarters of the scale, then 10, 14, 20:
// one and two exponents above. Ties at 1, 5, 10 and 20 go down to an even code under half to even, so "above" is meant.
// Toward zero they are the values themselves: 2, 4, 6, 8, 12, 16, 24 quarters.
fn grid_of_real(scale: Real, stored: u32) -> Grid {
  let odd = select(0u, 1u, ROUNDING == 2u);
  let above = select(0u, 1u, ROUNDING == 0u);
  let lift = max(countLeadingZeros(scale.n), 4u) - 4u;
  let n = scale.n << (lift & 31u); // 28 bits, so that the leading zeros of its multiples are known but for one
  let exponent = scale.exponent - i32(lift);
  let t1 = least_extended(aligned(Real((1u + odd) * n, exponent - 2), 4u - odd), above);
  let t3 = least_extended(aligned(Real((3u + odd) * n, exponent - 2), 2u), 0u);
  let t5 = least_extended(aligned(Real((5u + odd) * n, exponent - 2), 1u), above);
  let t7 = least_extended(aligned(Real((7u + odd) * n, exponent - 2), 1u), 0u);
  if (scale.n == 0u) {
    const U = UNREACHED;
    return Grid(stored, scale, U, U, U, U, U, U, U, 0u, 0u, 0u, 0u, 0u, 0u, 0u);
  }
  let one = nearest_extended(aligned(Real(n, exponent), 4u));
  let three = nearest_extended(aligned(Real(3u * n, exponent), 2u));
  var grid = Grid(
    stored,
    scale,
    t1,
    t3,
    t5,
    t7,
    t5 + DOUBLE,
    t7 + DOUBLE,
    t5 + 2 * DOUBLE,
    u32(one - DOUBLE),
    u32(one),
    u32(three - DOUBLE),
    u32(one + DOUBLE),
    u32(three),
    u32(one + 2 * DOUBLE),
    u32(three + DOUBLE),
  );
  // Values that may be subnormal are rounded as such. Nibble i of the constant is twice the value of code i.
  for (var i = select(8u, 1u, one < SMALLEST_PLAIN); i < 8u; i++) {
    let value = nearest_f32(Real(((0xC8643210u >> (4u * i)) & 15u) * scale.n, scale.exponent - 1));
    grid.half = select(grid.half, value, i == 1u);
    grid.one = select(grid.one, value, i == 2u);
    grid.one_and_half = select(grid.one_and_half, value, i == 3u);
    grid.two = select(grid.two, value, i == 4u);
    grid.three = select(grid.three, value, i == 5u);
    grid.four = select(grid.four, value, i == 6u);
    grid.six = select(grid.six, value, i == 7u);
  }
  return grid;
}

fn is_rare(grid: Grid) -> bool {
  return is_nan(grid) || (grid.one < u32(SMALLEST_PLAIN) && grid.scale.n != 0u);
}

fn rounded(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return values_near(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)), grid) | (bits & vec4<u32>(0x80000000u));
}

fn values_near(a: vec4<i32>, grid: Grid) -> vec4<u32> {
  var v = select(vec4<u32>(0u), vec4<u32>(grid.half), a >= vec4<i32>(grid.to_half));
  v = select(v, vec4<u32>(grid.one), a >= vec4<i32>(grid.to_one));
  v = select(v, vec4<u32>(grid.one_and_half), a >= vec4<i32>(grid.to_one_and_half));
  v = select(v, vec4<u32>(grid.two), a >= vec4<i32>(grid.to_two));
  v = select(v, vec4<u32>(grid.three), a >= vec4<i32>(grid.to_three));
  v = select(v, vec4<u32>(grid.four), a >= vec4<i32>(grid.to_four));
  return select(v, vec4<u32>(grid.six), a >= vec4<i32>(grid.to_six));
}

fn codes_of(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let a = bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu));
  return codes_near(a, grid) | ((bits >> vec4<u32>(28u)) & vec4<u32>(8u));
}

// The number of boundaries each extended magnitude has reached.
fn codes_near(a: vec4<i32>, grid: Grid) -> vec4<u32> {
  const NO = vec4<u32>(0u);
  const YES = vec4<u32>(1u);
  var code = select(NO, YES, a >= vec4<i32>(grid.to_half));
  code += select(NO, YES, a >= vec4<i32>(grid.to_one));
  code += select(NO, YES, a >= vec4<i32>(grid.to_one_and_half));
  code += select(NO, YES, a >= vec4<i32>(grid.to_two));
  code += select(NO, YES, a >= vec4<i32>(grid.to_three));
  code += select(NO, YES, a >= vec4<i32>(grid.to_four));
  code += select(NO, YES, a >= vec4<i32>(grid.to_six));
  return code;
}

fn decoded(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  let magnitudes = codes & vec4<u32>(7u);
  var v = select(vec4<u32>(0u), vec4<u32>(grid.half), magnitudes >= vec4<u32>(1u));
  v = select(v, vec4<u32>(grid.one), magnitudes >= vec4<u32>(2u));
  v = select(v, vec4<u32>(grid.one_and_half), magnitudes >= vec4<u32>(3u));
  v = select(v, vec4<u32>(grid.two), magnitudes >= vec4<u32>(4u));
  v = select(v, vec4<u32>(grid.three), magnitudes >= vec4<u32>(5u));
  v = select(v, vec4<u32>(grid.four), magnitudes >= vec4<u32>(6u));
  v = select(v, vec4<u32>(grid.six), magnitudes == vec4<u32>(7u));
  return v | ((codes & vec4<u32>(8u)) << vec4<u32>(28u));
}

// Above 6 times the scale by more than the rounding of the scale and of this product can bring about.
fn is_clipped(bits: vec4<u32>, grid: Grid) -> vec4<bool> {
  var limit = nearest_f32(Real(6u * grid.scale.n, grid.scale.exponent)) + 1u;
  if (is_nan(grid) || grid.scale.n == 0u) {
    limit = 0xFFFFFFFFu;
  }
  return (bits & vec4<u32>(0x7FFFFFFFu)) > vec4<u32>(limit);
}

// Elements that may be subnormal are compared as extended magnitudes.

fn rounded_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let a = extended(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)));
  let values = values_near(a, grid) | (bits & vec4<u32>(0x80000000u));
  return select(values, vec4<u32>(NAN_BITS), vec4<bool>(is_nan(grid)));
}

fn codes_of_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let a = extended(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)));
  return codes_near(a, grid) | ((bits >> vec4<u32>(28u)) & vec4<u32>(8u));
}

fn decoded_general(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  return select(decoded(codes, grid), vec4<u32>(NAN_BITS), vec4<bool>(is_nan(grid)));
}
