// Index of the first component of `values` equal to `wanted`; 3 when it is the last one or none.
fn first_equal(values: vec4<f32>, wanted: f32) -> u32 {
  return select(select(select(3u, 2u, values.z == wanted), 1u, values.y == wanted), 0u, values.x == wanted);
}
