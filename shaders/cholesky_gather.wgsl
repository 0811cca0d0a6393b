// a = J P (gram + damping) Pᵀ J, the matrix that is factored: a[i, j] = gram[p(i), p(j)] with p(i) = order[size − 1 − i].
// A zero on the diagonal of gram (a dead channel) counts as `dead_diagonal`; `shift` is added to every diagonal element.
// a: [stride, stride]; rows and columns from size on are those of the identity, which fills the last panel.
// gram: [size, size] symmetric, rows padded to stride. One invocation per element.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  size: u32,
  stride: u32,
  dead_diagonal: f32,
  shift: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gram: array<f32>;        // [size, stride]
@group(0) @binding(2) var<storage, read> order: array<u32>;       // [size]
@group(0) @binding(3) var<storage, read_write> a: array<f32>;     // [stride, stride]

@compute @workgroup_size(WORKGROUP_SIZE)
fn cholesky_gather(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.stride * params.stride) {
    return;
  }
  let row = index / params.stride;
  let col = index % params.stride;
  let last = params.size - 1u;
  let source = order[last - min(row, last)] * params.stride + order[last - min(col, last)];
  var value = gram[source];
  if (row == col) {
    value = select(value, params.dead_diagonal, value == 0.0) + params.shift;
  }
  let identity = select(0.0, 1.0, row == col);
  a[index] = select(identity, value, max(row, col) < params.size);
}
