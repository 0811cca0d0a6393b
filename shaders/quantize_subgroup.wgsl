// quantize (shaders/quantize.wgsl) with four invocations per chunk of 32 columns, each with eight of them, so that
// neighbours read and write neighbouring words. Blocks of 8, 16 or 32 columns, one candidate, scales found here. Same
// results. Four invocations own CHUNKS chunks, so many that nobody else writes to their word of `scales`.
// codes: [rows, stride * CODE_BITS / 32] words. The others: as there. Shuffles: lib/quarter.wgsl.

enable subgroups;

override WORKGROUP_SIZE: u32 = 64u;
override CODE_BITS: u32 = 4u;
override SCALE_BYTES: u32 = 1u;
override CHUNKS: u32 = 4u;
override ROW_SCALES: bool = false; // one scale per row: the one of its first chunk

struct Params {
  rows: u32,
  stride: u32,
  scale_words: u32, // per row
  unused: u32,
  table: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> context: array<u32>;
@group(0) @binding(3) var<storage, read_write> codes: array<u32>;
@group(0) @binding(4) var<storage, read_write> scales: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn quantize_subgroup(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let quarter = index % 4u;
  let chunks_per_row = params.stride / 32u;
  let parts = (chunks_per_row + CHUNKS - 1u) / CHUNKS;
  // Invocations beyond the last part, and chunks beyond the last of a row, take part in the shuffles and store nothing.
  let is_inside = index / 4u < params.rows * parts;
  let own = min(index / 4u, params.rows * parts - 1u);
  let row = own / parts;
  let begin = (own - row * parts) * CHUNKS;
  var bytes = 0u;
  for (var i = 0u; i < CHUNKS; i++) {
    let in_row = min(begin + i, chunks_per_row - 1u);
    let at = row * chunks_per_row + in_row;
    let low = source[8u * at + 2u * quarter];
    let high = source[8u * at + 2u * quarter + 1u];
    let grid = grid_of(shared_range(extremes_of(low, high)), row, 0u);
    if (is_inside && begin + i < chunks_per_row) {
      store_codes(at, quarter, low, high, grid);
      bytes |= stored_scale(grid).x << (8u * ((32u * i + 8u * quarter) / BLOCK));
      if (SCALE_BYTES > 1u) {
        store_scale(row * params.scale_words, 32u * in_row + 8u * quarter, grid);
      }
    }
  }
  if (SCALE_BYTES == 1u) {
    bytes |= subgroupShuffleXor(bytes, 1u);
    bytes |= subgroupShuffleXor(bytes, 2u);
    if (is_inside && quarter == 0u) {
      scales[row * params.scale_words + begin / CHUNKS] = bytes;
    }
  }
}

// A scale of 4 or 8 bytes, written by the invocation whose first column begins its block.
fn store_scale(row_start: u32, col: u32, grid: Grid) {
  let begins = select(col % BLOCK == 0u, col == 0u, ROW_SCALES);
  let stored = stored_scale(grid);
  if (begins && SCALE_BYTES == 8u) {
    scales[row_start + 2u * (col / BLOCK)] = stored.x;
    scales[row_start + 2u * (col / BLOCK) + 1u] = stored.y;
  } else if (begins) {
    scales[row_start + col / BLOCK] = stored.x;
  }
}

fn store_codes(at: u32, quarter: u32, low: vec4<u32>, high: vec4<u32>, grid: Grid) {
  store_words(4u * at + quarter, codes_of(low, grid), codes_of(high, grid));
  // Some adapters execute both sides of an `if` and skip only empty loops.
  for (var i = select(1u, 0u, is_rare(grid)); i < 1u; i++) {
    let kept = select(vec4<u32>(0xFFFFFFFFu), vec4<u32>(0u), is_nan(grid));
    store_words(4u * at + quarter, codes_of_general(low, grid) & kept, codes_of_general(high, grid) & kept);
  }
}

// The codes of eight columns; `eighth` counts eights of columns in the matrix.
fn store_words(eighth: u32, low: vec4<u32>, high: vec4<u32>) {
  if (CODE_BITS == 4u) {
    codes[eighth] = eight_nibbles(low, high);
  } else if (CODE_BITS == 8u) {
    codes[2u * eighth] = four_bytes(low);
    codes[2u * eighth + 1u] = four_bytes(high);
  } else {
    let halves = vec4<u32>(four_halves(low), four_halves(high));
    codes[4u * eighth] = halves.x;
    codes[4u * eighth + 1u] = halves.y;
    codes[4u * eighth + 2u] = halves.z;
    codes[4u * eighth + 3u] = halves.w;
  }
}
