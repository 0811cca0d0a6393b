// out[row, col] = x[row, col] with its magnitude cut to factor · peak of its block, compared as integers.
// Factors lie in 0 … 1: one in all, one per column of blocks, or one per block (FACTORS_PER in lib/block_bound.wgsl).
// Blocks for which the bound could be subnormal, and those with a peak that is not finite, stay as they are.
// x, out: [rows, stride] as f32 bits; peaks: [rows, blocks] as block_peaks leaves them. Padding is zero and stays so.
// One invocation per vec4.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
  rows: u32,
  stride4: u32,
  block4: u32,   // of a block, in vec4
  blocks: u32,   // per row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;          // [rows, stride4]
@group(0) @binding(2) var<storage, read> peaks: array<u32>;            // [rows, blocks]
@group(0) @binding(3) var<storage, read> factors: array<f32>;          // [rows, blocks], [blocks] or [1]
@group(0) @binding(4) var<storage, read_write> out: array<vec4<u32>>;  // [rows, stride4]

@compute @workgroup_size(WORKGROUP_SIZE)
fn clip_blocks(
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
  let bound = vec4<u32>(bound_of(peaks[row * params.blocks + block], factors[factor_index(row, block)]));
  let bits = x[index];
  let sign = bits & vec4<u32>(0x80000000u);
  out[index] = select(bits, bound | sign, (bits ^ sign) > bound);
}
