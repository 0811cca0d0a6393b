// y[row, col] = sum over k of a[row, k] * b[k, col].
// a: [rows, depth], b: [depth, cols], y: [rows, cols]; rows padded by zeros to a_stride4, b_stride4 vec4s.
// One invocation owns 8 x 8 outputs in registers, a workgroup of 8 x 8 invocations 64 x 64: no workgroup memory, no
// barrier. Per step of four along k, 8 vec4 loads of each operand feed 256 multiply-adds. Loads clamp their row and
// column group (beyond depth a holds zeros), stores are guarded; columns between cols and the stride become zeros.
// Rows row_begin … row_end − 1 are computed by this dispatch.

struct Params {
  row_begin: u32,
  row_end: u32,
  depth: u32,
  cols: u32,
  a_stride4: u32,
  b_stride4: u32,
  col_tiles: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(8, 8)
fn matmul_nn(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let tile = workgroup_index(group, groups);
  let row = params.row_begin + 64u * (tile / params.col_tiles) + 8u * local.y;
  let col4 = 16u * (tile % params.col_tiles) + 2u * local.x;
  // Strides are even numbers of vec4s: the second group of a pair is inside whenever the first is.
  let b_col = min(col4, params.b_stride4 - 2u);
  let last_row = params.row_end - 1u;
  let last_k = params.depth - 1u;
  let stride4 = params.a_stride4;

  let p0 = min(row, last_row) * stride4;
  let p1 = min(row + 1u, last_row) * stride4;
  let p2 = min(row + 2u, last_row) * stride4;
  let p3 = min(row + 3u, last_row) * stride4;
  let p4 = min(row + 4u, last_row) * stride4;
  let p5 = min(row + 5u, last_row) * stride4;
  let p6 = min(row + 6u, last_row) * stride4;
  let p7 = min(row + 7u, last_row) * stride4;

  var sums = RegisterTile();
  let steps = (params.depth + 3u) / 4u;
  for (var k4 = 0u; k4 < steps; k4++) {
    // Four rows of b as the columns of a matrix: matrix * vector = sum of rows, weighted.
    let q0 = 4u * k4 * params.b_stride4 + b_col;
    let q1 = min(4u * k4 + 1u, last_k) * params.b_stride4 + b_col;
    let q2 = min(4u * k4 + 2u, last_k) * params.b_stride4 + b_col;
    let q3 = min(4u * k4 + 3u, last_k) * params.b_stride4 + b_col;
    let b_lo = mat4x4f(b[q0], b[q1], b[q2], b[q3]);
    let b_hi = mat4x4f(b[q0 + 1u], b[q1 + 1u], b[q2 + 1u], b[q3 + 1u]);
    let a_lo = mat4x4f(a[p0 + k4], a[p1 + k4], a[p2 + k4], a[p3 + k4]);
    let a_hi = mat4x4f(a[p4 + k4], a[p5 + k4], a[p6 + k4], a[p7 + k4]);
    add_outer(&sums, a_lo, a_hi, b_lo, b_hi);
  }

  store_tile(&sums, row, col4);
}

fn store(row: u32, col4: u32, lo: vec4<f32>, hi: vec4<f32>) {
  if (row < params.row_end && col4 < params.b_stride4) {
    let index = row * params.b_stride4 + col4;
    y[index] = zero_beyond(lo, 4u * col4, params.cols);
    y[index + 1u] = zero_beyond(hi, 4u * col4 + 4u, params.cols);
  }
}
