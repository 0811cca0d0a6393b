// fake_quantize (shaders/fake_quantize.wgsl) with four invocations per chunk of 32 columns, each with eight of them, so
// that neighbours read neighbouring words. Blocks of 8, 16 or 32 columns, one candidate. Same arguments, same results.
// The extremes of a block come by shuffles (lib/quarter.wgsl).

enable subgroups;

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  cols: u32,
  stride: u32,
  unused: u32,
  table: array<vec4<u32>, 4>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> context: array<u32>;
@group(0) @binding(3) var<storage, read_write> destination: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn fake_quantize_subgroup(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let chunks_per_row = params.stride / 32u;
  let chunks = params.rows * chunks_per_row;
  // Invocations beyond the last chunk take part in the shuffles and store nothing.
  let chunk = min(index / 4u, chunks - 1u);
  let row = chunk / chunks_per_row;
  let first = 8u * chunk + 2u * (index % 4u);
  let low = source[first];
  let high = source[first + 1u];
  let grid = grid_of(shared_range(extremes_of(low, high)), row, 0u);
  if (index >= 4u * chunks) {
    return;
  }
  destination[first] = rounded(low, grid);
  destination[first + 1u] = rounded(high, grid);

  // Some adapters execute both sides of an `if` and skip only empty loops.
  let first_col = 4u * (first - 8u * row * chunks_per_row);
  for (var i = select(2u, 0u, is_rare(grid)); i < 2u; i++) {
    let values = rounded_general(source[first + i], grid);
    let col = vec4<u32>(first_col + 4u * i) + vec4<u32>(0u, 1u, 2u, 3u);
    destination[first + i] = select(vec4<u32>(0u), values, col < vec4<u32>(params.cols));
  }
}
