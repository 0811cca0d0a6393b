// The inner factor of a Kronecker transform: every run of b channels times F.
//   out[t, i·b + k'] = Σ_k x[t, i·b + k] · F[k, k']
// x, out: [rows, a·b] padded to stride; F: [b, b] unpadded. b is a multiple of 4, a is any number.
// One invocation computes 4 neighbouring k' for 8 consecutive runs i of one row; the first one of a row also writes
// its padding. Neighbouring invocations take neighbouring k': F is read coalesced, x is the same for all of a run.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  a: u32,
  b: u32,        // in vec4
  stride: u32,   // of x and out, in vec4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;         // [rows, stride]
@group(0) @binding(2) var<storage, read> factor: array<vec4<f32>>;    // [b, b]
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>; // [rows, stride]

@compute @workgroup_size(WORKGROUP_SIZE)
fn kronecker_right(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let b = params.b;
  let col = index % b;
  let tiles = (params.a + 7u) / 8u;
  let tile = (index / b) % tiles;
  let row = index / (b * tiles);
  if (row >= params.rows) {
    return;
  }
  let start = row * params.stride;
  let first = 8u * tile;
  let last = params.a - 1u; // runs past the end repeat the last one
  let at0 = start + first * b;
  let at1 = start + min(first + 1u, last) * b;
  let at2 = start + min(first + 2u, last) * b;
  let at3 = start + min(first + 3u, last) * b;
  let at4 = start + min(first + 4u, last) * b;
  let at5 = start + min(first + 5u, last) * b;
  let at6 = start + min(first + 6u, last) * b;
  let at7 = start + min(first + 7u, last) * b;
  var sum0 = vec4<f32>();
  var sum1 = vec4<f32>();
  var sum2 = vec4<f32>();
  var sum3 = vec4<f32>();
  var sum4 = vec4<f32>();
  var sum5 = vec4<f32>();
  var sum6 = vec4<f32>();
  var sum7 = vec4<f32>();
  for (var k = 0u; k < b; k++) {
    let at = 4u * k * b + col;
    let f0 = factor[at];
    let f1 = factor[at + b];
    let f2 = factor[at + 2u * b];
    let f3 = factor[at + 3u * b];
    let v0 = x[at0 + k];
    let v1 = x[at1 + k];
    let v2 = x[at2 + k];
    let v3 = x[at3 + k];
    let v4 = x[at4 + k];
    let v5 = x[at5 + k];
    let v6 = x[at6 + k];
    let v7 = x[at7 + k];
    sum0 += (v0.x * f0 + v0.y * f1) + (v0.z * f2 + v0.w * f3);
    sum1 += (v1.x * f0 + v1.y * f1) + (v1.z * f2 + v1.w * f3);
    sum2 += (v2.x * f0 + v2.y * f1) + (v2.z * f2 + v2.w * f3);
    sum3 += (v3.x * f0 + v3.y * f1) + (v3.z * f2 + v3.w * f3);
    sum4 += (v4.x * f0 + v4.y * f1) + (v4.z * f2 + v4.w * f3);
    sum5 += (v5.x * f0 + v5.y * f1) + (v5.z * f2 + v5.w * f3);
    sum6 += (v6.x * f0 + v6.y * f1) + (v6.z * f2 + v6.w * f3);
    sum7 += (v7.x * f0 + v7.y * f1) + (v7.z * f2 + v7.w * f3);
  }
  out[at0 + col] = sum0;
  store(first + 1u, at1 + col, sum1);
  store(first + 2u, at2 + col, sum2);
  store(first + 3u, at3 + col, sum3);
  store(first + 4u, at4 + col, sum4);
  store(first + 5u, at5 + col, sum5);
  store(first + 6u, at6 + col, sum6);
  store(first + 7u, at7 + col, sum7);
  if (col == 0u && tile == 0u) {
    for (var pad = params.a * b; pad < params.stride; pad++) {
      out[start + pad] = vec4<f32>();
    }
  }
}

fn store(run: u32, at: u32, sum: vec4<f32>) {
  if (run < params.a) {
    out[at] = sum;
  }
}
