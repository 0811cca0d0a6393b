// The host folds more than 65,535 workgroups into a second dimension (src/gpu/recorder.ts); this undoes it.
fn workgroup_index(id: vec3<u32>, count: vec3<u32>) -> u32 {
  return id.y * count.x + id.x;
}
