// Codes packed into words, the first one lowest. The products are shifts: software adapters shift slowly.

fn eight_nibbles(low: vec4<u32>, high: vec4<u32>) -> u32 {
  let pairs = (low + high * vec4<u32>(0x10000u)) * vec4<u32>(1u, 0x10u, 0x100u, 0x1000u);
  return pairs.x | pairs.y | pairs.z | pairs.w;
}

fn four_bytes(four: vec4<u32>) -> u32 {
  let bytes = four * vec4<u32>(1u, 0x100u, 0x10000u, 0x1000000u);
  return bytes.x | bytes.y | bytes.z | bytes.w;
}

fn four_halves(four: vec4<u32>) -> vec2<u32> {
  return four.xz | (four.yw << vec2<u32>(16u));
}
