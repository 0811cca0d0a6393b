// out[i] = matrix[i, i] for a square matrix whose rows are `stride` words apart. One invocation per element.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  size: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;      // [size, stride]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;   // [size]

@compute @workgroup_size(WORKGROUP_SIZE)
fn diagonal(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index < params.size) {
    out[index] = matrix[index * params.stride + index];
  }
}
