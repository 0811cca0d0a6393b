/** Header lengths are at most this long (safetensors format); a longer claim is not hashed. */
const MAX_HEADER_BYTES = 100_000_000

/**
 * The first 12 hexadecimal digits of the SHA-256 of a safetensors header: what a link recognises a file by. Reads the
 * 8 length bytes and the header only. '' where the browser offers no digest (pages without https).
 */
export async function headerHash(file: Blob): Promise<string> {
  const subtle = globalThis.crypto?.subtle
  if (!subtle || file.size < 8) return ''
  const length = Number(new DataView(await file.slice(0, 8).arrayBuffer()).getBigUint64(0, true))
  if (length > MAX_HEADER_BYTES) return ''
  const digest = new Uint8Array(await subtle.digest('SHA-256', await file.slice(8, 8 + length).arrayBuffer()))
  return [...digest.subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
