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

/** A tensor that will be written, its bytes elsewhere. */
export type TensorFacts = Omit<TensorToWrite, 'bytes'> & { readonly byteLength: number }

/** What comes before the data, and in which order the data follows. */
export interface FileLayout<T extends TensorFacts> {
  readonly header: Uint8Array<ArrayBuffer>
  readonly order: readonly T[]
}

/**
 * Header and order of a safetensors file. The same input in any order gives the same bytes: metadata first with its keys
 * sorted, wider dtypes before narrower ones (which keeps every tensor aligned), then by name; padded with spaces.
 *
 * Throws Error for a repeated name, the reserved name, or a length that does not match shape x dtype: a caller's bug.
 */
export function layOutSafetensors<T extends TensorFacts>(
  tensors: readonly T[],
  metadata: Readonly<Record<string, string>> = {},
): FileLayout<T> {
  const order = [...tensors].sort((a, b) => DTYPE_BITS[b.dtype] - DTYPE_BITS[a.dtype] || compareText(a.name, b.name))
  checkTensors(order)
  const members: string[] = []
  const keys = Object.keys(metadata).sort(compareText)
  if (keys.length > 0) {
    const pairs = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`)
    members.push(`"__metadata__":{${pairs.join(',')}}`)
  }
  let dataBytes = 0
  for (const { name, dtype, shape, byteLength } of order) {
    // Written by hand: a tensor named "__proto__" would vanish from an object literal.
    const offsets = `[${dataBytes},${dataBytes + byteLength}]`
    const fields = `{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":${offsets}}`
    members.push(`${JSON.stringify(name)}:${fields}`)
    dataBytes += byteLength
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`)
  const headerBytes = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT
  const header = new Uint8Array(ALIGNMENT + headerBytes).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(headerBytes), true)
  header.set(json, ALIGNMENT)
  return { header, order }
}

/** A safetensors file as layOutSafetensors has it. */
export function writeSafetensors(
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const measured = tensors.map((tensor) => ({ ...tensor, byteLength: tensor.bytes.length }))
  const { header, order } = layOutSafetensors(measured, metadata)
  const file = new Uint8Array(order.reduce((sum, { byteLength }) => sum + byteLength, header.length))
  file.set(header)
  let at = header.length
  for (const { bytes } of order) {
    file.set(bytes, at)
    at += bytes.length
  }
  return file
}

function checkTensors(tensors: readonly TensorFacts[]): void {
  const names = new Set<string>()
  for (const { name, dtype, shape, byteLength } of tensors) {
    if (name === '__metadata__' || names.has(name))
      throw new Error(`tensor name ${quoted(name)} is reserved or repeated`)
    names.add(name)
    const needed = (shape.reduce((product, axis) => product * axis, 1) * DTYPE_BITS[dtype]) / 8
    if (needed !== byteLength) {
      throw new Error(`tensor ${quoted(name)}: ${needed} bytes by shape and dtype, ${byteLength} given`)
    }
  }
}

/** By UTF-16 code unit, the same on every system. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
