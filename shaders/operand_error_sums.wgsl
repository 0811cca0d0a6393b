// Sums what quantization did to a matrix: sum of x^2, sum of (q - x)^2, magnitudes clipped, non-zeros flushed to 0.
// original, quantized: [rows, stride] f32, zero beyond cols. partials: [invocations] of
// (f32 bits of sum x^2, f32 bits of sum (q - x)^2, clipped, flushed).
// Invocation i takes blocks i, i + invocations, ... in this order; the host adds the partials. A block's sum is added to
// the running one, so f32 errors stay near (BLOCK / 4 + blocks per invocation) / 2^24.
// "Clipped" is decided on bits: magnitude above the largest code times the block's scale, before rounding.

override WORKGROUP_SIZE: u32 = 64u;
override BLOCK: u32 = 32u;

struct Params {
  rows: u32,
  stride: u32,
  blocks_per_row: u32,
  invocations: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> original: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> quantized: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn operand_error_sums(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let invocation = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (invocation >= params.invocations) {
    return;
  }
  var signal = 0.0;
  var noise = 0.0;
  var counts = vec2<u32>(0u);
  let blocks = params.rows * params.blocks_per_row;
  for (var block = invocation; block < blocks; block += params.invocations) {
    let row = block / params.blocks_per_row;
    let first_col = (block - row * params.blocks_per_row) * BLOCK;
    let first = (row * params.stride + first_col) / 4u;
    let end = first + min(BLOCK, params.stride - first_col) / 4u;

    var largest = vec4<u32>(0u);
    for (var i = first; i < end; i++) {
      largest = max(largest, original[i] & vec4<u32>(0x7FFFFFFFu));
    }
    let limit = clipping_limit(max(max(largest.x, largest.y), max(largest.z, largest.w)));

    var squares = vec4<f32>(0.0);
    var errors = vec4<f32>(0.0);
    var clipped = vec4<u32>(0u);
    var flushed = vec4<u32>(0u);
    for (var i = first; i < end; i++) {
      let magnitude = original[i] & vec4<u32>(0x7FFFFFFFu);
      let kept = quantized[i] & vec4<u32>(0x7FFFFFFFu);
      let x = bitcast<vec4<f32>>(original[i]);
      let difference = bitcast<vec4<f32>>(quantized[i]) - x;
      squares += x * x;
      errors += difference * difference;
      clipped += select(vec4<u32>(0u), vec4<u32>(1u), magnitude > vec4<u32>(limit));
      flushed += min(magnitude, vec4<u32>(1u)) & vec4<u32>(kept == vec4<u32>(0u));
    }
    signal += squares.x + squares.y + squares.z + squares.w;
    noise += errors.x + errors.y + errors.z + errors.w;
    counts += vec2<u32>(clipped.x + clipped.y + clipped.z + clipped.w, flushed.x + flushed.y + flushed.z + flushed.w);
  }
  partials[invocation] = vec4<u32>(bitcast<u32>(signal), bitcast<u32>(noise), counts);
}

// The largest magnitude a block with this maximum can hold unclipped. In a NaN block nothing counts as clipped.
fn clipping_limit(maximum: u32) -> u32 {
  let byte = scale_byte(maximum);
  if (byte == NAN_BYTE) {
    return 0xFFFFFFFFu;
  }
  return magnitude_of_code(MAX_CODE, i32(byte) - 127);
}
