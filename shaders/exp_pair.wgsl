// scale[i] = exp(θ[i]) and inverse[i] = exp(−θ[i]), the channel scale and its reciprocal. All [count].
// One invocation per element. exp may be off by 3 + 2|θ| ULP, which training does not notice; the fitted transform's
// own scale is computed in float64.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> theta: array<f32>;
@group(0) @binding(2) var<storage, read_write> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> inverse: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn exp_pair(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index < params.count) {
    scale[index] = exp(theta[index]);
    inverse[index] = exp(-theta[index]);
  }
}
