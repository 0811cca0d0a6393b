// The inner factor of a Kronecker transform: every run of b channels times F.
//   out[t, i·b + k'] = Σ_k x[t, i·b + k] · F[k, k']
// x, out: [rows, a·b] padded to stride; F: [b, b] unpadded. b is a multiple of 4, a is any number.
// Runs are counted through all rows. One invocation computes 8 neighbouring k' of 8 consecutive runs; the first one of a
// row's last run also writes the row's padding. Per step of four along k, 8 vec4 loads of each operand feed 256
// multiply-adds. Loads clamp their run and their vec4 of F, stores are guarded.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  a: u32,
  b: u32,        // in vec4
  stride: u32,   // of x and out, in vec4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;         // [rows, stride]
@group(0) @binding(2) var<storage, read> factor: array<vec4<f32>>;    // [4·b, b]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>; // [rows, stride]

@compute @workgroup_size(WORKGROUP_SIZE)
fn kronecker_right(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let b = params.b;
  let pairs = (b + 1u) / 2u;
  let col = 2u * (index % pairs);
  let next = min(col + 1u, b - 1u);
  let run = 8u * (index / pairs);
  if (run >= params.rows * params.a) {
    return;
  }
  let at0 = start_of(run);
  let at1 = start_of(run + 1u);
  let at2 = start_of(run + 2u);
  let at3 = start_of(run + 3u);
  let at4 = start_of(run + 4u);
  let at5 = start_of(run + 5u);
  let at6 = start_of(run + 6u);
  let at7 = start_of(run + 7u);
  // Row i of the tile: run + i, k' 0 … 3 in lo, 4 … 7 in hi.
  var sums = RegisterTile();
  for (var k = 0u; k < b; k++) {
    // Four rows of F as the columns of a matrix.
    let q0 = 4u * k * b;
    let q1 = q0 + b;
    let q2 = q1 + b;
    let q3 = q2 + b;
    let f_lo = mat4x4f(factor[q0 + col], factor[q1 + col], factor[q2 + col], factor[q3 + col]);
    let f_hi = mat4x4f(factor[q0 + next], factor[q1 + next], factor[q2 + next], factor[q3 + next]);
    let x_lo = mat4x4f(x[at0 + k], x[at1 + k], x[at2 + k], x[at3 + k]);
    let x_hi = mat4x4f(x[at4 + k], x[at5 + k], x[at6 + k], x[at7 + k]);
    add_outer(&sums, x_lo, x_hi, f_lo, f_hi);
  }
  store_tile(&sums, run, col);
}

// Where a run begins; runs past the end repeat the last one.
fn start_of(run: u32) -> u32 {
  let inside = min(run, params.rows * params.a - 1u);
  return (inside / params.a) * params.stride + (inside % params.a) * params.b;
}

fn store(run: u32, col: u32, lo: vec4<f32>, hi: vec4<f32>) {
  if (run >= params.rows * params.a) {
    return;
  }
  let at = start_of(run);
  out[at + col] = lo;
  if (col + 1u < params.b) {
    out[at + col + 1u] = hi;
  }
  let is_last = run % params.a == params.a - 1u && col == 0u;
  let padding = select(0u, params.stride - params.a * params.b, is_last);
  for (var pad = 0u; pad < padding; pad++) {
    out[at + params.b + pad] = vec4<f32>();
  }
}
