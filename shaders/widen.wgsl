// Widens a tensor from the bytes of a file to padded f32 rows and counts what is not finite.
// raw: rows * cols elements as little-endian words, F32 one per word, F16 and BF16 two (low half first), no row padding.
// destination: [rows, stride] f32 bits, columns cols ... stride - 1 become 0.
// non_finite: NaNs, +infinities, -infinities, and the complement of the first such index row * cols + col; all zero
// before the dispatch. One invocation writes four neighbouring columns. Exact: integers only, f16 subnormals included.

override WORKGROUP_SIZE: u32 = 64u;
override DTYPE: u32 = 0u; // 0 F32, 1 F16, 2 BF16

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> raw: array<u32>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> non_finite: array<atomic<u32>>;

const EXPONENT = 0x7F800000u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn widen(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let four = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (four >= params.rows * params.stride / 4u) {
    return;
  }
  let row = 4u * four / params.stride;
  let col = 4u * four - row * params.stride;
  let first = row * params.cols + col;
  let inside = vec4<u32>(col, col + 1u, col + 2u, col + 3u) < vec4<u32>(params.cols);
  let result = select(vec4<u32>(0u), four_elements(first), inside);
  destination[four] = result;

  let magnitude = result & vec4<u32>(0x7FFFFFFFu);
  let counted = any(magnitude >= vec4<u32>(EXPONENT));
  // A loop that is nearly always empty: some adapters execute both sides of an `if` and skip only empty loops.
  for (var i = select(4u, 0u, counted); i < 4u; i++) {
    count_non_finite(result[i], first + i);
  }
}

// Elements from `first` on; those past the end of the row are anything.
fn four_elements(first: u32) -> vec4<u32> {
  let index = vec4<u32>(first, first + 1u, first + 2u, first + 3u);
  if (DTYPE == 0u) {
    return words(index);
  }
  let halves = (words(index / 2u) >> (16u * (index % 2u))) & vec4<u32>(0xFFFFu);
  if (DTYPE == 2u) {
    return halves << vec4<u32>(16u);
  }
  return widen_f16(halves);
}

fn words(index: vec4<u32>) -> vec4<u32> {
  let i = min(index, vec4<u32>(arrayLength(&raw) - 1u));
  return vec4<u32>(raw[i.x], raw[i.y], raw[i.z], raw[i.w]);
}

fn widen_f16(half: vec4<u32>) -> vec4<u32> {
  let sign = (half & vec4<u32>(0x8000u)) << vec4<u32>(16u);
  let exponent = half & vec4<u32>(0x7C00u);
  let mantissa = half & vec4<u32>(0x3FFu);
  let normal = ((half & vec4<u32>(0x7FFFu)) << vec4<u32>(13u)) + (112u << 23u);
  let special = vec4<u32>(EXPONENT) | (mantissa << vec4<u32>(13u));
  let top = 31u - countLeadingZeros(mantissa | vec4<u32>(1u)); // a subnormal is mantissa * 2^-24
  let subnormal = ((top + 102u) << vec4<u32>(23u)) + (mantissa << (23u - top));
  var result = select(normal, special, exponent == vec4<u32>(0x7C00u));
  result = select(result, subnormal, exponent == vec4<u32>(0u));
  return sign | select(result, vec4<u32>(0u), (half & vec4<u32>(0x7FFFu)) == vec4<u32>(0u));
}

fn count_non_finite(bits: u32, index: u32) {
  let magnitude = bits & 0x7FFFFFFFu;
  if (magnitude < EXPONENT) {
    return;
  }
  if (magnitude > EXPONENT) {
    atomicAdd(&non_finite[0], 1u);
  } else if (bits == EXPONENT) {
    atomicAdd(&non_finite[1], 1u);
  } else {
    atomicAdd(&non_finite[2], 1u);
  }
  atomicMax(&non_finite[3], ~index);
}
