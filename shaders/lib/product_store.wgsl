// Stores of a product: guarded by row and column, with zeros in the columns between cols and the stride.
// Needs lib/zero_beyond.wgsl, the kernel's params.row_end, params.cols and params.y_stride4, and its binding `y`.

fn store4(row: u32, col4: u32, values: vec4<f32>) {
  if (row < params.row_end && col4 < params.y_stride4) {
    y[row * params.y_stride4 + col4] = zero_beyond(values, 4u * col4, params.cols);
  }
}

fn store(row: u32, col4: u32, lo: vec4<f32>, hi: vec4<f32>) {
  store4(row, col4, lo);
  store4(row, col4 + 1u, hi);
}
