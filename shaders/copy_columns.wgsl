// destination[row, to + c] = source[row, from + c] for c < cols4 vec4s: a run of columns out of one matrix into another.
// source: [rows, source_stride4 vec4s], destination: [rows, stride4 vec4s]. What is padding of the source is copied as it
// is: zeros. One invocation per vec4.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
  rows: u32,
  cols4: u32,
  source_stride4: u32,
  stride4: u32,
  from4: u32,
  to4: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn copy_columns(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let row = index / params.cols4;
  if (row >= params.rows) {
    return;
  }
  let col4 = index - row * params.cols4;
  destination[row * params.stride4 + params.to4 + col4] = source[row * params.source_stride4 + params.from4 + col4];
}
