// y[row, col] = sum over blocks of 2^(ea + eb - 256) * (sum over the block of 2 a * 2 b): MXFP4 times MXFP4 from codes
// (src/gpu/kernels/packed-matrix.ts), ea and eb the scale bytes of row `row` of a and of row `col` of b.
// a_codes: [rows, blocks], b_codes: [cols, blocks] of 32 nibbles; a_scales, b_scales: E8M0 bytes, rows of
// a_scale_words and b_scale_words. y: [rows, y_stride4 vec4s] as f32 bits; a row or column whose scales have a NaN is
// NaN, padding columns are 0.
// Doubled elements are integers up to 12, so the sum of a block is one, at most 4608, exact in i32 and in f32; only
// adding blocks rounds. One invocation owns 4 x 4 outputs, a workgroup of 8 x 8 invocations 32 x 32.

requires packed_4x8_integer_dot_product;

struct Params {
  row_begin: u32,
  row_end: u32,
  cols: u32,
  blocks: u32, // per row
  a_scale_words: u32,
  b_scale_words: u32,
  y_stride4: u32,
  col_tiles: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a_codes: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> a_scales: array<u32>;
@group(0) @binding(3) var<storage, read> b_codes: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> b_scales: array<u32>;
@group(0) @binding(5) var<storage, read_write> y: array<vec4<u32>>;

// Eight elements of each of four rows, doubled, as signed bytes: those of even and of odd index.
struct Doubled {
  even: vec4<u32>,
  odd: vec4<u32>,
}

@compute @workgroup_size(8, 8)
fn packed_dot(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let tile = workgroup_index(group, groups);
  let row = params.row_begin + 32u * (tile / params.col_tiles) + 4u * local.y;
  let col = 32u * (tile % params.col_tiles) + 4u * local.x;
  let four = vec4<u32>(0u, 1u, 2u, 3u);
  let rows = min(vec4<u32>(row) + four, vec4<u32>(params.row_end - 1u));
  let cols = min(vec4<u32>(col) + four, vec4<u32>(params.cols - 1u));
  let p = rows * params.blocks;
  let q = cols * params.blocks;

  var y0 = vec4f(); var y1 = vec4f(); var y2 = vec4f(); var y3 = vec4f();
  var nan_rows = vec4<bool>(false);
  var nan_cols = vec4<bool>(false);
  for (var block = 0u; block < params.blocks; block++) {
    // The words of four rows of each side.
    let a0 = a_codes[p.x + block]; let b0 = b_codes[q.x + block];
    let a1 = a_codes[p.y + block]; let b1 = b_codes[q.y + block];
    let a2 = a_codes[p.z + block]; let b2 = b_codes[q.z + block];
    let a3 = a_codes[p.w + block]; let b3 = b_codes[q.w + block];
    var s0 = vec4<i32>(); var s1 = vec4<i32>(); var s2 = vec4<i32>(); var s3 = vec4<i32>();
    for (var i = 0u; i < 4u; i++) {
      let a_word = doubled(vec4<u32>(a0[i], a1[i], a2[i], a3[i]));
      let b_word = doubled(vec4<u32>(b0[i], b1[i], b2[i], b3[i]));
      s0 += dot_words(a_word.even.x, a_word.odd.x, b_word);
      s1 += dot_words(a_word.even.y, a_word.odd.y, b_word);
      s2 += dot_words(a_word.even.z, a_word.odd.z, b_word);
      s3 += dot_words(a_word.even.w, a_word.odd.w, b_word);
    }

    let ea = a_bytes(rows * params.a_scale_words + vec4<u32>(block / 4u), block);
    let eb = b_bytes(cols * params.b_scale_words + vec4<u32>(block / 4u), block);
    let fa = half_scale(ea);
    let fb = half_scale(eb);
    y0 += vec4f(s0) * (fa.x * fb);
    y1 += vec4f(s1) * (fa.y * fb);
    y2 += vec4f(s2) * (fa.z * fb);
    y3 += vec4f(s3) * (fa.w * fb);
    // Some adapters execute both sides of an `if` and skip only empty loops.
    let is_rare = !(all(is_ordinary(ea)) && all(is_ordinary(eb)));
    for (var i = select(1u, 0u, is_rare); i < 1u; i++) {
      y0 += rare_terms(s0, ea.x, eb);
      y1 += rare_terms(s1, ea.y, eb);
      y2 += rare_terms(s2, ea.z, eb);
      y3 += rare_terms(s3, ea.w, eb);
      nan_rows = nan_rows | (ea == vec4<u32>(255u));
      nan_cols = nan_cols | (eb == vec4<u32>(255u));
    }
  }

  store(row, col, y0, nan_cols | vec4<bool>(nan_rows.x));
  store(row + 1u, col, y1, nan_cols | vec4<bool>(nan_rows.y));
  store(row + 2u, col, y2, nan_cols | vec4<bool>(nan_rows.z));
  store(row + 3u, col, y3, nan_cols | vec4<bool>(nan_rows.w));
}

fn doubled(words: vec4<u32>) -> Doubled {
  return Doubled(
    doubled_bytes(words & vec4<u32>(0x0F0F0F0Fu)),
    doubled_bytes((words >> vec4<u32>(4u)) & vec4<u32>(0x0F0F0F0Fu)),
  );
}

// Four codes in the low halves of the bytes of each word to 0, 1, 2, 3, 4, 6, 8, 12 with their signs. A zero stays
// positive, so that adding one to the complement carries into no other byte.
fn doubled_bytes(codes: vec4<u32>) -> vec4<u32> {
  let one = vec4<u32>(0x01010101u);
  let b0 = codes & one;
  let b1 = (codes >> vec4<u32>(1u)) & one;
  let b2 = (codes >> vec4<u32>(2u)) & one;
  let magnitude = (codes & vec4<u32>(0x07070707u)) + (b2 & b0) + 2u * (b2 & b1) + 2u * (b2 & b1 & b0);
  let negative = (codes >> vec4<u32>(3u)) & (b0 | b1 | b2);
  return (magnitude ^ (255u * negative)) + negative;
}

// Sums over one word of a row of a with that of four rows of b.
fn dot_words(even: u32, odd: u32, b: Doubled) -> vec4<i32> {
  return vec4<i32>(
    dot4I8Packed(even, b.even.x) + dot4I8Packed(odd, b.odd.x),
    dot4I8Packed(even, b.even.y) + dot4I8Packed(odd, b.odd.y),
    dot4I8Packed(even, b.even.z) + dot4I8Packed(odd, b.odd.z),
    dot4I8Packed(even, b.even.w) + dot4I8Packed(odd, b.odd.w),
  );
}

fn a_bytes(at: vec4<u32>, block: u32) -> vec4<u32> {
  let words = vec4<u32>(a_scales[at.x], a_scales[at.y], a_scales[at.z], a_scales[at.w]);
  return (words >> vec4<u32>(8u * (block % 4u))) & vec4<u32>(255u);
}

fn b_bytes(at: vec4<u32>, block: u32) -> vec4<u32> {
  let words = vec4<u32>(b_scales[at.x], b_scales[at.y], b_scales[at.z], b_scales[at.w]);
  return (words >> vec4<u32>(8u * (block % 4u))) & vec4<u32>(255u);
}

// Scales of 2^-61 to 2^63: halves of two of them, their product and its product with 4608 are normal numbers.
fn is_ordinary(bytes: vec4<u32>) -> vec4<bool> {
  return (bytes - vec4<u32>(66u)) <= vec4<u32>(124u);
}

// Half the scale, which undoes the doubling of one side; 0 where the scale is not ordinary.
fn half_scale(bytes: vec4<u32>) -> vec4f {
  return bitcast<vec4f>(select(vec4<u32>(0u), (bytes - vec4<u32>(1u)) << vec4<u32>(23u), is_ordinary(bytes)));
}

// What half_scale has left out: the terms of pairs of which one scale is not ordinary, put together by integers.
fn rare_terms(sums: vec4<i32>, ea: u32, eb: vec4<u32>) -> vec4f {
  let ordinary = is_ordinary(eb) & is_ordinary(vec4<u32>(ea));
  var terms = vec4f();
  for (var i = 0u; i < 4u; i++) {
    if (sums[i] != 0 && !ordinary[i] && ea != 255u && eb[i] != 255u) {
      let magnitude = assemble_f32(u32(abs(sums[i])), i32(ea + eb[i]) - 256);
      terms[i] = bitcast<f32>(magnitude | (bitcast<u32>(sums[i]) & 0x80000000u));
    }
  }
  return terms;
}

fn store(row: u32, col: u32, values: vec4f, is_nan: vec4<bool>) {
  let col4 = col / 4u;
  if (row < params.row_end && col4 < params.y_stride4) {
    let bits = select(bitcast<vec4<u32>>(values), vec4<u32>(NAN_BITS), is_nan);
    let cols = vec4<u32>(col) + vec4<u32>(0u, 1u, 2u, 3u);
    y[row * params.y_stride4 + col4] = select(vec4<u32>(0u), bits, cols < vec4<u32>(params.cols));
  }
}
