// From the gradient of the skew matrix K = L − Lᵀ, given transposed, to that of its strictly lower triangle:
//   out[i][j] = gK[i][j] − gK[j][i] below the diagonal, 0 elsewhere.
// All [size, size], row-major, unpadded. One invocation per element.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> transposed_gradient: array<f32>;   // gKᵀ
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn cayley_gradient(
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
  var value = 0.0;
  if (row > col) {
    value = transposed_gradient[col * size + row] - transposed_gradient[index];
  }
  out[index] = value;
}
