// The outer factor of a Kronecker transform: mixes the a runs of a row with F.
//   out[t, i'·b + k] = Σ_i F[i, i'] · x[t, i·b + k]
// x, out: [rows, a·b] padded to stride; F: [a, a] with rows padded to a multiple of 8. b is a multiple of 4.
// One invocation computes 8 consecutive i' at 4 neighbouring k of two consecutive rows; the first one of a row also
// writes its padding. Neighbouring invocations take neighbouring k: x is read coalesced, F is the same for all.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  a: u32,
  b: u32,        // in vec4
  stride: u32,   // of x and out, in vec4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;         // [rows, stride]
@group(0) @binding(2) var<storage, read> factor: array<vec4<f32>>;    // [a, 2 · tiles]
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
  var p0 = vec4<f32>(); // sums of the first row
  var p1 = vec4<f32>();
  var p2 = vec4<f32>();
  var p3 = vec4<f32>();
  var p4 = vec4<f32>();
  var p5 = vec4<f32>();
  var p6 = vec4<f32>();
  var p7 = vec4<f32>();
  var q0 = vec4<f32>(); // sums of the second row
  var q1 = vec4<f32>();
  var q2 = vec4<f32>();
  var q3 = vec4<f32>();
  var q4 = vec4<f32>();
  var q5 = vec4<f32>();
  var q6 = vec4<f32>();
  var q7 = vec4<f32>();
  for (var i = 0u; i < params.a; i++) {
    let f = factor[2u * (i * tiles + tile)];
    let g = factor[2u * (i * tiles + tile) + 1u];
    let p = x[start + i * b];
    let q = x[next + i * b];
    p0 += f.x * p;
    p1 += f.y * p;
    p2 += f.z * p;
    p3 += f.w * p;
    p4 += g.x * p;
    p5 += g.y * p;
    p6 += g.z * p;
    p7 += g.w * p;
    q0 += f.x * q;
    q1 += f.y * q;
    q2 += f.z * q;
    q3 += f.w * q;
    q4 += g.x * q;
    q5 += g.y * q;
    q6 += g.z * q;
    q7 += g.w * q;
  }
  store(start, 8u * tile, mat4x4<f32>(p0, p1, p2, p3));
  store(start, 8u * tile + 4u, mat4x4<f32>(p4, p5, p6, p7));
  if (row + 1u < params.rows) {
    store(next, 8u * tile, mat4x4<f32>(q0, q1, q2, q3));
    store(next, 8u * tile + 4u, mat4x4<f32>(q4, q5, q6, q7));
  }
  if (k == 0u && tile == 0u) {
    for (var pad = params.a * b; pad < params.stride; pad++) {
      out[start + pad] = vec4<f32>();
      out[next + pad] = vec4<f32>();
    }
  }
}

// Four consecutive i' from `first` on, as columns.
fn store(at: u32, first: u32, sums: mat4x4<f32>) {
  for (var i = 0u; i < 4u && first + i < params.a; i++) {
    out[at + (first + i) * params.b] = sums[i];
  }
}
