// Column sums of an elementwise product, one partial row per slab of rows:
//   partials[first + slab, col] = sign · Σ_{rows of the slab} left[row, col] · right[row, col]
// left, right: [rows, stride]; partials: [·, stride]. One invocation per slab and vec4 of columns.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride: u32,          // in vec4
  rows_per_slab: u32,
  slabs: u32,
  first: u32,           // row of partials the first slab goes to
  sign: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> right: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partials: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn product_column_sums(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let slab = index / params.stride;
  let col = index % params.stride;
  if (slab >= params.slabs) {
    return;
  }
  var sum = vec4<f32>();
  let end = min(params.rows, (slab + 1u) * params.rows_per_slab);
  for (var row = slab * params.rows_per_slab; row < end; row++) {
    let at = row * params.stride + col;
    sum += left[at] * right[at];
  }
  partials[(params.first + slab) * params.stride + col] = params.sign * sum;
}
