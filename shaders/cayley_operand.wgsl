// out = I − K/2 with K = L − Lᵀ, L the part of theta strictly below the diagonal: what the Cayley map inverts.
// All [size, size], row-major, unpadded. One invocation per element.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> theta: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn cayley_operand(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let size = params.size;
  if (index >= size * size) {
    return;
  }
  let row = index / size;
  let col = index % size;
  if (row == col) {
    out[index] = 1.0;
  } else if (row > col) {
    out[index] = -0.5 * theta[index];
  } else {
    out[index] = 0.5 * theta[col * size + row];
  }
}
