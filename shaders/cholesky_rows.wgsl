// The panel's rows outside its diagonal block: pair[K, j] = M · a[K, j], K = first … first + 31, j not in K, with M the
// inverse of the block's factor. Right of the block that makes Lᵀ of the Schur complement, left of it M of the sums L M.
// a: [stride, stride]; pair: [stride, stride] with M behind it [32, 32], zero above its diagonal.
// One invocation owns 8 rows x 8 columns in registers; a workgroup of 4 x 16 invocations all 32 rows x 128 columns. Row
// group g needs only the columns of M up to its own, 8 (g + 1).

struct Params {
  first: u32,
  stride4: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> pair: array<vec4<f32>>;

@compute @workgroup_size(16, 4)
fn cholesky_rows(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) local: vec3<u32>,
) {
  let wanted = 32u * workgroup_index(group, groups) + 2u * local.x;
  // The stride is an even number of vec4s: the second group of a pair is inside whenever the first is.
  let col4 = min(wanted, params.stride4 - 2u);
  let row = 8u * local.y;

  // Row i of the tile: columns 0 … 3 in lo, 4 … 7 in hi.
  var lo0 = vec4f(); var lo1 = vec4f(); var lo2 = vec4f(); var lo3 = vec4f();
  var lo4 = vec4f(); var lo5 = vec4f(); var lo6 = vec4f(); var lo7 = vec4f();
  var hi0 = vec4f(); var hi1 = vec4f(); var hi2 = vec4f(); var hi3 = vec4f();
  var hi4 = vec4f(); var hi5 = vec4f(); var hi6 = vec4f(); var hi7 = vec4f();

  for (var k4 = 0u; k4 < 2u * (local.y + 1u); k4++) {
    let p = (params.first + 4u * k4) * params.stride4 + col4;
    let q = p + params.stride4;
    let r = q + params.stride4;
    let s = r + params.stride4;
    let a_lo = mat4x4f(a[p], a[q], a[r], a[s]);
    let a_hi = mat4x4f(a[p + 1u], a[q + 1u], a[r + 1u], a[s + 1u]);
    let m = 4u * params.stride4 * params.stride4 + 8u * row + k4;
    let m0 = pair[m]; lo0 += a_lo * m0; hi0 += a_hi * m0;
    let m1 = pair[m + 8u]; lo1 += a_lo * m1; hi1 += a_hi * m1;
    let m2 = pair[m + 16u]; lo2 += a_lo * m2; hi2 += a_hi * m2;
    let m3 = pair[m + 24u]; lo3 += a_lo * m3; hi3 += a_hi * m3;
    let m4 = pair[m + 32u]; lo4 += a_lo * m4; hi4 += a_hi * m4;
    let m5 = pair[m + 40u]; lo5 += a_lo * m5; hi5 += a_hi * m5;
    let m6 = pair[m + 48u]; lo6 += a_lo * m6; hi6 += a_hi * m6;
    let m7 = pair[m + 56u]; lo7 += a_lo * m7; hi7 += a_hi * m7;
  }

  let is_block = 4u * col4 >= params.first && 4u * col4 < params.first + 32u;
  if (wanted < params.stride4 && !is_block) {
    let first = (params.first + row) * params.stride4 + col4;
    store(first, lo0, hi0);
    store(first + params.stride4, lo1, hi1);
    store(first + 2u * params.stride4, lo2, hi2);
    store(first + 3u * params.stride4, lo3, hi3);
    store(first + 4u * params.stride4, lo4, hi4);
    store(first + 5u * params.stride4, lo5, hi5);
    store(first + 6u * params.stride4, lo6, hi6);
    store(first + 7u * params.stride4, lo7, hi7);
  }
}

fn store(index: u32, lo: vec4<f32>, hi: vec4<f32>) {
  pair[index] = lo;
  pair[index + 1u] = hi;
}
