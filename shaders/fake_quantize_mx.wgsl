// Rounds every block to an MX format and writes the values a decoder would read back: any element, rule and rounding.
// source, destination: [rows, stride] as f32 bits, columns cols ... stride - 1 are 0 in both.
// One invocation owns one block of BLOCK columns (a multiple of 4), the last of a row may be short.
// A block with a NaN or an infinity becomes NaN. No float arithmetic: values move as bits.
// Where one step of the smallest element is a normal number (nearly always) a block is rounded in place
// (lib/mx_round.wgsl); the others and the pre-scaled ones go through their codes.

override WORKGROUP_SIZE: u32 = 64u;
override BLOCK: u32 = 32u;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  blocks_per_row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn fake_quantize_mx(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (block >= params.rows * params.blocks_per_row) {
    return;
  }
  let row = block / params.blocks_per_row;
  let first_col = (block - row * params.blocks_per_row) * BLOCK;
  let first = (row * params.stride + first_col) / 4u;
  let end = first + min(BLOCK, params.stride - first_col) / 4u;

  var largest = vec4<u32>(0u);
  for (var i = first; i < end; i++) {
    largest = max(largest, source[i] & vec4<u32>(0x7FFFFFFFu));
  }
  let byte = scale_byte(max(max(largest.x, largest.y), max(largest.z, largest.w)));

  if (byte == NAN_BYTE) {
    for (var i = first; i < end; i++) {
      let col = vec4<u32>(first_col + 4u * (i - first)) + vec4<u32>(0u, 1u, 2u, 3u);
      destination[i] = select(vec4<u32>(0u), vec4<u32>(NAN_BITS), col < vec4<u32>(params.cols));
    }
    return;
  }
  let k = i32(byte) - 127;
  if (can_round_in_place(k)) {
    let limit = i32(magnitude_of_code(MAX_CODE, k));
    for (var i = first; i < end; i++) {
      destination[i] = rounded_in_place(source[i], k, limit);
    }
    return;
  }
  for (var i = first; i < end; i++) {
    let bits = source[i];
    destination[i] = vec4<u32>(
      rounded(bits.x, k),
      rounded(bits.y, k),
      rounded(bits.z, k),
      rounded(bits.w, k),
    );
  }
}

fn rounded_in_place(bits: vec4<u32>, k: i32, limit: i32) -> vec4<u32> {
  let magnitude = bitcast<vec4<u32>>(round_in_place(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)), k, limit));
  let signed = magnitude | (bits & vec4<u32>(0x80000000u));
  if (TWOS_COMPLEMENT) {
    return select(signed, vec4<u32>(0u), magnitude == vec4<u32>(0u)); // an integer has no negative zero
  }
  return signed;
}

fn rounded(bits: u32, k: i32) -> u32 {
  let code = magnitude_code(bits & 0x7FFFFFFFu, k);
  if (code == 0u && TWOS_COMPLEMENT) {
    return 0u;
  }
  return magnitude_of_code(code, k) | (bits & 0x80000000u);
}
