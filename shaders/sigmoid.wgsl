// shares[i] = 1 / (1 + exp(−logits[i])). Both [count]; one invocation per element.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> shares: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn sigmoid(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index < params.count) {
    shares[index] = 1.0 / (1.0 + exp(-logits[index]));
  }
}
