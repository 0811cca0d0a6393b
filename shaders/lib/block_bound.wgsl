// What a block is clipped to: factor · peak. Needs the kernel's `params.blocks`, blocks per row.

override FACTORS_PER: u32 = 2u; // 0: one factor in all, 1: one per column of blocks, 2: one per block

fn factor_index(row: u32, block: u32) -> u32 {
  return select(select(row * params.blocks + block, block, FACTORS_PER == 1u), 0u, FACTORS_PER == 0u);
}

// Whether factor · peak is surely normal, by exponents: at least 2^-125. Not where the peak is not finite.
fn has_bound(peak: u32, factor: f32) -> bool {
  return peak < 0x7F800000u && (peak >> 23u) + (bitcast<u32>(factor) >> 23u) >= 129u;
}

// Bits of factor · peak, or the peak itself where there is no such bound. 0 < factor <= 1.
fn bound_of(peak: u32, factor: f32) -> u32 {
  let is_cut = has_bound(peak, factor);
  let product = bitcast<u32>(factor * bitcast<f32>(select(0x3F800000u, peak, is_cut)));
  return select(peak, product, is_cut);
}
