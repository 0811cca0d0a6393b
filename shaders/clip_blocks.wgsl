// out[row, col] = x[row, col] with its magnitude cut to factor · peak of its block, compared as integers.
// Where SHARED, one factor serves all blocks, else each has its own; factors lie in 0.5 … 1. Blocks with a peak below
// 2^-124, where the bound could be subnormal, and those with a peak that is not finite stay as they are.
// x, out: [rows, stride] as f32 bits; peaks: [rows, blocks] as block_peaks leaves them. Padding is zero and stays so.
// One invocation per vec4.

override WORKGROUP_SIZE: u32 = 256u;
override SHARED: bool = false;

struct Params {
  rows: u32,
  stride4: u32,
  block4: u32,   // of a block, in vec4
  blocks: u32,   // per row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;          // [rows, stride4]
@group(0) @binding(2) var<storage, read> peaks: array<u32>;            // [rows, blocks]
@group(0) @binding(3) var<storage, read> factors: array<f32>;          // [rows, blocks]; [1] where SHARED
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
  let block = row * params.blocks + min(index % params.stride4 / params.block4, params.blocks - 1u);
  let bound = vec4<u32>(bound_of(peaks[block], factors[select(block, 0u, SHARED)]));
  let bits = x[index];
  let sign = bits & vec4<u32>(0x80000000u);
  out[index] = select(bits, bound | sign, (bits ^ sign) > bound);
}

fn bound_of(peak: u32, factor: f32) -> u32 {
  let is_cut = peak >= 0x01800000u && peak < 0x7F800000u;
  let product = bitcast<u32>(factor * bitcast<f32>(select(0x3F800000u, peak, is_cut)));
  return select(peak, product, is_cut);
}
