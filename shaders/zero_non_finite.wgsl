// Writes 0 over every element that is not finite. x: count vec4s of f32 bits; one invocation takes one of them.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> x: array<vec4<u32>>;

const EXPONENT = 0x7F800000u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn zero_non_finite(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (i < params.count) {
    let bits = x[i];
    x[i] = select(bits, vec4<u32>(), (bits & vec4(EXPONENT)) == vec4(EXPONENT));
  }
}
