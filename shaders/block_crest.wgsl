// pairs[row, block] = (crest, 1): the block's largest magnitude over its root mean square, sqrt(n / Σ (x / peak)²), n its
// columns; (0, 0) where the peak is zero or an f32 subnormal, so that the sum of the pairs gives mean and count.
// x: [rows, stride], blocks of 4 · block4 columns, the last of a row may be short; padding is 0. peaks: [rows, blocks] as
// block_peaks leaves them. One invocation per block.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  block4: u32,   // of a block, in vec4
  blocks: u32,   // per row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;            // [rows, stride4]
@group(0) @binding(2) var<storage, read> peaks: array<u32>;              // [rows, blocks]
@group(0) @binding(3) var<storage, read_write> pairs: array<vec2<f32>>;  // [rows, blocks]

@compute @workgroup_size(WORKGROUP_SIZE)
fn block_crest(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.blocks) {
    return;
  }
  let peak = peaks[index];
  let is_normal = peak >= 0x800000u;
  let divisor = select(1.0, bitcast<f32>(peak), is_normal);
  let block = vec4s_of_block(index);
  var squares = vec4<f32>();
  for (var i = block.x; i < block.y; i++) {
    let share = x[i] / divisor; // at most 1 where the peak is normal
    squares += share * share;
  }
  let columns = f32(min(4u * params.block4, params.cols - 4u * (block.x % params.stride4)));
  let sum = squares.x + squares.y + squares.z + squares.w;
  // The peak itself adds 1 to the sum.
  pairs[index] = select(vec2<f32>(), vec2<f32>(sqrt(columns / max(sum, 1.0)), 1.0), is_normal);
}
