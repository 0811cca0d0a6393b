// out = a + factor · b, one vec4 per invocation. With a factor of 1 or −1 each element is rounded once.
// a, b, out: [rows, stride], here one run of `count4` vec4s. The padding of a and b is zero and stays so.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
  count4: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn add_scaled(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index < params.count4) {
    out[index] = a[index] + params.factor * b[index];
  }
}
