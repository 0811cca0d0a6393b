// What one of four invocations knows of a chunk (lib/chunk.wgsl): the eight columns it owns, and with its neighbours the
// extremes of their block. For blocks of 8, 16 and 32 columns. Needs lib/chunk.wgsl and `enable subgroups` in the kernel.
// Invocations 4 i ... 4 i + 3 of a workgroup must be neighbours in a subgroup: so they are where subgroups have four
// invocations or more and follow the order of the workgroup, as everywhere in workgroups of one dimension.

// Must be called in uniform control flow.
fn shared_range(own: Extremes) -> BlockRange {
  var range = range_of(own);
  if (BLOCK >= 16u) {
    range = joined_with_neighbour(range, 1u);
  }
  if (BLOCK >= 32u) {
    range = joined_with_neighbour(range, 2u);
  }
  return range;
}

fn joined_with_neighbour(range: BlockRange, distance: u32) -> BlockRange {
  var negative = 0u;
  if (BOTH_SIDES) {
    negative = max(range.negative, subgroupShuffleXor(range.negative, distance));
  }
  return BlockRange(negative, max(range.positive, subgroupShuffleXor(range.positive, distance)));
}
