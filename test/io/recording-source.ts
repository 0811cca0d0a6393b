import type { ByteSource } from '../../src/io/byte-source'

/** A ByteSource over bytes in memory that keeps a list of what was asked of it. */
export function recordingSource(
  bytes: Uint8Array,
  name = 'file.safetensors',
): ByteSource & { readonly reads: [start: number, end: number][] } {
  const reads: [number, number][] = []
  const slice = (start: number, end: number) => {
    reads.push([start, end])
    return Promise.resolve(new Uint8Array(bytes.subarray(start, end)).buffer)
  }
  return { name, byteLength: bytes.length, slice, reads }
}
