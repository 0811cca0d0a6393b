// y[row, col] (+)= sum over t in the slab of a[t, a_first + row] * b[t, col]: a Gram-like product, contracted over rows.
// a: [tokens, a_first + rows or more], b: [tokens, cols], y: [rows, cols]; rows padded by zeros to a_stride4, b_stride4
// vec4s. Columns of y before col_first4 vec4s (an even number) stay as they are.
// One invocation owns 8 x 8 outputs in registers, a workgroup of 8 x 8 invocations 64 x 64: no workgroup memory, no
// barrier. Per step of four t, 8 vec4 loads of each operand feed 256 multiply-adds. Loads clamp their column group and
// their t (beyond the slab a counts as zero), stores are guarded; columns between cols and the stride become zeros
// because b is zero there.
// The dispatch covers t in [t_begin, t_end); with `adds` it adds to what earlier slabs stored, so the order of summation
// is that of the rows, slab by slab.

struct Params {
  t_begin: u32,
  t_end: u32,
  rows: u32,
  a_stride4: u32,
  b_stride4: u32,
  col_tiles: u32,
  a_first4: u32,
  col_first4: u32,
  adds: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(8, 8)
fn matmul_tn(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let tile = workgroup_index(group, groups);
  let row4 = 16u * (tile / params.col_tiles) + 2u * local.y;
  let col4 = params.col_first4 + 16u * (tile % params.col_tiles) + 2u * local.x;
  // Strides are even numbers of vec4s: the second group of a pair is inside whenever the first is.
  let a_col = min(params.a_first4 + row4, params.a_stride4 - 2u);
  let b_col = min(col4, params.b_stride4 - 2u);

  var sums = RegisterTile();
  for (var t = params.t_begin; t < params.t_end; t += 4u) {
    let p0 = t * params.b_stride4 + b_col;
    let p1 = min(t + 1u, params.t_end - 1u) * params.b_stride4 + b_col;
    let p2 = min(t + 2u, params.t_end - 1u) * params.b_stride4 + b_col;
    let p3 = min(t + 3u, params.t_end - 1u) * params.b_stride4 + b_col;
    let b_lo = mat4x4f(b[p0], b[p1], b[p2], b[p3]);
    let b_hi = mat4x4f(b[p0 + 1u], b[p1 + 1u], b[p2 + 1u], b[p3 + 1u]);
    // Column i of the transpose: element i of four rows of a, the weights of four rows of b.
    let a_lo = transpose(mat4x4f(
      load_a(t, a_col), load_a(t + 1u, a_col), load_a(t + 2u, a_col), load_a(t + 3u, a_col),
    ));
    let a_hi = transpose(mat4x4f(
      load_a(t, a_col + 1u), load_a(t + 1u, a_col + 1u), load_a(t + 2u, a_col + 1u), load_a(t + 3u, a_col + 1u),
    ));
    add_outer(&sums, a_lo, a_hi, b_lo, b_hi);
  }

  store_tile(&sums, 4u * row4, col4);
}

fn load_a(t: u32, col4: u32) -> vec4<f32> {
  return select(vec4f(), a[min(t, params.t_end - 1u) * params.a_stride4 + col4], t < params.t_end);
}

fn store(row: u32, col4: u32, lo: vec4<f32>, hi: vec4<f32>) {
  if (row < params.rows && col4 < params.b_stride4) {
    let index = row * params.b_stride4 + col4;
    let is_first = params.adds == 0u;
    y[index] = select(y[index], vec4f(), is_first) + lo;
    y[index + 1u] = select(y[index + 1u], vec4f(), is_first) + hi;
  }
}
