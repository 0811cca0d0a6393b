// max |x| over a matrix, as the bits of an f32: magnitudes order like unsigned integers, NaN above infinity.
// x: [count] vec4<u32>, padding included; maximum: one word, 0 before the dispatch.
// Invocation i takes elements i, i + invocations, …; one atomicMax per invocation. A maximum does not depend on order.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
  invocations: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> maximum: atomic<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn magnitude_max(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (i >= params.invocations) {
    return;
  }
  var largest = vec4u();
  for (var index = i; index < params.count; index += params.invocations) {
    largest = max(largest, x[index] & vec4u(0x7fffffffu));
  }
  atomicMax(&maximum, max(max(largest.x, largest.y), max(largest.z, largest.w)));
}
