/** A tensor of a golden file. `floats()` reads F32, F16 and BF16; everything else is for `bytes`. */
export interface GoldenTensor {
  readonly dtype: string
  readonly shape: readonly number[]
  readonly bytes: Uint8Array
  floats(): Float32Array
}

function widenHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** The values of little-endian F32, F16 or BF16 bytes. */
export function parseFloats(dtype: string, bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const half = { length: bytes.byteLength / 2 }
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes.slice().buffer)
    case 'BF16':
      return new Float32Array(Uint32Array.from(half, (_, i) => view.getUint16(2 * i, true) << 16).buffer)
    case 'F16':
      return Float32Array.from(half, (_, i) => widenHalf(view.getUint16(2 * i, true)))
    default:
      throw new Error(`golden tensor: expected F32, F16 or BF16, found ${dtype}`)
  }
}

/** Reads a well-formed safetensors file; a test helper that shares no code with src/io and checks nothing. */
export function parseSafetensors(file: Uint8Array): Map<string, GoldenTensor> {
  const plain = new Uint8Array(file.buffer, file.byteOffset, file.byteLength) // a Node Buffer slices without copying
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const dataStart = 8 + Number(view.getBigUint64(0, true))
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    new TextDecoder().decode(plain.subarray(8, dataStart)),
  )
  const tensors = new Map<string, GoldenTensor>()
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const bytes = plain.slice(dataStart + data_offsets[0], dataStart + data_offsets[1])
    tensors.set(name, { dtype, shape, bytes, floats: () => parseFloats(dtype, bytes) })
  }
  return tensors
}
