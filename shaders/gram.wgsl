// y[i, j] (+)= sum over t in the slab of x[t, i] * x[t, j]: the symmetric Gram matrix of x, both triangles.
// x: [tokens, size], y: [size, size], rows padded by zeros to stride4 vec4s.
// One invocation owns 8 x 8 outputs in registers, a workgroup of 8 x 8 invocations 64 x 64: no workgroup memory, no
// barrier. Tiles left of the diagonal are not computed: a tile right of it is stored a second time, transposed. Tiles on
// the diagonal are computed whole. Per step of four t, 16 vec4 loads feed 256 multiply-adds. Loads clamp their column
// group and their t (beyond the slab one side counts as zero), stores are guarded; padding becomes zero because x is
// zero there.
// The dispatch covers t in [t_begin, t_end); with `adds` it adds to what earlier slabs stored.

struct Params {
  t_begin: u32,
  t_end: u32,
  size: u32,
  stride4: u32,
  col_tiles: u32,
  adds: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;

@compute @workgroup_size(8, 8)
fn gram(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let tile = workgroup_index(group, groups);
  let row_tile = tile / params.col_tiles;
  let col_tile = tile % params.col_tiles;
  if (row_tile >= params.col_tiles || col_tile < row_tile) {
    return;
  }
  let row4 = 16u * row_tile + 2u * local.y;
  let col4 = 16u * col_tile + 2u * local.x;
  // The stride is an even number of vec4s: the second group of a pair is inside whenever the first is.
  let left = min(row4, params.stride4 - 2u);
  let right = min(col4, params.stride4 - 2u);

  var sums = RegisterTile();
  for (var t = params.t_begin; t < params.t_end; t += 4u) {
    let b_lo = mat4x4f(row_of(t, right), row_of(t + 1u, right), row_of(t + 2u, right), row_of(t + 3u, right));
    let b_hi = mat4x4f(
      row_of(t, right + 1u), row_of(t + 1u, right + 1u), row_of(t + 2u, right + 1u), row_of(t + 3u, right + 1u),
    );
    // Column i of the transpose: element i of four rows of x, the weights of the same four rows on the right.
    let a_lo = transpose(mat4x4f(row_of(t, left), row_of(t + 1u, left), row_of(t + 2u, left), row_of(t + 3u, left)));
    let a_hi = transpose(mat4x4f(
      row_of(t, left + 1u), row_of(t + 1u, left + 1u), row_of(t + 2u, left + 1u), row_of(t + 3u, left + 1u),
    ));
    add_outer(&sums, a_lo, a_hi, b_lo, b_hi);
  }

  store_tile(&sums, 4u * row4, col4);
  if (col_tile != row_tile) {
    let col = 4u * col4;
    store_block(
      col,
      row4,
      mat4x4f(sums.lo0, sums.lo1, sums.lo2, sums.lo3),
      mat4x4f(sums.lo4, sums.lo5, sums.lo6, sums.lo7),
    );
    store_block(
      col + 4u,
      row4,
      mat4x4f(sums.hi0, sums.hi1, sums.hi2, sums.hi3),
      mat4x4f(sums.hi4, sums.hi5, sums.hi6, sums.hi7),
    );
  }
}

// Four values of row t, zero beyond the slab.
fn row_of(t: u32, col4: u32) -> vec4<f32> {
  return select(vec4f(), x[min(t, params.t_end - 1u) * params.stride4 + col4], t < params.t_end);
}

// Four rows of the mirrored tile: the columns of eight rows of the tile, of which `first` holds four and `last` four.
fn store_block(row: u32, col4: u32, first: mat4x4<f32>, last: mat4x4<f32>) {
  let lo = transpose(first);
  let hi = transpose(last);
  store(row, col4, lo[0], hi[0]);
  store(row + 1u, col4, lo[1], hi[1]);
  store(row + 2u, col4, lo[2], hi[2]);
  store(row + 3u, col4, lo[3], hi[3]);
}

fn store(row: u32, col4: u32, lo: vec4<f32>, hi: vec4<f32>) {
  if (row < params.size && col4 < params.stride4) {
    let index = row * params.stride4 + col4;
    let is_first = params.adds == 0u;
    y[index] = select(y[index], vec4f(), is_first) + lo;
    y[index + 1u] = select(y[index + 1u], vec4f(), is_first) + hi;
  }
}
