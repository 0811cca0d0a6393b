// Rounding to E2M1 (0, 0.5, 1, 1.5, 2, 3, 4, 6 times a scale) by comparing bit patterns, for scales of any kind.
// Magnitudes order as their bits do, so a block needs the smallest f32 that reaches each code, and the f32 values.
// Three boundaries are a power of two times another, so are the values: six numbers hold all. All are normal.
struct E2m1Table {
  t1: i32, // from here up the code is 1; as f32 bits
  t3: i32, // 2
  t5: i32, // 3; 5 from twice and 7 from four times as much
  t7: i32, // 4; 6 from twice as much
  v1: i32, // the value of code 2, of which those of 1, 4 and 6 are a half, two and four times
  v3: i32, // the value of code 3, of which those of 5 and 7 are two and four times
}

const ONE_UP = 0x800000;

fn e2m1_rounded(bits: vec4<u32>, table: E2m1Table) -> vec4<u32> {
  let a = bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu));
  var v = select(vec4<i32>(table.v1 - ONE_UP), vec4<i32>(0), a < vec4<i32>(table.t1));
  v = select(vec4<i32>(table.v1), v, a < vec4<i32>(table.t3));
  v = select(vec4<i32>(table.v3), v, a < vec4<i32>(table.t5));
  v = select(vec4<i32>(table.v1 + ONE_UP), v, a < vec4<i32>(table.t7));
  v = select(vec4<i32>(table.v3 + ONE_UP), v, a < vec4<i32>(table.t5 + ONE_UP));
  v = select(vec4<i32>(table.v1 + 2 * ONE_UP), v, a < vec4<i32>(table.t7 + ONE_UP));
  v = select(vec4<i32>(table.v3 + 2 * ONE_UP), v, a < vec4<i32>(table.t5 + 2 * ONE_UP));
  return bitcast<vec4<u32>>(v) | (bits & vec4<u32>(0x80000000u));
}

fn e2m1_codes(bits: vec4<u32>, table: E2m1Table) -> vec4<u32> {
  let code = e2m1_magnitudes(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)), table);
  return code | select(vec4<u32>(0u), vec4<u32>(8u), bitcast<vec4<i32>>(bits) < vec4<i32>(0));
}

fn e2m1_magnitudes(a: vec4<i32>, table: E2m1Table) -> vec4<u32> {
  var code = select(vec4<u32>(1u), vec4<u32>(0u), a < vec4<i32>(table.t1));
  code = select(vec4<u32>(2u), code, a < vec4<i32>(table.t3));
  code = select(vec4<u32>(3u), code, a < vec4<i32>(table.t5));
  code = select(vec4<u32>(4u), code, a < vec4<i32>(table.t7));
  code = select(vec4<u32>(5u), code, a < vec4<i32>(table.t5 + ONE_UP));
  code = select(vec4<u32>(6u), code, a < vec4<i32>(table.t7 + ONE_UP));
  return select(vec4<u32>(7u), code, a < vec4<i32>(table.t5 + 2 * ONE_UP));
}

// From 1 up two codes share a binade; which of them is the lowest bit. The products are shifts: software adapters shift
// slowly.
fn e2m1_decoded(codes: vec4<u32>, table: E2m1Table) -> vec4<u32> {
  let m = bitcast<vec4<i32>>(codes & vec4<u32>(7u));
  let odd = m & vec4<i32>(1);
  let significand = select(vec4<i32>(table.v3 - ONE_UP), vec4<i32>(table.v1 - ONE_UP), odd == vec4<i32>(0));
  let from_one = significand + (m - odd) * vec4<i32>(ONE_UP / 2);
  let below_one = odd * vec4<i32>(table.v1 - ONE_UP); // of 0 and 1
  let v = select(from_one, below_one, m < vec4<i32>(2));
  return bitcast<vec4<u32>>(v) | ((codes & vec4<u32>(8u)) * vec4<u32>(0x10000000u));
}
