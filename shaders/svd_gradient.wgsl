// Transposed gradient of one rotation of P = U diag(σ) Vᵀ, A = U diag(1/σ) Vᵀ, from those of P and A:
//   gUᵀ = diag(σ) Vᵀ gPᵀ + diag(1/σ) Vᵀ gAᵀ       OF_LEFT 1, other = V
//   gVᵀ = diag(σ) Uᵀ gP  + diag(1/σ) Uᵀ gA        OF_LEFT 0, other = U
// other = 2 n_other − I. All [size, size], row-major, unpadded; sigma [size]. One invocation per element.

override WORKGROUP_SIZE: u32 = 64u;
override OF_LEFT: u32 = 0u;

struct Params {
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> n_other: array<f32>;
@group(0) @binding(2) var<storage, read> sigma: array<f32>;
@group(0) @binding(3) var<storage, read> g_p: array<f32>;
@group(0) @binding(4) var<storage, read> g_a: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn svd_gradient(
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
  var at = col;
  var step = size;
  if (OF_LEFT == 1u) {
    at = col * size;
    step = 1u;
  }
  var sums = vec2<f32>();
  for (var k = 0u; k < size; k++) {
    let other = 2.0 * n_other[k * size + row] - f32(k == row);
    sums += other * vec2(g_p[at + k * step], g_a[at + k * step]);
  }
  out[index] = sigma[row] * sums.x + sums.y / sigma[row];
}
