// Where values[i] < best[i], or everywhere with the first candidate: best[i] = values[i] and choice[i] = candidate.
// Equal values keep the earlier candidate. All arrays [count]. One invocation per element.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
  is_first: u32,
  candidate: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> best: array<f32>;
@group(0) @binding(3) var<storage, read_write> choice: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn keep_smaller(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (i < params.count && (params.is_first == 1u || values[i] < best[i])) {
    best[i] = values[i];
    choice[i] = params.candidate;
  }
}
