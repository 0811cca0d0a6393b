import { readFileSync } from 'node:fs'

/** Reads recorded F64, F32 and I8 tensors of a safetensors file under test/golden as doubles. */
export function goldenTensors(path: string): (name: string) => Float64Array {
  const file = readFileSync(new URL(`../golden/${path}`, import.meta.url))
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const headerBytes = Number(view.getBigUint64(0, true))
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes)) as Record<
    string,
    { dtype: string; data_offsets: [number, number] }
  >
  return (name) => {
    const entry = header[name]
    if (!entry) throw new Error(`${path}: no tensor "${name}"`)
    const [start, end] = entry.data_offsets.map((offset) => 8 + headerBytes + offset)
    switch (entry.dtype) {
      case 'F64':
        return Float64Array.from({ length: (end - start) / 8 }, (_, i) => view.getFloat64(start + 8 * i, true))
      case 'F32':
        return Float64Array.from({ length: (end - start) / 4 }, (_, i) => view.getFloat32(start + 4 * i, true))
      case 'I8':
        return Float64Array.from({ length: end - start }, (_, i) => view.getInt8(start + i))
      default:
        throw new Error(`${path}: "${name}" has dtype ${entry.dtype}, this reader knows F64, F32 and I8`)
    }
  }
}
