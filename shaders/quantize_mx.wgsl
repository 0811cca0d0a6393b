// Quantizes a matrix to MX element codes and E8M0 scale bytes.
// source: [rows, stride] as f32 bits, columns cols ... stride - 1 are 0.
// codes: [rows, code_stride] bytes: 4-bit codes two per byte, element 2i in the low nibble; wider ones one per byte.
// scales: [rows, scale_stride] bytes, one per block of BLOCK columns (8, 16, ... 128), then zeros up to scale_stride.
// One invocation owns one word of four scale bytes and the four blocks it belongs to, so no two write the same word.
// A block with a NaN or an infinity gets byte 255 and codes 0. Float arithmetic only where it is exact.

override WORKGROUP_SIZE: u32 = 64u;
override BLOCK: u32 = 32u;
override NIBBLES: bool = true;

struct Params {
  rows: u32,
  stride: u32,
  scale_words: u32, // scale_stride / 4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> codes: array<u32>;
@group(0) @binding(3) var<storage, read_write> scales: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn quantize_mx(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let word = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (word >= params.rows * params.scale_words) {
    return;
  }
  let row = word / params.scale_words;
  let first_block = (word - row * params.scale_words) * 4u;
  var bytes = 0u;
  for (var i = 0u; i < 4u; i++) {
    let first_col = (first_block + i) * BLOCK;
    if (first_col < params.stride) {
      bytes |= quantize_block(row * params.stride + first_col, min(BLOCK, params.stride - first_col)) << (8u * i);
    }
  }
  scales[word] = bytes;
}

// Writes the codes of `count` elements from element `start` on; returns the scale byte.
fn quantize_block(start: u32, count: u32) -> u32 {
  let first = start / 4u;
  let end = first + count / 4u;
  var largest = vec4<u32>(0u);
  for (var i = first; i < end; i++) {
    largest = max(largest, source[i] & vec4<u32>(0x7FFFFFFFu));
  }
  let byte = scale_byte(max(max(largest.x, largest.y), max(largest.z, largest.w)));
  let k = i32(byte) - 127;
  // Two loops, one of which has nothing to do: some adapters execute both sides of an `if` and skip only empty loops.
  let turn = select(first, end, byte != NAN_BYTE && can_round_in_place(k));
  let limit = i32(magnitude_of_code(MAX_CODE, k));
  for (var i = first; i < turn; i += 2u) {
    store(i, four_codes_in_place(source[i], k, limit), four_codes_in_place(source[i + 1u], k, limit));
  }
  for (var i = turn; i < end; i += 2u) {
    let stored = vec4<u32>(select(0xFFu, 0u, byte == NAN_BYTE));
    store(i, four_codes(source[i], k) & stored, four_codes(source[i + 1u], k) & stored);
  }
  return byte;
}

fn store(i: u32, low: vec4<u32>, high: vec4<u32>) {
  if (NIBBLES) {
    codes[i / 2u] = packed(low, 4u) | (packed(high, 4u) << 16u);
  } else {
    codes[i] = packed(low, 8u);
    codes[i + 1u] = packed(high, 8u);
  }
}

// A normal element's code is the top of its bits; a subnormal's is the element over one step, both exact.
fn four_codes_in_place(bits: vec4<u32>, k: i32, limit: i32) -> vec4<u32> {
  let m = round_in_place(bitcast<vec4<i32>>(bits & vec4<u32>(0x7FFFFFFFu)), k, limit);
  let mantissa_bits = i32(MANTISSA_BITS);
  let smallest_normal = (k + EMIN + 127) << 23u;
  let inverse_step = bitcast<f32>((127 - (k + EMIN - mantissa_bits)) << 23u); // 2^-126 ... 2^125: normal
  let normal = (m - vec4<i32>(smallest_normal - 0x800000)) >> vec4<u32>(23u - MANTISSA_BITS);
  let subnormal = vec4<i32>(bitcast<vec4<f32>>(min(m, vec4<i32>(smallest_normal))) * inverse_step);
  return with_sign(bitcast<vec4<u32>>(select(subnormal, normal, m >= vec4<i32>(smallest_normal))), bits);
}

fn four_codes(bits: vec4<u32>, k: i32) -> vec4<u32> {
  let m = bits & vec4<u32>(0x7FFFFFFFu);
  let magnitudes = vec4<u32>(
    magnitude_code(m.x, k),
    magnitude_code(m.y, k),
    magnitude_code(m.z, k),
    magnitude_code(m.w, k),
  );
  return with_sign(magnitudes, bits);
}

fn with_sign(magnitudes: vec4<u32>, bits: vec4<u32>) -> vec4<u32> {
  if (TWOS_COMPLEMENT) {
    let negated = -bitcast<vec4<i32>>(magnitudes) & vec4<i32>(255);
    return select(magnitudes, bitcast<vec4<u32>>(negated), bits >= vec4<u32>(0x80000000u));
  }
  return magnitudes | ((bits >> vec4<u32>(31u)) * SIGN_BIT);
}

fn packed(four: vec4<u32>, bits: u32) -> u32 {
  return four.x | (four.y << bits) | (four.z << (2u * bits)) | (four.w << (3u * bits));
}
