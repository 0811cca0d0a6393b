// out[r, c] = F[r, c], or F[c, r] where TRANSPOSED: a small square matrix, its rows padded with zeros.
// F: [size, size] unpadded; out: [size, stride]. One element per invocation.

override WORKGROUP_SIZE: u32 = 64u;
override TRANSPOSED: u32 = 0u;

struct Params {
  size: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> factor: array<f32>;          // [size, size]
@group(0) @binding(2) var<storage, read_write> out: array<f32>;       // [size, stride]

@compute @workgroup_size(WORKGROUP_SIZE)
fn pack_factor(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.size * params.stride) {
    return;
  }
  let row = index / params.stride;
  let col = index % params.stride;
  let at = select(row * params.size + col, col * params.size + row, TRANSPOSED == 1u);
  out[index] = select(0.0, factor[min(at, params.size * params.size - 1u)], col < params.size);
}
