// sums[j] = values[j] + values[j + width] + values[j + 2·width] + …, in that order, for j < width.
// Column sums of a [·, width] matrix, and with a width of 64 the first level of a longer sum. One invocation per j.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  total: u32,
  width: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;       // [total]
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;   // [width]

@compute @workgroup_size(WORKGROUP_SIZE)
fn strided_sums(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let column = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (column >= params.width) {
    return;
  }
  var sum = 0.0;
  for (var i = column; i < params.total; i += params.width) {
    sum += values[i];
  }
  sums[column] = sum;
}
