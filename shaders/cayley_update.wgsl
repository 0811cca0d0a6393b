// Takes a Cayley step where the books allow one: value ← 1.5 · Q − 0.5 · Q (QᵀQ), one Newton-Schulz step of the new point
// Q towards the nearest orthogonal matrix. After a divergence or a stop the value stays what keep_best.wgsl left.
// q, qgram, value: [count4] vec4<f32>, padding zero. One vec4 per invocation.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
  count4: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> state: TrainingState;
@group(0) @binding(2) var<storage, read> q: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> qgram: array<vec4<f32>>;      // Q (QᵀQ)
@group(0) @binding(4) var<storage, read_write> value: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn cayley_update(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index < params.count4 && state.diverged == 0u && state.stopped == 0u) {
    value[index] = 1.5 * q[index] - 0.5 * qgram[index];
  }
}
