// 8 x 8 outputs of one invocation in registers, each a name of its own: arrays in loops are slower on many adapters.
// Needs the kernel's `store(row: u32, col4: u32, lo: vec4<f32>, hi: vec4<f32>)`, which guards and stores eight columns.

// Row i of the tile: columns 0 … 3 in lo, 4 … 7 in hi.
struct RegisterTile {
  lo0: vec4<f32>,
  lo1: vec4<f32>,
  lo2: vec4<f32>,
  lo3: vec4<f32>,
  lo4: vec4<f32>,
  lo5: vec4<f32>,
  lo6: vec4<f32>,
  lo7: vec4<f32>,
  hi0: vec4<f32>,
  hi1: vec4<f32>,
  hi2: vec4<f32>,
  hi3: vec4<f32>,
  hi4: vec4<f32>,
  hi5: vec4<f32>,
  hi6: vec4<f32>,
  hi7: vec4<f32>,
}

// Four values of k at once: row i gains the sum over t of a_i[t] * row t of b, a_i being column i of a_lo and a_hi.
fn add_outer(tile: ptr<function, RegisterTile>, a_lo: mat4x4f, a_hi: mat4x4f, b_lo: mat4x4f, b_hi: mat4x4f) {
  (*tile).lo0 += b_lo * a_lo[0]; (*tile).hi0 += b_hi * a_lo[0];
  (*tile).lo1 += b_lo * a_lo[1]; (*tile).hi1 += b_hi * a_lo[1];
  (*tile).lo2 += b_lo * a_lo[2]; (*tile).hi2 += b_hi * a_lo[2];
  (*tile).lo3 += b_lo * a_lo[3]; (*tile).hi3 += b_hi * a_lo[3];
  (*tile).lo4 += b_lo * a_hi[0]; (*tile).hi4 += b_hi * a_hi[0];
  (*tile).lo5 += b_lo * a_hi[1]; (*tile).hi5 += b_hi * a_hi[1];
  (*tile).lo6 += b_lo * a_hi[2]; (*tile).hi6 += b_hi * a_hi[2];
  (*tile).lo7 += b_lo * a_hi[3]; (*tile).hi7 += b_hi * a_hi[3];
}

// Four values of k at once: element j of row i gains dot(a_i, b_j), a_i being column i of a_lo and a_hi, b_j of b_lo and b_hi.
fn add_dots(tile: ptr<function, RegisterTile>, a_lo: mat4x4f, a_hi: mat4x4f, b_lo: mat4x4f, b_hi: mat4x4f) {
  (*tile).lo0 += a_lo[0] * b_lo; (*tile).hi0 += a_lo[0] * b_hi;
  (*tile).lo1 += a_lo[1] * b_lo; (*tile).hi1 += a_lo[1] * b_hi;
  (*tile).lo2 += a_lo[2] * b_lo; (*tile).hi2 += a_lo[2] * b_hi;
  (*tile).lo3 += a_lo[3] * b_lo; (*tile).hi3 += a_lo[3] * b_hi;
  (*tile).lo4 += a_hi[0] * b_lo; (*tile).hi4 += a_hi[0] * b_hi;
  (*tile).lo5 += a_hi[1] * b_lo; (*tile).hi5 += a_hi[1] * b_hi;
  (*tile).lo6 += a_hi[2] * b_lo; (*tile).hi6 += a_hi[2] * b_hi;
  (*tile).lo7 += a_hi[3] * b_lo; (*tile).hi7 += a_hi[3] * b_hi;
}

// Stores the tile whose first output is that of row `row` and vec4 `col4`.
fn store_tile(tile: ptr<function, RegisterTile>, row: u32, col4: u32) {
  store(row, col4, (*tile).lo0, (*tile).hi0);
  store(row + 1u, col4, (*tile).lo1, (*tile).hi1);
  store(row + 2u, col4, (*tile).lo2, (*tile).hi2);
  store(row + 3u, col4, (*tile).lo3, (*tile).hi3);
  store(row + 4u, col4, (*tile).lo4, (*tile).hi4);
  store(row + 5u, col4, (*tile).lo5, (*tile).hi5);
  store(row + 6u, col4, (*tile).lo6, (*tile).hi6);
  store(row + 7u, col4, (*tile).lo7, (*tile).hi7);
}
