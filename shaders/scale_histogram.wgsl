// counts[b] += blocks whose scale byte is b; counts[256] += blocks that hold nothing but zeros, which are in counts[0] too.
// matrix: [rows, stride] bits of f32; scales: [rows, scale_words] words of four bytes, one byte per block of
// block_size columns; counts: [257], 0 before the dispatch.
// Invocation i takes blocks i, i + invocations, …; counts live in workgroup memory and are merged once. Only byte 0 can
// be the scale of a block of zeros, so elements are looked at there alone, by a loop that is empty everywhere else.
// Integer counts do not depend on the order of additions.

override WORKGROUP_SIZE: u32 = 64u;
const ZERO_BLOCKS: u32 = 256u;
const COUNTS: u32 = 257u;

struct Params {
  blocks: u32,
  invocations: u32,
  blocks_per_row: u32,
  block_size: u32,
  stride: u32,
  scale_words: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> matrix: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<u32>;
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;

var<workgroup> bins: array<atomic<u32>, COUNTS>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn scale_histogram(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (i < params.invocations) {
    for (var block = i; block < params.blocks; block += params.invocations) {
      let row = block / params.blocks_per_row;
      let in_row = block % params.blocks_per_row;
      let scale = (scales[row * params.scale_words + in_row / 4u] >> (8u * (in_row % 4u))) & 0xffu;
      atomicAdd(&bins[scale], 1u);
      let begin = in_row * params.block_size;
      let end = select(begin, min(begin + params.block_size, params.stride), scale == 0u);
      var magnitudes = u32(scale != 0u);
      for (var col = begin; col < end; col++) {
        magnitudes |= matrix[row * params.stride + col] << 1u;
      }
      if (magnitudes == 0u) {
        atomicAdd(&bins[ZERO_BLOCKS], 1u);
      }
    }
  }
  workgroupBarrier();
  for (var bin = lane; bin < COUNTS; bin += WORKGROUP_SIZE) {
    let total = atomicLoad(&bins[bin]);
    if (total > 0u) {
      atomicAdd(&counts[bin], total);
    }
  }
}
