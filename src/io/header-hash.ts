import type { ByteSource } from './byte-source'

/** Header lengths are at most this long (safetensors format); a longer claim is not hashed. */
const MAX_HEADER_BYTES = 100_000_000

const LENGTH_BYTES = 8
const HASH_BYTES = 6

/**
 * The first 12 hexadecimal digits of the SHA-256 of a safetensors header: what a link recognises a file by. Reads the
 * 8 length bytes and the header only. '' where the file has no such header, and where the browser offers no digest
 * (pages without https).
 */
export async function headerHash(source: ByteSource): Promise<string> {
  const subtle = globalThis.crypto?.subtle
  if (!subtle || source.byteLength < LENGTH_BYTES) return ''
  const length = Number(new DataView(await source.slice(0, LENGTH_BYTES)).getBigUint64(0, true))
  if (length > Math.min(MAX_HEADER_BYTES, source.byteLength - LENGTH_BYTES)) return ''
  const header = await source.slice(LENGTH_BYTES, LENGTH_BYTES + length)
  const digest = new Uint8Array(await subtle.digest('SHA-256', header))
  return [...digest.subarray(0, HASH_BYTES)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
