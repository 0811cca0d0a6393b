// Subtracts a finished panel from the rows below it: a[i, j] -= sum over k in K of pair[k, i] * right[k, j], K = first …
// first + 31, i from row_begin to row_end − 1, all at or below first + 32.
// For j beyond the panel right is Lᵀ, as on the left: the Schur complement, computed where the tile reaches the diagonal
// or lies above it. For j left of the panel right is M: the sums L M that become M. In the panel itself the sum starts at
// zero instead of a, and right is the block's M, zero above its diagonal (where pair holds Lᵀ).
// a: [stride, stride]; pair: [stride, stride] with M of the panel's block behind it [32, 32]. One invocation owns 8 x 8
// outputs in registers, a workgroup of 8 x 8 invocations 64 x 64: no workgroup memory, no barrier. Per step of four along
// k, 16 vec4 loads feed 256 multiply-adds. Loads clamp, stores are guarded.

struct Params {
  first: u32,
  row_begin: u32,
  row_end: u32,
  stride4: u32,
  col_tiles: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pair: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> a: array<vec4<f32>>;

@compute @workgroup_size(8, 8)
fn cholesky_update(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let tile = workgroup_index(group, groups);
  let tile_row = params.row_begin + 64u * (tile / params.col_tiles);
  let tile_col = 64u * (tile % params.col_tiles);
  if (tile_row >= params.row_end || (tile_col >= params.first + 32u && tile_col + 63u < tile_row)) {
    return;
  }
  let row = tile_row + 8u * local.y;
  let wanted = tile_col / 4u + 2u * local.x;
  // The stride is an even number of vec4s: the second group of a pair is inside whenever the first is.
  let col4 = min(wanted, params.stride4 - 2u);
  let row4 = min(row / 4u, params.stride4 - 2u);
  let is_panel = 4u * col4 >= params.first && 4u * col4 < params.first + 32u;
  let stride4 = params.stride4;
  var left = params.first * stride4 + row4;
  var right = params.first * stride4 + col4;
  var right_step = stride4;
  if (is_panel) {
    right = 4u * stride4 * stride4 + col4 - params.first / 4u;
    right_step = 8u;
  }

  // Row i of the tile: columns 0 … 3 in lo, 4 … 7 in hi.
  var lo0 = vec4f(); var lo1 = vec4f(); var lo2 = vec4f(); var lo3 = vec4f();
  var lo4 = vec4f(); var lo5 = vec4f(); var lo6 = vec4f(); var lo7 = vec4f();
  var hi0 = vec4f(); var hi1 = vec4f(); var hi2 = vec4f(); var hi3 = vec4f();
  var hi4 = vec4f(); var hi5 = vec4f(); var hi6 = vec4f(); var hi7 = vec4f();

  for (var k = 0u; k < 32u; k += 4u) {
    let q = right + right_step;
    let r = q + right_step;
    let s = r + right_step;
    let b_lo = mat4x4f(pair[right], pair[q], pair[r], pair[s]);
    let b_hi = mat4x4f(pair[right + 1u], pair[q + 1u], pair[r + 1u], pair[s + 1u]);
    // Column i of the transpose: element i of four rows on the left, the weights of the same four rows on the right.
    let t = left + stride4;
    let u = t + stride4;
    let v = u + stride4;
    let a_lo = transpose(mat4x4f(pair[left], pair[t], pair[u], pair[v]));
    let a_hi = transpose(mat4x4f(pair[left + 1u], pair[t + 1u], pair[u + 1u], pair[v + 1u]));
    lo0 += b_lo * a_lo[0]; hi0 += b_hi * a_lo[0];
    lo1 += b_lo * a_lo[1]; hi1 += b_hi * a_lo[1];
    lo2 += b_lo * a_lo[2]; hi2 += b_hi * a_lo[2];
    lo3 += b_lo * a_lo[3]; hi3 += b_hi * a_lo[3];
    lo4 += b_lo * a_hi[0]; hi4 += b_hi * a_hi[0];
    lo5 += b_lo * a_hi[1]; hi5 += b_hi * a_hi[1];
    lo6 += b_lo * a_hi[2]; hi6 += b_hi * a_hi[2];
    lo7 += b_lo * a_hi[3]; hi7 += b_hi * a_hi[3];
    left = v + stride4;
    right = s + right_step;
  }

  // A tile of 8 rows lies inside as a whole: row_begin and row_end are multiples of 32.
  if (row < params.row_end && wanted < params.stride4) {
    let index = row * params.stride4 + col4;
    subtract(index, is_panel, lo0, hi0);
    subtract(index + params.stride4, is_panel, lo1, hi1);
    subtract(index + 2u * params.stride4, is_panel, lo2, hi2);
    subtract(index + 3u * params.stride4, is_panel, lo3, hi3);
    subtract(index + 4u * params.stride4, is_panel, lo4, hi4);
    subtract(index + 5u * params.stride4, is_panel, lo5, hi5);
    subtract(index + 6u * params.stride4, is_panel, lo6, hi6);
    subtract(index + 7u * params.stride4, is_panel, lo7, hi7);
  }
}

fn subtract(index: u32, from_zero: bool, lo: vec4<f32>, hi: vec4<f32>) {
  a[index] = select(a[index], vec4f(), from_zero) - lo;
  a[index + 1u] = select(a[index + 1u], vec4f(), from_zero) - hi;
}
