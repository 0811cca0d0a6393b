// Partial sums of an estimate against its reference, e = estimate − reference:
// partials[q * invocations + i] for invocation i and q = 0: Σe², 1: Σ reference², 2: Σ estimate²,
// 3: Σ reference · estimate, 4: max |e|, each of values times 2^−n; the n are at q = 5: of e, 6: of reference,
// 7: of estimate. The host undoes them and adds the partials in float64.
// reference, estimate: [count] finite vec4<f32>, padding included (zeros add nothing). Invocation i takes elements i,
// i + invocations, …, eight at a time: a sum over a group of eight, then a sum of groups, keeps rounding small.
// Where squares stay inside the range of f32 every n is 0 and one pass does. Else (decided on bits) two more passes, empty
// loops otherwise, find the largest of each of the three and sum values scaled so that it is near 1.

override WORKGROUP_SIZE: u32 = 64u;

// 2^50 as bits: sums of squares of smaller values stay far below the largest f32.
const LARGEST_PLAIN: u32 = 0x58800000u;
// 2^-90 as bits: of a larger sum, squares below the normal numbers are less than rounding.
const SMALLEST_SUM: u32 = 0x12800000u;
// 2^126 as bits: from here on the difference of two may exceed f32, and that of their quarters is taken.
const HUGE: u32 = 0x7E800000u;

struct Params {
  count: u32,
  invocations: u32,
  groups_of_eight: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> reference: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> estimate: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> partials: array<f32>;

// Of e, reference, estimate and reference · estimate.
struct Sums {
  error: vec4<f32>,
  reference: vec4<f32>,
  estimate: vec4<f32>,
  inner: vec4<f32>,
}

// Of e (of its quarter where a value is huge), reference and estimate.
struct Largest {
  error: vec4<f32>,
  reference: vec4<f32>,
  estimate: vec4<f32>,
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn output_error_sums(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (i >= params.invocations) {
    return;
  }
  var sums = Sums();
  var largest_error = vec4f();
  var largest_value = vec4f();
  var index = i;
  for (var g = 0u; g < params.groups_of_eight; g++) {
    var eight = Sums();
    for (var j = 0u; j < 8u; j++) {
      if (index < params.count) {
        let y = reference[index];
        let z = estimate[index];
        let e = z - y;
        eight.error += e * e;
        eight.reference += y * y;
        eight.estimate += z * z;
        eight.inner += y * z;
        largest_error = max(largest_error, abs(e));
        largest_value = max(largest_value, max(abs(y), abs(z)));
      }
      index += params.invocations;
    }
    add(&sums, eight);
  }
  let value_bits = bits_of(largest_value);
  let has_error = bits_of(largest_error) > 0u;
  let is_plain = value_bits <= LARGEST_PLAIN && is_summed(sums.reference) && is_summed(sums.estimate)
    && (is_summed(sums.error) || !has_error);
  var largest = vec3(bits_of(largest_error), 0u, 0u);
  var n = vec3<i32>();
  var quarters = 0i;
  let again = select(params.groups_of_eight, 0u, is_plain);
  if (!is_plain) {
    quarters = select(0, 2, value_bits >= HUGE);
    let found = largest_of(i, again, power_of_two(-quarters));
    largest = vec3(bits_of(found.error), bits_of(found.reference), bits_of(found.estimate));
    n = vec3(exponent_of(largest.x), exponent_of(largest.y), exponent_of(largest.z));
    sums = scaled_sums(i, again, power_of_two(-quarters), n);
  }
  write(i, 0u, sum_of(sums.error));
  write(i, 1u, sum_of(sums.reference));
  write(i, 2u, sum_of(sums.estimate));
  write(i, 3u, sum_of(sums.inner));
  write(i, 4u, bitcast<f32>(largest.x) * power_of_two(-n.x));
  write(i, 5u, f32(n.x + quarters));
  write(i, 6u, f32(n.y));
  write(i, 7u, f32(n.z));
}

fn largest_of(i: u32, groups_of_eight: u32, part: f32) -> Largest {
  var largest = Largest();
  for (var k = 0u; k < 8u * groups_of_eight; k++) {
    let index = i + k * params.invocations;
    if (index < params.count) {
      let y = reference[index];
      let z = estimate[index];
      largest.error = max(largest.error, abs(z * part - y * part));
      largest.reference = max(largest.reference, abs(y));
      largest.estimate = max(largest.estimate, abs(z));
    }
  }
  return largest;
}

// Sums of (e · part · 2^−n.x)², (reference · 2^−n.y)² and (estimate · 2^−n.z)².
fn scaled_sums(i: u32, groups_of_eight: u32, part: f32, n: vec3<i32>) -> Sums {
  let error_scale = power_of_two(-n.x);
  let reference_scale = power_of_two(-n.y);
  let estimate_scale = power_of_two(-n.z);
  var sums = Sums();
  for (var g = 0u; g < groups_of_eight; g++) {
    var group = Sums();
    for (var j = 0u; j < 8u; j++) {
      let index = i + (8u * g + j) * params.invocations;
      if (index < params.count) {
        let e = (estimate[index] * part - reference[index] * part) * error_scale;
        let y = reference[index] * reference_scale;
        let z = estimate[index] * estimate_scale;
        group.error += e * e;
        group.reference += y * y;
        group.estimate += z * z;
        group.inner += y * z;
      }
    }
    add(&sums, group);
  }
  return sums;
}

fn add(sums: ptr<function, Sums>, more: Sums) {
  (*sums).error += more.error;
  (*sums).reference += more.reference;
  (*sums).estimate += more.estimate;
  (*sums).inner += more.inner;
}

fn bits_of(largest: vec4<f32>) -> u32 {
  let bits = bitcast<vec4<u32>>(largest);
  return max(max(bits.x, bits.y), max(bits.z, bits.w));
}

// Whether a sum of squares that did not overflow lost nothing to speak of at the other end.
fn is_summed(squares: vec4<f32>) -> bool {
  return bits_of(squares) >= SMALLEST_SUM;
}

// ⌊log2⌋ of a magnitude by its bits, within what power_of_two can undo; subnormal numbers count as the smallest normal.
fn exponent_of(bits: u32) -> i32 {
  return clamp(i32(bits >> 23u) - 127, -126, 126);
}

// 2^n, −126 ≤ n ≤ 126.
fn power_of_two(n: i32) -> f32 {
  return bitcast<f32>(u32(n + 127) << 23u);
}

fn sum_of(v: vec4<f32>) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

fn write(i: u32, quantity: u32, value: f32) {
  partials[quantity * params.invocations + i] = value;
}
