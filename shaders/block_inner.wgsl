// sums[row, block] = Σ over the block's columns of a · b.
// a, b: [rows, stride4 vec4s], padding zero, blocks of block4 vec4s, the last of a row may be short.
// One invocation per block, in the order of the columns, so that the sum has one order.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride4: u32,
  block4: u32,   // of a block, in vec4
  blocks: u32,   // per row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;       // [rows, stride4]
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;       // [rows, stride4]
@group(0) @binding(3) var<storage, read_write> sums: array<f32>;    // [rows, blocks]

@compute @workgroup_size(WORKGROUP_SIZE)
fn block_inner(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.blocks) {
    return;
  }
  let block = vec4s_of_block(index);
  var sum = vec4<f32>();
  for (var i = block.x; i < block.y; i++) {
    sum += a[i] * b[i];
  }
  sums[index] = (sum.x + sum.y) + (sum.z + sum.w);
}
