// centred[i] = values[i] − mean, mean = Σ sums / count. values, centred: [count]; sums: [64] partial sums of values
// (strided_sums.wgsl with width 64). One invocation per element; all add the same 64 numbers in the same order.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> centred: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn subtract_mean(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.count) {
    return;
  }
  var total = 0.0;
  for (var i = 0u; i < 64u; i++) {
    total += sums[i];
  }
  centred[index] = values[index] - total / f32(params.count);
}
