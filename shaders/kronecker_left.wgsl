// The outer factor of a Kronecker transform: mixes the a runs of a row with F.
//   out[t, i'·b + k] = Σ_i F[i, i'] · x[t, i·b + k]
// x, out: [rows, a·b] padded to stride; factor: Fᵀ [a, a], its rows padded with zeros to a multiple of 4. b is a
// multiple of 4.
// One invocation computes 8 consecutive i' at 4 neighbouring k of two consecutive rows; the first one of a row also
// writes its padding. Per step of four along i, 8 vec4 loads of each operand feed 256 multiply-adds. Loads clamp their
// run and their row of Fᵀ, stores are guarded. Neighbouring invocations take neighbouring k: x is read coalesced, Fᵀ is
// the same for all.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  a: u32,
  b: u32,        // in vec4
  stride: u32,   // of x and out, in vec4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;         // [rows, stride]
@group(0) @binding(2) var<storage, read> factor: array<vec4<f32>>;    // [a, steps]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>; // [rows, stride]

@compute @workgroup_size(WORKGROUP_SIZE)
fn kronecker_left(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let b = params.b;
  let k = index % b;
  let tiles = (params.a + 7u) / 8u;
  let tile = (index / b) % tiles;
  let row = 2u * (index / (b * tiles));
  if (row >= params.rows) {
    return;
  }
  let start = row * params.stride + k;
  let next = min(row + 1u, params.rows - 1u) * params.stride + k;
  let first = 8u * tile;
  let last = params.a - 1u;
  let steps = (params.a + 3u) / 4u;
  let f0 = first * steps;
  let f1 = min(first + 1u, last) * steps;
  let f2 = min(first + 2u, last) * steps;
  let f3 = min(first + 3u, last) * steps;
  let f4 = min(first + 4u, last) * steps;
  let f5 = min(first + 5u, last) * steps;
  let f6 = min(first + 6u, last) * steps;
  let f7 = min(first + 7u, last) * steps;
  // Row i of the tile: run first + i of the first row in lo, of the second in hi.
  var sums = RegisterTile();
  for (var step = 0u; step < steps; step++) {
    // Four runs as the columns of a matrix. A run past the end is the last one again, and weighs nothing.
    let i0 = 4u * step * b;
    let i1 = min(4u * step + 1u, last) * b;
    let i2 = min(4u * step + 2u, last) * b;
    let i3 = min(4u * step + 3u, last) * b;
    let p = mat4x4f(x[start + i0], x[start + i1], x[start + i2], x[start + i3]);
    let q = mat4x4f(x[next + i0], x[next + i1], x[next + i2], x[next + i3]);
    let f_lo = mat4x4f(factor[f0 + step], factor[f1 + step], factor[f2 + step], factor[f3 + step]);
    let f_hi = mat4x4f(factor[f4 + step], factor[f5 + step], factor[f6 + step], factor[f7 + step]);
    add_outer(&sums, f_lo, f_hi, p, q);
  }
  store_tile(&sums, first, start);
  if (k == 0u && tile == 0u) {
    for (var pad = params.a * b; pad < params.stride; pad++) {
      out[start + pad] = vec4<f32>();
      out[next + pad] = vec4<f32>();
    }
  }
}

// Run i of the row that begins before `start` and of the one after it.
fn store(i: u32, start: u32, first: vec4<f32>, second: vec4<f32>) {
  if (i >= params.a) {
    return;
  }
  let at = start + i * params.b;
  out[at] = first;
  if (start / params.stride + 1u < params.rows) {
    out[at + params.stride] = second;
  }
}
