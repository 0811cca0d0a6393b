// The smallest and largest finite element of a matrix, as keys that order like the numbers: the bits of a positive f32
// with the top bit set, all bits of a negative one inverted.
// x: [rows, stride] f32 bits; extremes: (complement of the smallest key, largest key), zero before the dispatch and
// where no element is finite. One invocation takes four columns of a slab of SLAB_ROWS rows. Exact: integers only.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32,
  stride4: u32,
  slabs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> extremes: array<atomic<u32>>;

const EXPONENT = 0x7F800000u;
const SIGN = 0x80000000u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn finite_extremes(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (i >= params.slabs * params.stride4) {
    return;
  }
  let slab = slab_of(i);
  let col = 4u * slab.col4;
  let inside = vec4<u32>(col, col + 1u, col + 2u, col + 3u) < vec4<u32>(params.cols);
  var low = vec4<u32>();
  var high = vec4<u32>();
  for (var row = slab.first; row < slab.end; row++) {
    let bits = x[row * params.stride4 + slab.col4];
    let counts = inside & ((bits & vec4(EXPONENT)) != vec4(EXPONENT));
    let key = select(bits | vec4(SIGN), ~bits, bits >= vec4(SIGN));
    low = max(low, select(vec4<u32>(), ~key, counts));
    high = max(high, select(vec4<u32>(), key, counts));
  }
  atomicMax(&extremes[0], max(max(low.x, low.y), max(low.z, low.w)));
  atomicMax(&extremes[1], max(max(high.x, high.y), max(high.z, high.w)));
}
