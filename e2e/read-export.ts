import { readTensors } from '../src/io/read-tensors'
import { readRows } from '../src/io/read-values'

/** The weight in an exported file as our own reader sees it. */
export interface ReadExport {
  readonly shape: readonly number[]
  readonly values: Float32Array
  /** Every tensor of the file. */
  readonly names: readonly string[]
}

/** Reads the one weight of an exported layer, packed or not. */
export async function exportedLayerOf(bytes: Buffer): Promise<ReadExport> {
  const source = {
    name: 'exported.safetensors',
    byteLength: bytes.byteLength,
    slice: async (start: number, end: number) => Uint8Array.from(bytes.subarray(start, end)).buffer,
  }
  const { tensors } = await readTensors(source)
  const weight = tensors.find(({ name }) => name.endsWith('.weight'))
  if (!weight) throw new Error(`no weight among ${tensors.map(({ name }) => name).join(', ')}`)
  const [rows] = weight.shape
  return {
    shape: weight.shape,
    values: await readRows(() => source, weight, { start: 0, end: rows }),
    names: tensors.map(({ name }) => name),
  }
}
