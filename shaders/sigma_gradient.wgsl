// Gradient of the singular values of P = U diag(σ) Vᵀ, A = U diag(1/σ) Vᵀ from those of P and A:
//   out[j] = Σ_i Σ_k U[i][j] V[k][j] (gP[i][k] − gA[i][k] / σ[j]²),  U = 2 n_u − I, V = 2 n_v − I.
// All [size, size], row-major, unpadded; sigma and out [size]. One workgroup per j; lane l takes rows l, l + 64, …, and
// the lanes' sums are added in a fixed tree.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> n_u: array<f32>;
@group(0) @binding(2) var<storage, read> sigma: array<f32>;
@group(0) @binding(3) var<storage, read> n_v: array<f32>;
@group(0) @binding(4) var<storage, read> g_p: array<f32>;
@group(0) @binding(5) var<storage, read> g_a: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;

var<workgroup> sums: array<f32, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn sigma_gradient(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let size = params.size;
  let j = workgroup_index(group, groups);
  var total = 0.0;
  if (j < size) {
    let weight = 1.0 / (sigma[j] * sigma[j]);
    for (var i = lane; i < size; i += WORKGROUP_SIZE) {
      var inner = 0.0;
      for (var k = 0u; k < size; k++) {
        let v = 2.0 * n_v[k * size + j] - f32(k == j);
        inner += v * (g_p[i * size + k] - weight * g_a[i * size + k]);
      }
      total += (2.0 * n_u[i * size + j] - f32(i == j)) * inner;
    }
  }
  sums[lane] = total;
  for (var width = WORKGROUP_SIZE / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) {
      sums[lane] += sums[lane + width];
    }
  }
  if (lane == 0u && j < size) {
    out[j] = sums[0];
  }
}
