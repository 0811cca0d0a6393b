// Reads the wanted triangle out of a Cholesky pair, indices reversed: i' = size − 1 − i.
// UNIT 0: out[i, j] = M[i', j'], the upper factor U of the inverse. UNIT 1: out[i, j] = L[i', j'] / L[j', j'], unit upper.
// Both for j ≥ i; zero below the diagonal and in the padding.
// pair: [stride, stride], Lᵀ on and above the diagonal, M below it, M[i, i] = 1 / L[i, i]; out: [size, stride].
// One invocation per word of the output.

override WORKGROUP_SIZE: u32 = 64u;
override UNIT: u32 = 0u;

struct Params {
  size: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pair: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn cholesky_reverse(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.size * params.stride) {
    return;
  }
  let i = index / params.stride;
  let j = index % params.stride;
  let last = params.size - 1u;
  let row = last - i;
  let col = last - min(j, last);
  let diagonal = pair[col * params.stride + col];
  var value = 1.0 / diagonal;
  if (row > col) {
    value = pair[row * params.stride + col];
  }
  if (UNIT == 1u) {
    // L[row, col] is Lᵀ[col, row].
    value = pair[col * params.stride + row] / diagonal;
  }
  out[index] = select(0.0, value, j >= i && j <= last);
}
