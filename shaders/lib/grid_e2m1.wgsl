// Grid library: E2M1 under an E8M0 scale 2^k, with any rounding and pre-scale. Needs lib/e8m0.wgsl, lib/e2m1_table.wgsl.
// params.table holds what lib/e2m1_table.wgsl needs at scale 1 (t1, t3, t5, t7, v1, v3), the smallest and the largest
// byte under which all of it is normal, and the largest magnitude that is not clipped, all but the bytes as f32 bits.
// Under 2^k they are the same with k more in the exponent.

struct Grid {
  table: E2m1Table,
  byte: u32,
  flushed: bool,
}

fn unit_table() -> E2m1Table {
  let t = bitcast<vec4<i32>>(params.table[0]);
  let v = bitcast<vec4<i32>>(params.table[1]);
  return E2m1Table(t.x, t.y, t.z, t.w, v.x, v.y);
}

fn grid_of(range: BlockRange, row: u32, candidate: u32) -> Grid {
  let maximum = largest_of(range);
  let byte = scale_byte(maximum);
  if (BEST && candidate == 1u && byte < 254u) {
    // a scale under which the maximum overflows is no candidate
    let raised = i32(byte) - 126;
    let largest = i32(unit_value(rescaled(maximum, raised)));
    if (largest + (raised << 23u) < i32(INFINITY_BITS)) {
      return grid_of_byte(byte + 1u);
    }
  }
  var grid = grid_of_byte(byte);
  grid.flushed = FLUSH && maximum < 0x800000u;
  return grid;
}

fn grid_of_stored(stored: vec2<u32>) -> Grid {
  return grid_of_byte(stored.x);
}

fn grid_of_byte(byte: u32) -> Grid {
  let k = (i32(byte) - 127) << 23u;
  let unit = unit_table();
  return Grid(
    E2m1Table(unit.t1 + k, unit.t3 + k, unit.t5 + k, unit.t7 + k, unit.v1 + k, unit.v3 + k),
    byte,
    false,
  );
}

fn stored_scale(grid: Grid) -> vec2<u32> {
  return vec2<u32>(grid.byte, 0u);
}

fn is_nan(grid: Grid) -> bool {
  return grid.byte == NAN_BYTE;
}

fn is_rare(grid: Grid) -> bool {
  return grid.byte < params.table[1].z || grid.byte > params.table[1].w;
}

fn rounded(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return e2m1_rounded(bits, grid.table);
}

fn codes_of(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  return e2m1_codes(bits, grid.table);
}

fn decoded(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  return e2m1_decoded(codes, grid.table);
}

// No block is clipped below 2^-125, where a subnormal's bits do not have its exponent.
fn is_clipped(bits: vec4<u32>, grid: Grid) -> vec4<bool> {
  let a = bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)) - vec4<i32>((i32(grid.byte) - 127) << 23u);
  let limit = select(i32(params.table[2].x), 0x7FFFFFFF, is_nan(grid) || grid.flushed);
  return a > vec4<i32>(limit);
}

// The magnitude over 2^k as f32 bits, exact; the exponent field may lie outside 1 ... 254, and orders all the same.
fn rescaled(magnitude: u32, k: i32) -> i32 {
  if (magnitude >= 0x800000u) {
    return i32(magnitude) - (k << 23u);
  }
  let shift = countLeadingZeros(magnitude | 1u) - 8u; // to 2^23
  let field = 1 - i32(shift) - k;
  return select((field - 1) * 0x800000 + i32(magnitude << shift), -0x40000000, magnitude == 0u);
}

// Values at scale 1 of magnitudes at scale 1.
fn unit_value(magnitude: i32) -> u32 {
  return e2m1_rounded(vec4<u32>(u32(max(magnitude, 0))), unit_table()).x;
}

// A value at scale 1 brought to scale 2^k; rounded to nearest even where the result is subnormal.
fn scaled_up(magnitude: u32, k: i32) -> u32 {
  if (magnitude == 0u) {
    return 0u;
  }
  return assemble_f32((magnitude & 0x7FFFFFu) | 0x800000u, i32(magnitude >> 23u) - 150 + k);
}

fn rounded_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  let k = i32(grid.byte) - 127;
  var values = vec4<u32>(0u);
  for (var i = 0u; i < 4u; i++) {
    let unit = unit_value(rescaled(bits[i] & 0x7FFFFFFFu, k));
    values[i] = scaled_up(select(unit, 0u, grid.flushed), k) | (bits[i] & 0x80000000u);
  }
  return select(values, vec4<u32>(NAN_BITS), is_nan(grid));
}

fn codes_of_general(bits: vec4<u32>, grid: Grid) -> vec4<u32> {
  var magnitudes = vec4<u32>(0u);
  for (var i = 0u; i < 4u; i++) {
    magnitudes[i] = u32(max(rescaled(bits[i] & 0x7FFFFFFFu, i32(grid.byte) - 127), 0));
  }
  let codes = e2m1_codes(magnitudes, unit_table()) | ((bits >> vec4<u32>(28u)) & vec4<u32>(8u));
  return select(codes, vec4<u32>(0u), grid.flushed);
}

fn decoded_general(codes: vec4<u32>, grid: Grid) -> vec4<u32> {
  let unit = e2m1_decoded(codes, unit_table());
  var values = vec4<u32>(0u);
  for (var i = 0u; i < 4u; i++) {
    values[i] = scaled_up(unit[i] & 0x7FFFFFFFu, i32(grid.byte) - 127) | (unit[i] & 0x80000000u);
  }
  return select(values, vec4<u32>(NAN_BITS), is_nan(grid));
}
