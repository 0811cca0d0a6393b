// One pass of the fast Walsh-Hadamard transform in registers: log2(POINTS) stages across vec4s, and in the first pass
// INNER more inside each vec4. Passes over all bits of the index within a run of 2^p channels make H of order 2^p.
//   out[j'] = scale · Σ_j (−1)^popcount(j & j') · s[j] · x[j]      over the bits of this pass (s = 1 unless SIGNED)
// x, out: [count · POINTS] vec4, rows padded to stride. The caller guarantees that blocks of POINTS · step vec4 tile
// the buffer; the zero padding of a row fills runs of its own, so zeros come out.
// One invocation owns the POINTS vec4s that lie step apart: no workgroup memory, no barrier. Points 4i … 4i + 3 are the
// columns of tile i, so that index bits are: 0-1 inside a vec4, then 2 between columns, then 3 between tiles.

override WORKGROUP_SIZE: u32 = 64u;
override POINTS: u32 = 32u; // 1, 2, 4, 8, 16 or 32
override INNER: u32 = 2u;   // 0, 1 or 2
override SIGNED: u32 = 0u;

struct Params {
  count: u32,    // invocations
  step: u32,     // between points, in vec4
  stride: u32,   // of a row, in vec4
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> signs: array<u32>;           // bit c of the row: negate channel c
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn hadamard_butterfly(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.count) {
    return;
  }
  let start = (index / params.step) * POINTS * params.step + index % params.step;
  let tile_step = 4u * params.step;
  var m0 = load_tile(start);
  var m1: mat4x4<f32>;
  var m2: mat4x4<f32>;
  var m3: mat4x4<f32>;
  var m4: mat4x4<f32>;
  var m5: mat4x4<f32>;
  var m6: mat4x4<f32>;
  var m7: mat4x4<f32>;
  if (POINTS > 4u) {
    m1 = load_tile(start + tile_step);
  }
  if (POINTS > 8u) {
    m2 = load_tile(start + 2u * tile_step);
    m3 = load_tile(start + 3u * tile_step);
  }
  if (POINTS > 16u) {
    m4 = load_tile(start + 4u * tile_step);
    m5 = load_tile(start + 5u * tile_step);
    m6 = load_tile(start + 6u * tile_step);
    m7 = load_tile(start + 7u * tile_step);
    butterfly(&m0, &m4);
    butterfly(&m1, &m5);
    butterfly(&m2, &m6);
    butterfly(&m3, &m7);
    butterfly(&m4, &m6);
    butterfly(&m5, &m7);
    butterfly(&m4, &m5);
    butterfly(&m6, &m7);
    store_tile(start + 4u * tile_step, m4);
    store_tile(start + 5u * tile_step, m5);
    store_tile(start + 6u * tile_step, m6);
    store_tile(start + 7u * tile_step, m7);
  }
  if (POINTS > 8u) {
    butterfly(&m0, &m2);
    butterfly(&m1, &m3);
    butterfly(&m2, &m3);
    store_tile(start + 2u * tile_step, m2);
    store_tile(start + 3u * tile_step, m3);
  }
  if (POINTS > 4u) {
    butterfly(&m0, &m1);
    store_tile(start + tile_step, m1);
  }
  store_tile(start, m0);
}

// Four points with the stages inside a vec4 and between the columns done.
fn load_tile(at: u32) -> mat4x4<f32> {
  let a = load(at);
  if (POINTS == 1u) {
    return mat4x4<f32>(a, vec4<f32>(), vec4<f32>(), vec4<f32>());
  }
  let b = load(at + params.step);
  if (POINTS == 2u) {
    return mat4x4<f32>(a + b, a - b, vec4<f32>(), vec4<f32>());
  }
  let c = load(at + 2u * params.step);
  let d = load(at + 3u * params.step);
  return mat4x4<f32>((a + b) + (c + d), (a - b) + (c - d), (a + b) - (c + d), (a - b) - (c - d));
}

fn load(at: u32) -> vec4<f32> {
  var v = x[at];
  if (SIGNED == 1u) {
    let col = at % params.stride;
    let bits = vec4<u32>(signs[col / 8u] >> (4u * (col % 8u)));
    v = bitcast<vec4<f32>>(bitcast<vec4<u32>>(v) ^ ((bits << vec4<u32>(31u, 30u, 29u, 28u)) & vec4<u32>(0x80000000u)));
  }
  if (INNER > 0u) {
    v = vec4<f32>(v.x + v.y, v.x - v.y, v.z + v.w, v.z - v.w);
  }
  if (INNER > 1u) {
    v = vec4<f32>(v.xy + v.zw, v.xy - v.zw);
  }
  return v;
}

fn butterfly(a: ptr<function, mat4x4<f32>>, b: ptr<function, mat4x4<f32>>) {
  let sum = *a + *b;
  *b = *a - *b;
  *a = sum;
}

fn store_tile(at: u32, tile: mat4x4<f32>) {
  out[at] = params.scale * tile[0];
  if (POINTS > 1u) {
    out[at + params.step] = params.scale * tile[1];
  }
  if (POINTS > 2u) {
    out[at + 2u * params.step] = params.scale * tile[2];
    out[at + 3u * params.step] = params.scale * tile[3];
  }
}
