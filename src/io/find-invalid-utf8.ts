/**
 * The first place where `bytes` is not UTF-8, with the bytes that show it (at most 4), or null.
 * Source: The Unicode Standard, table of well-formed UTF-8 byte sequences: no overlong forms, no surrogates, nothing
 * above U+10FFFF.
 */
export function findInvalidUtf8(bytes: Uint8Array): { readonly at: number; readonly bytes: Uint8Array } | null {
  let at = 0
  while (at < bytes.length) {
    const lead = bytes[at]
    if (lead < 0x80) {
      at++
      continue
    }
    const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0
    if (length === 0) return { at, bytes: bytes.subarray(at, at + 1) }
    for (let i = 1; i < length; i++) {
      const [low, high] = i === 1 ? secondByteRange(lead) : [0x80, 0xbf]
      const byte = bytes[at + i]
      // Past the end `byte` is undefined and neither comparison holds.
      if (!(byte >= low && byte <= high)) return { at, bytes: bytes.subarray(at, at + i + 1) }
    }
    at += length
  }
  return null
}

function secondByteRange(lead: number): readonly [number, number] {
  if (lead === 0xe0) return [0xa0, 0xbf]
  if (lead === 0xed) return [0x80, 0x9f]
  if (lead === 0xf0) return [0x90, 0xbf]
  if (lead === 0xf4) return [0x80, 0x8f]
  return [0x80, 0xbf]
}
