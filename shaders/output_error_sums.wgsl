// Partial sums of an estimate against its reference, e = estimate − reference:
// partials[q * invocations + i] for invocation i and q = 0: Σe², 1: Σ reference², 2: Σ estimate²,
// 3: Σ reference · estimate, 4: max |e|. The host adds the partials in float64.
// reference, estimate: [count] vec4<f32>, padding included (zeros add nothing). Invocation i takes elements i,
// i + invocations, …, eight at a time: a sum over a group of eight, then a sum of groups, keeps rounding small.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
  invocations: u32,
  groups_of_eight: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> reference: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> estimate: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn output_error_sums(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (i >= params.invocations) {
    return;
  }
  var error_energy = vec4f();
  var reference_energy = vec4f();
  var estimate_energy = vec4f();
  var inner = vec4f();
  var largest = vec4f();
  var index = i;
  for (var g = 0u; g < params.groups_of_eight; g++) {
    var group_error = vec4f();
    var group_reference = vec4f();
    var group_estimate = vec4f();
    var group_inner = vec4f();
    for (var j = 0u; j < 8u; j++) {
      if (index < params.count) {
        let y = reference[index];
        let z = estimate[index];
        let e = z - y;
        group_error += e * e;
        group_reference += y * y;
        group_estimate += z * z;
        group_inner += y * z;
        largest = max(largest, abs(e));
      }
      index += params.invocations;
    }
    error_energy += group_error;
    reference_energy += group_reference;
    estimate_energy += group_estimate;
    inner += group_inner;
  }
  partials[i] = sum_of(error_energy);
  partials[params.invocations + i] = sum_of(reference_energy);
  partials[2u * params.invocations + i] = sum_of(estimate_energy);
  partials[3u * params.invocations + i] = sum_of(inner);
  partials[4u * params.invocations + i] = max(max(largest.x, largest.y), max(largest.z, largest.w));
}

fn sum_of(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}
