// Factors one 32 x 32 block on the diagonal: L = chol(a[K, K]) and M = L⁻¹, K = first … first + 31.
// pair[K, K] becomes Lᵀ on and above the diagonal and M below it; behind the matrix, pair also keeps M [32, 32] by itself,
// zero above its diagonal, for what follows in this panel.
// One workgroup of 32 invocations: lane r owns row r of L, then column r of M. 4 KiB of workgroup memory and one barrier
// per column; the block is all that happens in sequence, everything else of a panel is a product.
// A pivot that is not a positive normal number is named in `info` (atomicMin of its index) and replaced by 1. That test
// is on the bits, so it sees NaN and infinity too.

const SIZE: u32 = 32u;
const ROW: u32 = 33u; // Words per row of l: odd, so that a column lies in different banks.

struct Params {
  first: u32,
  stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;                   // [stride, stride], read above the diagonal
@group(0) @binding(2) var<storage, read_write> pair: array<f32>;          // [stride, stride] and [32, 32]
@group(0) @binding(3) var<storage, read_write> info: array<atomic<u32>>;  // [1]

var<workgroup> l: array<f32, 1056>;

@compute @workgroup_size(32)
fn cholesky_panel(@builtin(local_invocation_index) lane: u32) {
  let corner = params.first * params.stride + params.first;
  for (var col = 0u; col < SIZE; col++) {
    l[lane * ROW + col] = a[corner + min(lane, col) * params.stride + max(lane, col)];
  }
  workgroupBarrier();

  // Every lane computes the pivot of the column for itself. l[col, col] keeps what stood there until the end, so within
  // a step nobody writes what another lane reads.
  var own_diagonal = 1.0;
  for (var col = 0u; col < SIZE; col++) {
    var pivot = l[col * ROW + col];
    var sum = l[lane * ROW + col];
    for (var k = 0u; k < col; k++) {
      let value = l[col * ROW + k];
      pivot -= value * value;
      sum -= l[lane * ROW + k] * value;
    }
    let bits = bitcast<u32>(pivot);
    let is_positive = bits >= 0x00800000u && bits < 0x7f800000u;
    if (lane == 0u && !is_positive) {
      atomicMin(&info[0], params.first + col);
    }
    let diagonal = sqrt(select(1.0, pivot, is_positive));
    if (lane > col) {
      l[lane * ROW + col] = sum / diagonal;
    }
    if (lane == col) {
      own_diagonal = diagonal;
    }
    workgroupBarrier();
  }
  l[lane * ROW + lane] = own_diagonal;
  workgroupBarrier();

  // Column `lane` of M by forward substitution, kept in row `lane` of l right of the diagonal: only this lane goes there.
  for (var row = lane + 1u; row < SIZE; row++) {
    var sum = l[row * ROW + lane] / own_diagonal;
    for (var k = lane + 1u; k < row; k++) {
      sum += l[row * ROW + k] * l[lane * ROW + k];
    }
    l[lane * ROW + row] = -sum / l[row * ROW + row];
  }
  workgroupBarrier();

  // Row `lane` of the outputs; M[lane, col] lies at l[col, lane], and so does Lᵀ[lane, col] for col above the diagonal.
  let block = params.stride * params.stride;
  for (var col = 0u; col < SIZE; col++) {
    let value = l[col * ROW + lane];
    pair[corner + lane * params.stride + col] = value;
    pair[block + lane * SIZE + col] = select(select(0.0, value, col < lane), 1.0 / own_diagonal, col == lane);
  }
}
