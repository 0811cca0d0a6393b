// Copies the rows of a matrix from one stride to another: out[r, c] = source[r, c], zero from `cols` to the new stride.
// source: [rows, source_stride]; out: [rows, stride]. One word per invocation, in the order of the output. Bits are moved,
// never interpreted.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32,
  source_stride: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn repack_rows(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.stride) {
    return;
  }
  let row = index / params.stride;
  let col = index % params.stride;
  var word = 0u;
  if (col < params.cols) {
    word = source[row * params.source_stride + col];
  }
  out[index] = word;
}
