// Rounds blocks of 32 to E2M1 under an E8M0 scale by comparing bit patterns: the fast MXFP4 path.
// source, destination: [rows, stride] as f32 bits, stride a multiple of 32, columns cols ... stride - 1 are 0 in both.
// One invocation owns one block. With s the f32 bits of the scale 2^k, the rounding boundaries 0.25, 0.75, ... and the
// values 0.5, 1, ... times 2^k are s plus a constant, and magnitudes order as their bits do. This holds while
// 0.25 * 2^k is a normal number; blocks with a smaller scale take the general integer path of lib/mx_element.wgsl.
// Any scale rule and rounding; with the 3/4 pre-scale half-even and half-away only (the host sees to it).

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<u32>>;

const SIGN = vec4<u32>(0x80000000u);
const MAGNITUDE = vec4<i32>(0x7FFFFFFF);
const MIN_FAST_BYTE = 3u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn fake_quantize_e2m1(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let blocks_per_row = params.stride / 32u;
  if (block >= params.rows * blocks_per_row) {
    return;
  }
  let first = block * 8u;
  let v0 = source[first];
  let v1 = source[first + 1u];
  let v2 = source[first + 2u];
  let v3 = source[first + 3u];
  let v4 = source[first + 4u];
  let v5 = source[first + 5u];
  let v6 = source[first + 6u];
  let v7 = source[first + 7u];

  let low = max(max(magnitude(v0), magnitude(v1)), max(magnitude(v2), magnitude(v3)));
  let high = max(max(magnitude(v4), magnitude(v5)), max(magnitude(v6), magnitude(v7)));
  let largest = max(low, high);
  let byte = scale_byte(u32(max(max(largest.x, largest.y), max(largest.z, largest.w))));

  if (byte < MIN_FAST_BYTE || byte == NAN_BYTE) {
    round_rare_block(block % blocks_per_row * 32u, first, byte);
    return;
  }
  let s = i32(byte) << 23u;
  destination[first] = rounded(v0, s);
  destination[first + 1u] = rounded(v1, s);
  destination[first + 2u] = rounded(v2, s);
  destination[first + 3u] = rounded(v3, s);
  destination[first + 4u] = rounded(v4, s);
  destination[first + 5u] = rounded(v5, s);
  destination[first + 6u] = rounded(v6, s);
  destination[first + 7u] = rounded(v7, s);
}

// Sign bit cleared, so signed comparisons order magnitudes.
fn magnitude(bits: vec4<u32>) -> vec4<i32> {
  return bitcast<vec4<i32>>(bits) & MAGNITUDE;
}

fn rounded(bits: vec4<u32>, s: i32) -> vec4<u32> {
  let a = magnitude(bits);
  if (PRE_SCALED) {
    return bitcast<vec4<u32>>(pre_scaled_value(a, s)) | (bits & SIGN);
  }
  return bitcast<vec4<u32>>(value(a, s)) | (bits & SIGN);
}

// From 1 up one mantissa bit is kept and 6 is the largest; below, the step is 0.5.
fn value(a: vec4<i32>, s: i32) -> vec4<i32> {
  var half_from = s - 0xFFFFFF; // just above 0.25: the tie goes to 0
  var one_from = s - 0x400000; // 0.75
  var carried = a + 0x1FFFFF + ((a >> vec4<u32>(22u)) & vec4<i32>(1));
  if (ROUNDING == 1u) {
    half_from = s - 0x1000000;
    carried = a + 0x200000;
  } else if (ROUNDING == 2u) {
    half_from = s - 0x800000;
    one_from = s;
    carried = a;
  }
  let one_up = clamp(carried & vec4<i32>(-0x400000), vec4<i32>(s), vec4<i32>(s + 0x1400000));
  let below_one = select(vec4<i32>(0), vec4<i32>(s - 0x800000), a >= vec4<i32>(half_from));
  return select(below_one, one_up, a >= vec4<i32>(one_from));
}

// Values 4/3 of 0.5, 1, ... 6 and their boundaries, as f32 bits at k = 0; nearest, no f32 lies on a boundary but 1,
// where both tie rules go up.
fn pre_scaled_value(a: vec4<i32>, s: i32) -> vec4<i32> {
  let k = s - 0x3F800000;
  var v = select(vec4<i32>(0), vec4<i32>(0x3F2AAAAB + k), a >= vec4<i32>(0x3EAAAAAB + k));
  v = select(v, vec4<i32>(0x3FAAAAAB + k), a >= vec4<i32>(0x3F800000 + k));
  v = select(v, vec4<i32>(0x40000000 + k), a >= vec4<i32>(0x3FD55556 + k));
  v = select(v, vec4<i32>(0x402AAAAB + k), a >= vec4<i32>(0x40155556 + k));
  v = select(v, vec4<i32>(0x40800000 + k), a >= vec4<i32>(0x40555556 + k));
  v = select(v, vec4<i32>(0x40AAAAAB + k), a >= vec4<i32>(0x40955556 + k));
  return select(v, vec4<i32>(0x41000000 + k), a >= vec4<i32>(0x40D55556 + k));
}

// NaN blocks, and blocks so small that their boundaries are not normal numbers.
fn round_rare_block(first_col: u32, first: u32, byte: u32) {
  for (var i = 0u; i < 8u; i++) {
    let bits = source[first + i];
    var result = vec4<u32>(0u);
    for (var j = 0u; j < 4u; j++) {
      if (byte != NAN_BYTE) {
        let k = i32(byte) - 127;
        result[j] = magnitude_of_code(magnitude_code(bits[j] & 0x7FFFFFFFu, k), k) | (bits[j] & 0x80000000u);
      } else if (first_col + 4u * i + j < params.cols) {
        result[j] = NAN_BITS;
      }
    }
    destination[first + i] = result;
  }
}
