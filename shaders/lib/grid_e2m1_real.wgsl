// Part of the grid libraries of E2M1 under a scale that is not a power of two (scale_nvfp4.wgsl, scale_fp32_e2m1.wgsl).
// Needs lib/e2m1_table.wgsl, lib/real_scale.wgsl, and ROUNDING. The table of a block is worked out once, exactly: a
// boundary is the smallest f32 that rounds up across it, a value is rounded once.

struct Grid {
  table: E2m1Table,
  stored: u32,
  scale: BlockScale,
  kept: u32, // 0x7FFFFFFF, or 0 where the scale is 0 and all values are
}

// n * 2^(base / 2^23 - 153), n in [2^27, 2^28) or 0: an extended magnitude of n / 16 is base + n / 16.
struct BlockScale {
  n: u32,
  base: i32,
}

const SMALLEST_PLAIN = 0x1800000; // with a scale from here on boundaries and values are normal numbers
const LARGEST_PLAIN = 0x7E000000; // and below this they are finite

// The boundaries are 1, 3, 5, 7 quarters of the scale, and one and two exponents above. Ties at 1 and 5 go down to an even
// code under half to even, so "above" is meant. Toward zero they are values: 2, 4, 6, 8 quarters.
fn grid_of_real(scale: BlockScale, stored: u32) -> Grid {
  let above = select(0u, 1u, ROUNDING == 0u);
  let n = scale.n;
  let base = select(scale.base, 0x3F800000, n == 0u); // anything that leaves sign bits alone
  // multiples of n are brought to 30 or 31 bits
  let three = aligned(3u * n, 0x20000000u);
  let five = aligned(5u * n, 0x40000000u);
  let seven = aligned(7u * n, 0x40000000u);
  let one_kept = i32(n >> 4u);
  let three_kept = i32(three.n >> 6u);
  let one_rest = n & 15u;
  let three_rest = three.n & 63u;
  let v1 = base + one_kept + i32(one_rest + ((n >> 4u) & 1u) > 8u);
  let v3 = base + ONE_UP - three.lift + three_kept + i32(three_rest + u32(three_kept & 1) > 32u);
  var table = E2m1Table(
    base - 2 * ONE_UP + one_kept + i32(one_rest + above > 0u),
    base - three.lift + three_kept + i32(three_rest > 0u),
    base + ONE_UP - five.lift + i32((five.n - 1u + above) >> 7u) + 1,
    base + ONE_UP - seven.lift + i32((seven.n - 1u) >> 7u) + 1,
    v1,
    v3,
  );
  if (ROUNDING == 2u) {
    let half = base - ONE_UP + one_kept + i32(one_rest > 0u);
    let one_and_half = base + ONE_UP - three.lift + three_kept + i32(three_rest > 0u);
    table = E2m1Table(half, half + ONE_UP, one_and_half, half + 2 * ONE_UP, v1, v3);
  }
  return Grid(table, stored, scale, select(0x7FFFFFFFu, 0u, n == 0u));
}

struct Aligned {
  n: u32,
  lift: i32, // ONE_UP where n was doubled
}

// `n`, doubled if it is below `least`.
fn aligned(n: u32, least: u32) -> Aligned {
  let low = n < least;
  return Aligned(select(n, 2u * n, low), select(0, ONE_UP, low));
}

fn is_rare(grid: Grid) -> bool {
  let is_plain = grid.table.v1 >= SMALLEST_PLAIN && grid.table.v1 < LARGEST_PLAIN;
  return is_nan(grid) || !(is_plain || grid.kept == 0u);
}

fn rounded(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return e2m1_rounded(bits, grid.table) & vec4<u32>(grid.kept | 0x80000000u);
}

fn codes_of(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return e2m1_codes(bits, grid.table) & vec4<u32>((grid.kept & 15u) | 8u);
}

fn decoded(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  return e2m1_decoded(codes, grid.table) & vec4<u32>(grid.kept | 0x80000000u);
}

// Above 6 times the scale by more than the rounding of the scale and of this product can bring about.
fn is_clipped(bits: vec4<u32>, grid: Grid) -> vec4<bool> {
  var limit = nearest_f32(multiple_of(grid.scale, 12u)) + 1u;
  if (is_nan(grid) || grid.kept == 0u) {
    limit = 0xFFFFFFFFu;
  }
  return (bits & vec4<u32>(0x7FFFFFFFu)) > vec4<u32>(limit);
}

// `halves` / 2 times the scale. Exponents of scales reach from -200 to 263; those above 255 have wrapped around.
fn multiple_of(scale: BlockScale, halves: u32) -> Real {
  let exponent = scale.base >> 23u;
  return Real(halves * scale.n, select(exponent, exponent + 512, exponent < -200) - 154);
}

// Elements that may be subnormal are compared as extended magnitudes, values that may be are rounded as such.

fn codes_near(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let a = extended(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)));
  return e2m1_magnitudes(a, grid.table) & vec4<u32>(grid.kept);
}

fn values_of(magnitudes: vec4<u32>, grid: Grid) -> vec4<u32> {
  return vec4<u32>(
    value_of(magnitudes.x, grid.scale),
    value_of(magnitudes.y, grid.scale),
    value_of(magnitudes.z, grid.scale),
    value_of(magnitudes.w, grid.scale),
  );
}

// Nibble i of the constant is twice the value of code i.
fn value_of(magnitude: u32, scale: BlockScale) -> u32 {
  return nearest_f32(multiple_of(scale, (0xC8643210u >> (4u * magnitude)) & 15u));
}

fn rounded_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let values = values_of(codes_near(bits, grid), grid) | (bits & vec4<u32>(0x80000000u));
  return select(values, vec4<u32>(NAN_BITS), vec4<bool>(is_nan(grid)));
}

fn codes_of_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return codes_near(bits, grid) | ((bits >> vec4<u32>(28u)) & vec4<u32>(8u));
}

fn decoded_general(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  let values = values_of(codes & vec4<u32>(7u), grid) | ((codes & vec4<u32>(8u)) << vec4<u32>(28u));
  return select(values, vec4<u32>(NAN_BITS), vec4<bool>(is_nan(grid)));
}
