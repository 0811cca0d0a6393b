// Damps the diagonal of rows first … first + rows - 1 of a Gram matrix: gram[i, first + i] += shift, where a zero (a dead
// channel) counts as `dead_diagonal`. gram: [rows, stride], those rows. One invocation per row.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride: u32,
  first: u32,
  dead_diagonal: f32,
  shift: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> gram: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn damp_diagonal(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (row >= params.rows) {
    return;
  }
  let index = row * params.stride + params.first + row;
  let value = gram[index];
  gram[index] = select(value, params.dead_diagonal, value == 0.0) + params.shift;
}
