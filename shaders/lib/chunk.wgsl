// A chunk, 32 columns of one row held as eight vec4s, and the grids of the blocks it belongs to.
// Needs a grid library (src/gpu/kernels/grid-plan.ts), lib/block_range.wgsl, lib/grids.wgsl, and the kernel's binding
// `source`: array<vec4<u32>>, the f32 bits of [rows, stride] elements, stride a multiple of 32.

override CANDIDATES: u32 = 1u;
override ERROR_KIND: u32 = 0u; // 0 sum of squares, 1 sum of magnitudes, 2 largest magnitude
override BOTH_SIDES: bool = true; // scales follow from both extremes, else from the largest magnitude alone

struct Chunk {
  v0: vec4<u32>,
  v1: vec4<u32>,
  v2: vec4<u32>,
  v3: vec4<u32>,
  v4: vec4<u32>,
  v5: vec4<u32>,
  v6: vec4<u32>,
  v7: vec4<u32>,
}

// Extremes lane by lane: as unsigned numbers the largest negative f32 is largest, as signed ones the largest positive.
// Where one side is enough, `positive` has the magnitudes and `negative` nothing.
struct Extremes {
  negative: vec4<u32>,
  positive: vec4<i32>,
}

fn chunk_at(first: u32) -> Chunk {
  return Chunk(
    source[first],
    source[first + 1u],
    source[first + 2u],
    source[first + 3u],
    source[first + 4u],
    source[first + 5u],
    source[first + 6u],
    source[first + 7u],
  );
}

// The vec4s (first, end) of the chunk that starts at `first`, or of its block where that is larger.
fn block_span(first: u32, row_start: u32) -> vec2<u32> {
  if (BLOCK <= 32u) {
    return vec2<u32>(first, first + 8u);
  }
  let start = row_start + (first - row_start) / (BLOCK / 4u) * (BLOCK / 4u);
  return vec2<u32>(start, min(start + BLOCK / 4u, row_start + params.stride / 4u));
}

fn grids_of(chunk: Chunk, first: u32, row: u32) -> Grids {
  let span = block_span(first, row * (params.stride / 4u));
  let ranges = ranges_of(chunk, span);
  let grids = grids_for(ranges, row, 0u);
  if (CANDIDATES == 1u) {
    return grids;
  }
  let others = grids_for(ranges, row, 1u);
  let wins = has_smaller_error(others, grids, ranges, span);
  var kept = grids;
  if (wins.x) {
    kept.a = others.a;
  }
  if (wins.y) {
    kept.b = others.b;
  }
  if (wins.z) {
    kept.c = others.c;
  }
  if (wins.w) {
    kept.d = others.d;
  }
  return kept;
}

struct Ranges {
  a: BlockRange,
  b: BlockRange,
  c: BlockRange,
  d: BlockRange,
}

fn ranges_of(chunk: Chunk, span: vec2<u32>) -> Ranges {
  let a = extremes_of(chunk.v0, chunk.v1);
  let b = extremes_of(chunk.v2, chunk.v3);
  let c = extremes_of(chunk.v4, chunk.v5);
  let d = extremes_of(chunk.v6, chunk.v7);
  if (BLOCK == 8u) {
    return Ranges(range_of(a), range_of(b), range_of(c), range_of(d));
  }
  let ab = merged(a, b);
  let cd = merged(c, d);
  if (BLOCK == 16u) {
    let left = range_of(ab);
    let right = range_of(cd);
    return Ranges(left, left, right, right);
  }
  var all = merged(ab, cd);
  if (BLOCK == 64u || BLOCK == 128u) {
    for (var i = span.x; i < span.y; i += 2u) {
      all = merged(all, extremes_of(source[i], source[i + 1u]));
    }
  }
  let range = range_of(all);
  return Ranges(range, range, range, range);
}

fn extremes_of(a: vec4<u32>, b: vec4<u32>) -> Extremes {
  var mask = vec4<u32>(0x7FFFFFFFu);
  if (BOTH_SIDES) {
    mask = vec4<u32>(0xFFFFFFFFu);
  }
  return merged(Extremes(a, bitcast<vec4<i32>>(a & mask)), Extremes(b, bitcast<vec4<i32>>(b & mask)));
}

fn merged(a: Extremes, b: Extremes) -> Extremes {
  var negative = vec4<u32>(0u);
  if (BOTH_SIDES) {
    negative = max(a.negative, b.negative);
  }
  return Extremes(negative, max(a.positive, b.positive));
}

fn range_of(extremes: Extremes) -> BlockRange {
  let n = max(extremes.negative.xy, extremes.negative.zw);
  let p = max(extremes.positive.xy, extremes.positive.zw);
  return BlockRange(max(max(n.x, n.y), 0x80000000u) & 0x7FFFFFFFu, u32(max(max(p.x, p.y), 0)));
}

fn grids_for(ranges: Ranges, row: u32, candidate: u32) -> Grids {
  let a = grid_of(ranges.a, row, candidate);
  if (BLOCK == 8u) {
    return Grids(
      a,
      grid_of(ranges.b, row, candidate),
      grid_of(ranges.c, row, candidate),
      grid_of(ranges.d, row, candidate),
    );
  }
  if (BLOCK == 16u) {
    let c = grid_of(ranges.c, row, candidate);
    return Grids(a, a, c, c);
  }
  return Grids(a, a, a, a);
}

// Exponent fields of a block's maximum between which differences can be squared and added as they are.
const PLAIN_FIELDS = vec2<u32>(80u, 180u); // 2^-47 ... 2^53

// Whether `others` have the smaller error, for the blocks of columns 0-7, 8-15, 16-23 and 24-31. Errors are f32 sums:
// two that agree to a few units of 2^-22 may compare either way.
fn has_smaller_error(others: Grids, grids: Grids, ranges: Ranges, span: vec2<u32>) -> vec4<bool> {
  let fields = fields_of(ranges);
  let in_range = all(fields >= vec4<u32>(PLAIN_FIELDS.x)) && all(fields <= vec4<u32>(PLAIN_FIELDS.y));
  let plain = in_range && !has_rare(grids) && !has_rare(others);
  var new_error = vec4<f32>(0.0);
  var old_error = vec4<f32>(0.0);
  // Two loops, one of which is empty: some adapters execute both sides of an `if`.
  for (var i = select(span.y, span.x, plain); i < span.y; i++) {
    let quarter = (i - span.x) / 2u % 4u;
    let bits = source[i];
    let x = bitcast<vec4<f32>>(bits);
    let new_values = bitcast<vec4<f32>>(rounded(bits, quarter_grid(others, quarter)));
    let old_values = bitcast<vec4<f32>>(rounded(bits, quarter_grid(grids, quarter)));
    new_error = with_error(new_error, quarter, new_values - x);
    old_error = with_error(old_error, quarter, old_values - x);
  }
  for (var i = select(span.x, span.y, plain); i < span.y; i++) {
    let quarter = (i - span.x) / 2u % 4u;
    let x = relative_to(source[i], fields[quarter]);
    for (var candidate = 0u; candidate < 2u; candidate++) {
      var grid = quarter_grid(grids, quarter);
      if (candidate == 1u) {
        grid = quarter_grid(others, quarter);
      }
      let difference = relative_to(rounded_general(source[i], grid), fields[quarter]) - x;
      if (candidate == 1u) {
        new_error = with_error(new_error, quarter, difference);
      } else {
        old_error = with_error(old_error, quarter, difference);
      }
    }
  }
  return block_errors(new_error) < block_errors(old_error);
}

// `errors` with `differences` added: by quarter of a chunk, or lane by lane where all quarters are of one block.
fn with_error(errors: vec4<f32>, quarter: u32, differences: vec4<f32>) -> vec4<f32> {
  var added = abs(differences);
  if (ERROR_KIND == 0u) {
    added = differences * differences;
  }
  if (BLOCK < 32u) {
    let error = joined(joined(added.x, added.y), joined(added.z, added.w));
    added = select(vec4<f32>(0.0), vec4<f32>(error), vec4<u32>(0u, 1u, 2u, 3u) == vec4<u32>(quarter));
  }
  if (ERROR_KIND == 2u) {
    return max(errors, added);
  }
  return errors + added;
}

// The errors of the blocks, from those of quarters or lanes.
fn block_errors(parts: vec4<f32>) -> vec4<f32> {
  if (BLOCK == 8u) {
    return parts;
  }
  let halves = vec2<f32>(joined(parts.x, parts.y), joined(parts.z, parts.w));
  if (BLOCK == 16u) {
    return halves.xxyy;
  }
  return vec4<f32>(joined(halves.x, halves.y));
}

fn joined(a: f32, b: f32) -> f32 {
  if (ERROR_KIND == 2u) {
    return max(a, b);
  }
  return a + b;
}

// Exponent fields of the largest magnitudes.
fn fields_of(ranges: Ranges) -> vec4<u32> {
  let largest = vec4<u32>(largest_of(ranges.a), largest_of(ranges.b), largest_of(ranges.c), largest_of(ranges.d));
  return largest >> vec4<u32>(23u);
}

// The numbers times 2^(127 - field). Taken apart by integers, since arithmetic may flush what is subnormal.
fn relative_to(bits: vec4<u32>, field: u32) -> vec4<f32> {
  let exponent = max((bits >> vec4<u32>(23u)) & vec4<u32>(255u), vec4<u32>(1u));
  let implicit = select(vec4<u32>(0u), vec4<u32>(0x800000u), (bits & vec4<u32>(0x7F800000u)) != vec4<u32>(0u));
  let significand = vec4<f32>((bits & vec4<u32>(0x7FFFFFu)) | implicit);
  let power = clamp(exponent + vec4<u32>(127u - 23u), vec4<u32>(field + 1u), vec4<u32>(field + 254u)) - vec4<u32>(field);
  let magnitude = significand * bitcast<vec4<f32>>(power << vec4<u32>(23u));
  return select(magnitude, -magnitude, bits >= vec4<u32>(0x80000000u));
}
