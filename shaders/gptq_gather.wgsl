// destination[row, place] = source[row, order[place]]: the columns of a weight in processing order.
// source, destination: [rows, stride], a multiple of 32 columns, padding 0.
// order: [stride], the column at each place; places in the padding name themselves.
// One invocation writes four places of one row.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  stride4: u32, // in vec4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read> order: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read_write> destination: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn gptq_gather(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = workgroup_index(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.stride4) {
    return;
  }
  let row = index / params.stride4;
  let at = index - row * params.stride4;
  let places = vec4<u32>(row * params.stride4 * 4u) + order[at];
  destination[index] = vec4<f32>(source[places.x], source[places.y], source[places.z], source[places.w]);
}
