// out = inᵀ: out[r, c] = in[c, r], in [cols, rows] -> out [rows, cols], rows of both padded to their stride.
// One invocation writes one word of the output, padding included (zeros), in the order of memory, so that writes are
// contiguous. Bits are moved, never interpreted: NaN and subnormal elements arrive unchanged.
override WORKGROUP_SIZE: u32 = 256u;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  source_stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<u32>;             // [cols, source_stride]
@group(0) @binding(2) var<storage, read_write> destination: array<u32>;  // [rows, stride]

@compute @workgroup_size(WORKGROUP_SIZE)
fn transpose(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(num_workgroups) workgroups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(workgroup, workgroups) * WORKGROUP_SIZE + lane;
  if (index < params.rows * params.stride) {
    let row = index / params.stride;
    let col = index % params.stride;
    var word = 0u;
    if (col < params.cols) {
      word = source[col * params.source_stride + row];
    }
    destination[index] = word;
  }
}
