// Copies a tensor, one vec4 per invocation: the floor every other kernel is measured against.
// source, target: [count] vec4<f32>. Invocation i copies element i.

override WORKGROUP_SIZE: u32 = 256u;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> destination: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn copy_vec4(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index < params.count) {
    destination[index] = source[index];
  }
}
