import { quoted } from './number-text'
import { DTYPE_BITS, type Dtype } from './tensor-view'

/** A tensor to be written: its bytes as they shall stand in the file, row-major, little-endian. */
export interface TensorToWrite {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
}

/** Header and data begin on multiples of this, so that a reader may map any dtype in place. */
const ALIGNMENT = 8

/**
 * A safetensors file. The same input in any order gives the same bytes: metadata first with its keys sorted, wider
 * dtypes before narrower ones (which keeps every tensor aligned), then by name; header padded with spaces.
 *
 * Throws Error for a repeated name, the reserved name, or bytes that do not match shape x dtype: a caller's bug.
 */
export function writeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const sorted = [...tensors].sort((a, b) => DTYPE_BITS[b.dtype] - DTYPE_BITS[a.dtype] || compareText(a.name, b.name))
  checkTensors(sorted)
  const members: string[] = []
  const keys = Object.keys(metadata).sort(compareText)
  if (keys.length > 0) {
    const pairs = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`)
    members.push(`"__metadata__":{${pairs.join(',')}}`)
  }
  let dataBytes = 0
  for (const { name, dtype, shape, bytes } of sorted) {
    // Written by hand: a tensor named "__proto__" would vanish from an object literal.
    const offsets = `[${dataBytes},${dataBytes + bytes.length}]`
    const fields = `{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":${offsets}}`
    members.push(`${JSON.stringify(name)}:${fields}`)
    dataBytes += bytes.length
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`)
  const headerBytes = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT
  const file = new Uint8Array(ALIGNMENT + headerBytes + dataBytes)
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true)
  file.set(json, ALIGNMENT)
  file.fill(0x20, ALIGNMENT + json.length, ALIGNMENT + headerBytes)
  let at = ALIGNMENT + headerBytes
  for (const { bytes } of sorted) {
    file.set(bytes, at)
    at += bytes.length
  }
  return file
}

function checkTensors(tensors: readonly TensorToWrite[]): void {
  const names = new Set<string>()
  for (const { name, dtype, shape, bytes } of tensors) {
    if (name === '__metadata__' || names.has(name))
      throw new Error(`tensor name ${quoted(name)} is reserved or repeated`)
    names.add(name)
    const needed = (shape.reduce((product, axis) => product * axis, 1) * DTYPE_BITS[dtype]) / 8
    if (needed !== bytes.length) {
      throw new Error(`tensor ${quoted(name)}: ${needed} bytes by shape and dtype, ${bytes.length} given`)
    }
  }
}

/** By UTF-16 code unit, the same on every system. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
