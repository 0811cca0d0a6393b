// y[row, col] = sum over blocks of 2^(byte - 127) * sum over the block of x[row, k] * e2m1(code[col, k]), the byte that
// of the block: a product with weights that stay MXFP4 codes (src/gpu/kernels/packed-matrix.ts), for few rows of x.
// x: [rows, x_stride4 vec4s]; codes: [cols, 4 * blocks] words of eight nibbles; scales: [cols, scale_words] E8M0 bytes.
// y: [rows, y_stride4 vec4s] as f32 bits; a column whose scales have a NaN is NaN, padding columns are 0.
// One invocation owns 8 x 4 outputs in registers. An element is decoded without its scale, so that no value is
// subnormal; the scale multiplies the sum of its block. |x| must be below 2^120, or such a sum may overflow.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  row_begin: u32,
  row_end: u32,
  cols: u32,
  blocks: u32, // of 32, per row
  scale_words: u32,
  x_stride4: u32,
  y_stride4: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> codes: array<u32>;
@group(0) @binding(3) var<storage, read> scales: array<u32>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn packed_loop(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let tile = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  let row = params.row_begin + 8u * (tile / params.y_stride4);
  let col4 = tile % params.y_stride4;
  if (row >= params.row_end) {
    return;
  }
  let last_row = params.row_end - 1u;
  let p0 = row * params.x_stride4;
  let p1 = min(row + 1u, last_row) * params.x_stride4;
  let p2 = min(row + 2u, last_row) * params.x_stride4;
  let p3 = min(row + 3u, last_row) * params.x_stride4;
  let p4 = min(row + 4u, last_row) * params.x_stride4;
  let p5 = min(row + 5u, last_row) * params.x_stride4;
  let p6 = min(row + 6u, last_row) * params.x_stride4;
  let p7 = min(row + 7u, last_row) * params.x_stride4;
  let cols = min(vec4<u32>(4u * col4) + vec4<u32>(0u, 1u, 2u, 3u), vec4<u32>(params.cols - 1u));
  let q = cols * (4u * params.blocks);
  let scale_row = cols * params.scale_words;

  var y0 = vec4f(); var y1 = vec4f(); var y2 = vec4f(); var y3 = vec4f();
  var y4 = vec4f(); var y5 = vec4f(); var y6 = vec4f(); var y7 = vec4f();
  var has_nan = vec4<bool>(false);
  for (var block = 0u; block < params.blocks; block++) {
    let bytes = scale_bytes(scale_row, block);
    has_nan = has_nan | (bytes == vec4<u32>(255u));
    // 2^-127 is subnormal: such a block takes half its elements and 2^-126. One half, as f32 bits:
    let half = select(vec4<u32>(0x3F000000u), vec4<u32>(0x3E800000u), bytes == vec4<u32>(0u));
    var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
    var s4 = vec4f(); var s5 = vec4f(); var s6 = vec4f(); var s7 = vec4f();
    for (var i = 4u * block; i < 4u * block + 4u; i++) {
      let w0 = codes[q.x + i];
      let w1 = codes[q.y + i];
      let w2 = codes[q.z + i];
      let w3 = codes[q.w + i];
      // Four columns as the columns of a matrix: (vector * matrix)[j] = dot(vector, column j).
      let lo = mat4x4f(e2m1(w0, half.x), e2m1(w1, half.y), e2m1(w2, half.z), e2m1(w3, half.w));
      let hi = mat4x4f(
        e2m1(w0 >> 16u, half.x),
        e2m1(w1 >> 16u, half.y),
        e2m1(w2 >> 16u, half.z),
        e2m1(w3 >> 16u, half.w),
      );
      let k = 2u * i;
      s0 += x[p0 + k] * lo + x[p0 + k + 1u] * hi;
      s1 += x[p1 + k] * lo + x[p1 + k + 1u] * hi;
      s2 += x[p2 + k] * lo + x[p2 + k + 1u] * hi;
      s3 += x[p3 + k] * lo + x[p3 + k + 1u] * hi;
      s4 += x[p4 + k] * lo + x[p4 + k + 1u] * hi;
      s5 += x[p5 + k] * lo + x[p5 + k + 1u] * hi;
      s6 += x[p6 + k] * lo + x[p6 + k + 1u] * hi;
      s7 += x[p7 + k] * lo + x[p7 + k + 1u] * hi;
    }
    // Normal, or 0 in place of NaN.
    let field = select(max(bytes, vec4<u32>(1u)), vec4<u32>(0u), bytes == vec4<u32>(255u));
    let scale = bitcast<vec4f>(field << vec4<u32>(23u));
    y0 += s0 * scale; y1 += s1 * scale; y2 += s2 * scale; y3 += s3 * scale;
    y4 += s4 * scale; y5 += s5 * scale; y6 += s6 * scale; y7 += s7 * scale;
  }

  store(row, col4, y0, has_nan);
  store(row + 1u, col4, y1, has_nan);
  store(row + 2u, col4, y2, has_nan);
  store(row + 3u, col4, y3, has_nan);
  store(row + 4u, col4, y4, has_nan);
  store(row + 5u, col4, y5, has_nan);
  store(row + 6u, col4, y6, has_nan);
  store(row + 7u, col4, y7, has_nan);
}

// The scale byte of one block of four rows whose scales start at words `starts`.
fn scale_bytes(starts: vec4<u32>, block: u32) -> vec4<u32> {
  let at = starts + vec4<u32>(block / 4u);
  let words = vec4<u32>(scales[at.x], scales[at.y], scales[at.z], scales[at.w]);
  return (words >> vec4<u32>(8u * (block % 4u))) & vec4<u32>(255u);
}

// The values of the four lowest nibbles, `half` being the bits of 0.5. From 1 up two codes share a binade, so a
// magnitude code is the f32's exponent and leading bit; 0 and 1 are 0 and `half`.
fn e2m1(nibbles: u32, half: u32) -> vec4f {
  let codes = vec4<u32>(nibbles) >> vec4<u32>(0u, 4u, 8u, 12u);
  let m = codes & vec4<u32>(7u);
  let magnitude = select((m << vec4<u32>(22u)) + vec4<u32>(half), m * half, m < vec4<u32>(2u));
  return bitcast<vec4f>(magnitude | ((codes & vec4<u32>(8u)) << vec4<u32>(28u)));
}

fn store(row: u32, col4: u32, values: vec4f, has_nan: vec4<bool>) {
  if (row < params.row_end) {
    let bits = select(bitcast<vec4<u32>>(values), vec4<u32>(NAN_BITS), has_nan);
    let cols = vec4<u32>(4u * col4) + vec4<u32>(0u, 1u, 2u, 3u);
    y[row * params.y_stride4 + col4] = select(vec4<u32>(0u), bits, cols < vec4<u32>(params.cols));
  }
}
