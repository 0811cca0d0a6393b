// out = factor · L · right + addend_factor · addend, with L = left, or leftᵀ where LEFT_TRANSPOSED.
// All [size, size], row-major, unpadded; size is a few hundred at most. `count` such products of matrices that lie one
// after the other. One invocation per element.

override WORKGROUP_SIZE: u32 = 64u;
override LEFT_TRANSPOSED: u32 = 0u;

struct Params {
  size: u32,
  count: u32,
  factor: f32,
  addend_factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read> addend: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn small_product(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let size = params.size;
  if (index >= params.count * size * size) {
    return;
  }
  let first = index - index % (size * size);
  let row = index / size;
  let col = index % size;
  var at = row * size;
  var step = 1u;
  if (LEFT_TRANSPOSED == 1u) {
    at = first + row % size;
    step = size;
  }
  var sum = 0.0;
  for (var k = 0u; k < size; k++) {
    sum += left[at + k * step] * right[first + k * size + col];
  }
  out[index] = params.factor * sum + params.addend_factor * addend[index];
}
