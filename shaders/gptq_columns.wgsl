// GPTQ over some columns in processing order, at most up to the end of their chunk of 32 (arXiv 2210.17323, with
// H⁻¹ = UᵀU): for every place i from first to end - 1, in turn,
//   q_i = nearest(w_i),  d_i = (w_i - q_i) / U_ii,  w_j -= d_i U_ij for the later places j of the chunk.
// Which grid: the library the kernel is compiled with (src/gpu/kernels/grid-plan.ts), under the stored scale of the block
// of channel order[i], or with BY_PLACE of place i.
// work: [rows, stride], w in processing order; places from `end` to the end of the chunk are updated.
// factor: the rows and columns of U from place factor_first on [.., factor_stride4 vec4s], as far as the places need
// them. order: [stride], the channel at each place. scales: [rows, scale_stride] pairs of words.
// destination: [rows, stride] as f32 bits, q at its channel; errors: [rows, 128], d of place i in column i mod 128;
// losses: [rows], grow by the sum of d_i².
// One invocation owns a row: eight vec4s that move down by one after every four columns, so that nothing is indexed.
// All invocations read the same elements of U.

override WORKGROUP_SIZE: u32 = 32u;
override ROW_SCALES: bool = false; // one scale per row
override BY_PLACE: bool = false;

struct Params {
  rows: u32,
  cols: u32,
  stride4: u32, // in vec4
  scale_stride: u32,
  first4: u32, // places in vec4
  end4: u32,
  factor_first: u32, // a multiple of 32
  factor_stride4: u32,
  table: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> factor: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> scales: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read> context: array<u32>;
@group(0) @binding(5) var<storage, read_write> work: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> destination: array<u32>;
@group(0) @binding(7) var<storage, read_write> errors: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> losses: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn gptq_columns(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (row >= params.rows) {
    return;
  }
  let own = row * params.stride4;
  let chunk_end4 = params.first4 / 8u * 8u + 8u;
  let last4 = chunk_end4 - 1u;
  var at = params.first4;
  var v0 = work[own + at];
  var v1 = work[own + min(at + 1u, last4)];
  var v2 = work[own + min(at + 2u, last4)];
  var v3 = work[own + min(at + 3u, last4)];
  var v4 = work[own + min(at + 4u, last4)];
  var v5 = work[own + min(at + 5u, last4)];
  var v6 = work[own + min(at + 6u, last4)];
  var v7 = work[own + min(at + 7u, last4)];

  var loss = 0.0;
  for (; at < params.end4; at++) {
    let u0 = factor_row(4u * at);
    let u1 = factor_row(4u * at + 1u);
    let u2 = factor_row(4u * at + 2u);
    let u3 = factor_row(4u * at + 3u);
    // One copy of the grid library, not four. What a row of U changes left of its diagonal are finished columns, by 0.
    let diagonal = mat4x4f(factor[u0 + at], factor[u1 + at], factor[u2 + at], factor[u3 + at]);
    var d = vec4f();
    for (var i = 0u; i < 4u; i++) {
      d[i] = scaled_error(v0[i], diagonal[i][i], row, 4u * at + i);
      v0 -= d[i] * diagonal[i];
    }
    errors[row * 32u + at % 32u] = d;
    loss += dot(d, d);

    // The later columns, each moved one vec4 down. Beyond the chunk the index is clamped and the result never stored.
    let c1 = min(at + 1u, last4);
    let c2 = min(at + 2u, last4);
    let c3 = min(at + 3u, last4);
    let c4 = min(at + 4u, last4);
    let c5 = min(at + 5u, last4);
    let c6 = min(at + 6u, last4);
    let c7 = min(at + 7u, last4);
    v0 = v1 - mat4x4f(factor[u0 + c1], factor[u1 + c1], factor[u2 + c1], factor[u3 + c1]) * d;
    v1 = v2 - mat4x4f(factor[u0 + c2], factor[u1 + c2], factor[u2 + c2], factor[u3 + c2]) * d;
    v2 = v3 - mat4x4f(factor[u0 + c3], factor[u1 + c3], factor[u2 + c3], factor[u3 + c3]) * d;
    v3 = v4 - mat4x4f(factor[u0 + c4], factor[u1 + c4], factor[u2 + c4], factor[u3 + c4]) * d;
    v4 = v5 - mat4x4f(factor[u0 + c5], factor[u1 + c5], factor[u2 + c5], factor[u3 + c5]) * d;
    v5 = v6 - mat4x4f(factor[u0 + c6], factor[u1 + c6], factor[u2 + c6], factor[u3 + c6]) * d;
    v6 = v7 - mat4x4f(factor[u0 + c7], factor[u1 + c7], factor[u2 + c7], factor[u3 + c7]) * d;
    v7 = vec4f();
  }
  losses[row] += loss;

  // At least two vec4s are finished.
  store(own, at, chunk_end4, v0);
  store(own, at + 1u, chunk_end4, v1);
  store(own, at + 2u, chunk_end4, v2);
  store(own, at + 3u, chunk_end4, v3);
  store(own, at + 4u, chunk_end4, v4);
  store(own, at + 5u, chunk_end4, v5);
}

// What the vec4 of a column is added to for its place in the row of U for `place`; U has no rows for the padding, whose
// errors are zero. May wrap around below zero, as the sum does not.
fn factor_row(place: u32) -> u32 {
  return (min(place, params.cols - 1u) - params.factor_first) * params.factor_stride4 - params.factor_first / 4u;
}

fn store(own: u32, at: u32, end4: u32, values: vec4<f32>) {
  if (at < end4) {
    work[own + at] = values;
  }
}

// Rounds and stores the value at `place`; returns d, the error over the diagonal of U.
fn scaled_error(value: f32, diagonal: f32, row: u32, place: u32) -> f32 {
  let channel = order[place];
  let block = select(select(channel, place, BY_PLACE) / BLOCK, 0u, ROW_SCALES);
  let grid = grid_of_stored(scales[row * params.scale_stride + block]);
  let bits = vec4<u32>(bitcast<u32>(value));
  var values = rounded(bits, grid);
  // Some adapters execute both sides of an `if` and skip only empty loops.
  for (var i = select(1u, 0u, is_rare(grid)); i < 1u; i++) {
    values = rounded_general(bits, grid);
  }
  // The padding is zero, and so is its nearest value.
  destination[4u * row * params.stride4 + channel] = values.x;
  return (value - bitcast<f32>(values.x)) / select(1.0, diagonal, place < params.cols);
}
