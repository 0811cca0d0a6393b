// out[row, col] = |x[row, col]| / peak of its block: from 0 to 1. 0 in blocks whose peak is zero or an f32 subnormal.
// x, out: [rows, stride]; peaks: [rows, blocks] as block_peaks leaves them. The padding of x is zero and stays so.
// One invocation per vec4.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
  rows: u32,
  stride4: u32,
  block4: u32,   // of a block, in vec4
  blocks: u32,   // per row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;          // [rows, stride4]
@group(0) @binding(2) var<storage, read> peaks: array<u32>;            // [rows, blocks]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;  // [rows, stride4]

@compute @workgroup_size(WORKGROUP_SIZE)
fn block_shares(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let row = index / params.stride4;
  if (row >= params.rows) {
    return;
  }
  let block = min(index % params.stride4 / params.block4, params.blocks - 1u);
  let peak = peaks[row * params.blocks + block];
  let is_normal = peak >= 0x800000u;
  let divisor = select(1.0, bitcast<f32>(peak), is_normal);
  out[index] = select(vec4<f32>(), abs(x[index]) / divisor, is_normal);
}
