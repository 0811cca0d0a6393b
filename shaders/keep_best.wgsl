// Keeps or restores the best state of a learned tensor as record_loss.wgsl decided:
//   improved  best ← value
//   diverged  value ← best
// value, best: [count4] vec4<u32>, bits that are moved and never interpreted. One vec4 per invocation.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
  count4: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: TrainingState;
@group(0) @binding(2) var<storage, read_write> value: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> best: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn keep_best(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.count4) {
    return;
  }
  if (state.improved == 1u) {
    best[index] = value[index];
  }
  if (state.diverged == 1u) {
    value[index] = best[index];
  }
}
