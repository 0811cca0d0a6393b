// P = U diag(σ) Vᵀ and its inverse transpose A = U diag(1/σ) Vᵀ, with the rotations U = 2 n_u − I and V = 2 n_v − I
// given by the inverses n of their Cayley maps. All [size, size], row-major, unpadded; sigma [size].
// One invocation per element of P and A.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> n_u: array<f32>;
@group(0) @binding(2) var<storage, read> sigma: array<f32>;
@group(0) @binding(3) var<storage, read> n_v: array<f32>;
@group(0) @binding(4) var<storage, read_write> p: array<f32>;
@group(0) @binding(5) var<storage, read_write> a: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn svd_factor(
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
  var sums = vec2<f32>();
  for (var k = 0u; k < size; k++) {
    let u = 2.0 * n_u[row * size + k] - f32(k == row);
    let v = 2.0 * n_v[col * size + k] - f32(k == col);
    sums += u * v * vec2(sigma[k], 1.0 / sigma[k]);
  }
  p[index] = sums.x;
  a[index] = sums.y;
}
