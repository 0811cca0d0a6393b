// Gradient of one Kronecker factor, one partial sum per chunk of rows. With channel c = m·outer + k·inner of a row:
//   partials[chunk, m, m'] = Σ_{rows of the chunk} Σ_k left[row, m, k] · right[row, m', k]
// left, right: [rows, size·depth] padded to stride. For P1 [a, a]: outer = b, inner = 1; for P2 [b, b]: the reverse.
// One invocation per chunk and 4 x 4 tile of the factor; strided_sums.wgsl adds the chunks in order.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride: u32,          // in floats
  rows_per_chunk: u32,
  chunks: u32,
  size: u32,            // of the factor
  depth: u32,           // of the other one, summed over
  outer: u32,           // step of m
  inner: u32,           // step of k
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;   // [chunks, size, size]

@compute @workgroup_size(WORKGROUP_SIZE)
fn kronecker_gradient(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let tiles = (params.size + 3u) / 4u;
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let chunk = index / (tiles * tiles);
  if (chunk >= params.chunks) {
    return;
  }
  let row_tile = 4u * ((index / tiles) % tiles);
  let col_tile = 4u * (index % tiles);
  // Components past the factor's edge repeat its last row or column and are not stored.
  let last = vec4(params.size - 1u);
  let left_at = min(vec4(row_tile) + vec4(0u, 1u, 2u, 3u), last) * params.outer;
  let right_at = min(vec4(col_tile) + vec4(0u, 1u, 2u, 3u), last) * params.outer;
  var sum0 = vec4<f32>();
  var sum1 = vec4<f32>();
  var sum2 = vec4<f32>();
  var sum3 = vec4<f32>();
  let end = min(params.rows, (chunk + 1u) * params.rows_per_chunk);
  for (var row = chunk * params.rows_per_chunk; row < end; row++) {
    var l = vec4(row * params.stride) + left_at;
    var r = vec4(row * params.stride) + right_at;
    for (var k = 0u; k < params.depth; k++) {
      let factor = vec4<f32>(right[r.x], right[r.y], right[r.z], right[r.w]);
      sum0 += left[l.x] * factor;
      sum1 += left[l.y] * factor;
      sum2 += left[l.z] * factor;
      sum3 += left[l.w] * factor;
      l += vec4(params.inner);
      r += vec4(params.inner);
    }
  }
  store(chunk, row_tile, col_tile, sum0);
  store(chunk, row_tile + 1u, col_tile, sum1);
  store(chunk, row_tile + 2u, col_tile, sum2);
  store(chunk, row_tile + 3u, col_tile, sum3);
}

fn store(chunk: u32, row: u32, col: u32, sums: vec4<f32>) {
  if (row >= params.size) {
    return;
  }
  for (var component = 0u; component < min(4u, params.size - col); component++) {
    partials[(chunk * params.size + row) * params.size + col + component] = sums[component];
  }
}
