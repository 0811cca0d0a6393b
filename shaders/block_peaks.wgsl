// peaks[row, block] = max |x| over the block's columns, as f32 bits: magnitudes order like unsigned integers.
// x: [rows, stride] as f32 bits, blocks of 4 · block4 columns, the last of a row may be short; padding is 0.
// One invocation per block.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride4: u32,
  block4: u32,   // of a block, in vec4
  blocks: u32,   // per row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;          // [rows, stride4]
@group(0) @binding(2) var<storage, read_write> peaks: array<u32>;      // [rows, blocks]

@compute @workgroup_size(WORKGROUP_SIZE)
fn block_peaks(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.blocks) {
    return;
  }
  let block = vec4s_of_block(index);
  var largest = vec4<u32>(0u);
  for (var i = block.x; i < block.y; i++) {
    largest = max(largest, x[i] & vec4<u32>(0x7FFFFFFFu));
  }
  peaks[index] = max(max(largest.x, largest.y), max(largest.z, largest.w));
}
