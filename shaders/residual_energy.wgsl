// residual = estimate − reference, and its energy Σ residual² as partial sums.
// All matrices [count] vec4, padding included (zero minus zero). Invocation i takes elements i, i + threads, … and
// writes partial i, so that the sum has one order; strided_sums.wgsl adds the partials.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,     // vec4 elements
  threads: u32,   // partial sums
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> estimate: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> reference: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> residual: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;   // [threads]

@compute @workgroup_size(WORKGROUP_SIZE)
fn residual_energy(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let thread = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (thread >= params.threads) {
    return;
  }
  var sum = vec4<f32>();
  for (var i = thread; i < params.count; i += params.threads) {
    let difference = estimate[i] - reference[i];
    residual[i] = difference;
    sum += difference * difference;
  }
  partials[thread] = dot(sum, vec4(1.0));
}
