// Four values of a row starting at column `col`, with 0 in columns `cols` and above: what a row's padding must hold.
fn zero_beyond(values: vec4<f32>, col: u32, cols: u32) -> vec4<f32> {
  return select(vec4f(), values, vec4u(col, col + 1u, col + 2u, col + 3u) < vec4u(cols));
}
