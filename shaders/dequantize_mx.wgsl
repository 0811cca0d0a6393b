// Decodes MX element codes and E8M0 scale bytes to f32.
// codes: [rows, code_stride] bytes and scales: [rows, scale_stride] bytes as quantize_mx lays them out, or as a file
// has them. destination: [rows, stride] f32 bits, columns cols ... stride - 1 become 0.
// One invocation decodes eight elements of one block (BLOCK is 8, 16, ... 128). Byte 255 decodes to NaN; codes for
// NaN and infinity decode to these.

override WORKGROUP_SIZE: u32 = 64u;
override BLOCK: u32 = 32u;
override NIBBLES: bool = true;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  scale_stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> codes: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read_write> destination: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn dequantize_mx(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let eight = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (eight >= params.rows * params.stride / 8u) {
    return;
  }
  let row = 8u * eight / params.stride;
  let col = 8u * eight - row * params.stride;
  let scale = row * params.scale_stride + col / BLOCK;
  let byte = (scales[scale / 4u] >> (8u * (scale % 4u))) & 255u;
  let k = i32(byte) - 127;
  let first = four_codes(eight, 0u);
  let second = four_codes(eight, 1u);
  // Two loops, one of which has nothing to do: some adapters execute both sides of an `if` and skip only empty loops.
  let plain = select(0u, 2u, byte != NAN_BYTE && are_plain(max(magnitudes_of(first), magnitudes_of(second)), k));
  for (var i = 0u; i < plain; i++) {
    let four = select(first, second, i == 1u);
    destination[2u * eight + i] = select(vec4<u32>(0u), plain_values(four, k), is_inside(col + 4u * i));
  }
  for (var i = plain; i < 2u; i++) {
    let four = select(first, second, i == 1u);
    let decoded = vec4<u32>(value_of(four.x, k), value_of(four.y, k), value_of(four.z, k), value_of(four.w, k));
    let values = select(decoded, vec4<u32>(NAN_BITS), byte == NAN_BYTE);
    destination[2u * eight + i] = select(vec4<u32>(0u), values, is_inside(col + 4u * i));
  }
}

fn four_codes(eight: u32, index: u32) -> vec4<u32> {
  if (NIBBLES) {
    return (vec4<u32>(codes[eight] >> (16u * index)) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<u32>(15u);
  }
  return (vec4<u32>(codes[2u * eight + index]) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u);
}

fn is_inside(col: u32) -> vec4<bool> {
  return vec4<u32>(col, col + 1u, col + 2u, col + 3u) < vec4<u32>(params.cols);
}

fn magnitudes_of(four: vec4<u32>) -> vec4<u32> {
  return four & vec4<u32>(SIGN_BIT - 1u);
}

// Whether every result is a normal number or zero, and no code stands for infinity or NaN.
fn are_plain(magnitudes: vec4<u32>, k: i32) -> bool {
  let in_range = k + EMIN - i32(MANTISSA_BITS) >= -126 && k + EMAX <= 127;
  return !PRE_SCALED && in_range && (TWOS_COMPLEMENT || all(magnitudes <= vec4<u32>(MAX_CODE)));
}

// For are_plain: the magnitude's bits moved to where an f32 has them, and the exponents added;
// a subnormal element is an integer times one step.
fn plain_values(four: vec4<u32>, k: i32) -> vec4<u32> {
  let step_exponent = k + EMIN - i32(MANTISSA_BITS);
  if (TWOS_COMPLEMENT) {
    let integers = vec4<f32>((bitcast<vec4<i32>>(four) << vec4<u32>(24u)) >> vec4<u32>(24u));
    let moved = bitcast<vec4<u32>>(bitcast<vec4<i32>>(integers) + vec4<i32>(step_exponent << 23u));
    return select(moved, vec4<u32>(0u), four == vec4<u32>(0u));
  }
  let magnitudes = bitcast<vec4<i32>>(magnitudes_of(four));
  let normal = (magnitudes << vec4<u32>(23u - MANTISSA_BITS)) + vec4<i32>((k + EMIN + 126) << 23u);
  let integers = bitcast<vec4<i32>>(vec4<f32>(magnitudes)) + vec4<i32>(step_exponent << 23u);
  let subnormal = select(integers, vec4<i32>(0), magnitudes == vec4<i32>(0));
  let smallest_normal = vec4<i32>(1i << MANTISSA_BITS);
  let values = bitcast<vec4<u32>>(select(subnormal, normal, magnitudes >= smallest_normal));
  return values | ((four & vec4<u32>(SIGN_BIT)) * (0x80000000u / SIGN_BIT));
}

fn value_of(code: u32, k: i32) -> u32 {
  let is_negative = code >= SIGN_BIT;
  var magnitude = code & (SIGN_BIT - 1u);
  if (TWOS_COMPLEMENT && is_negative) {
    magnitude = 2u * SIGN_BIT - code;
  }
  return magnitude_of_code(magnitude, k) | select(0u, 0x80000000u, is_negative);
}
