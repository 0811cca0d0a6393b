// Either factor of a Kronecker transform where runs are not a multiple of 4 channels, one f32 at a time.
//   out[t, o, j', i] = Σ_j x[t, o, j, i] · F[j, j']
// A row is [outer, size, inner] = [a, b, 1] for the inner factor and [1, a, b] for the outer one.
// x, out: [rows, outer·size·inner] padded to stride; F: [size, size] unpadded, element (j, j') at
// j · factor_step + j' · factor_next.
// One invocation computes 4 consecutive j' of one (t, o, i); the first one of a row also writes its padding.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride: u32,
  outer: u32,
  size: u32,
  inner: u32,
  factor_step: u32,
  factor_next: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // [rows, stride]
@group(0) @binding(2) var<storage, read> factor: array<f32>;        // [size, size]
@group(0) @binding(3) var<storage, read_write> out: array<f32>;     // [rows, stride]

@compute @workgroup_size(WORKGROUP_SIZE)
fn kronecker_ragged(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let tiles = (params.size + 3u) / 4u;
  let i = index % params.inner;
  let first = ((index / params.inner) % tiles) * 4u;
  let o = (index / (params.inner * tiles)) % params.outer;
  let row = index / (params.inner * tiles * params.outer);
  if (row >= params.rows) {
    return;
  }
  let last = params.size - 1u;
  let at0 = first * params.factor_next;
  let at1 = min(first + 1u, last) * params.factor_next;
  let at2 = min(first + 2u, last) * params.factor_next;
  let at3 = min(first + 3u, last) * params.factor_next;
  let channel = o * params.size * params.inner + i;
  let start = row * params.stride + channel;
  var sum = vec4<f32>();
  for (var j = 0u; j < params.size; j++) {
    let value = x[start + j * params.inner];
    let at = j * params.factor_step;
    sum += value * vec4<f32>(factor[at + at0], factor[at + at1], factor[at + at2], factor[at + at3]);
  }
  store(start, first, sum.x);
  store(start, first + 1u, sum.y);
  store(start, first + 2u, sum.z);
  store(start, first + 3u, sum.w);
  if (channel == 0u && first == 0u) {
    for (var pad = params.outer * params.size * params.inner; pad < params.stride; pad++) {
      out[start + pad] = 0.0;
    }
  }
}

fn store(start: u32, j: u32, sum: f32) {
  if (j < params.size) {
    out[start + j * params.inner] = sum;
  }
}
