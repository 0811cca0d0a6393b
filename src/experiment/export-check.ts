/** The last step of an export: the file is opened as a user's would be, and its weight compared. */
import { FileError } from '../core/errors'
import { readTensors } from '../io/read-tensors'
import { readRows } from '../io/read-values'

/**
 * Throws FileError EX-01 unless `file`, opened by our own reader, gives `expected` as the tensor `name`, bit for bit;
 * says how many elements differ and which is the first.
 */
export async function checkReadBack(
  file: Uint8Array<ArrayBuffer>,
  name: string,
  expected: Float32Array,
): Promise<void> {
  const slice = async (start: number, end: number) => file.slice(start, end).buffer
  const source = { name: 'export', byteLength: file.length, slice }
  const { tensors } = await readTensors(source)
  const tensor = tensors.find((one) => one.name === name)
  if (!tensor) throw new FileError('EX-01', `export: expected "${name}" in the file when read back, found none.`)
  const rows = tensor.shape.slice(0, -1).reduce((product, axis) => product * axis, 1)
  const found = await readRows(() => source, tensor, { start: 0, end: rows })
  const [a, b] = [bitsOf(found), bitsOf(expected)]
  if (a.length !== b.length) {
    throw new FileError('EX-01', `export: "${name}": expected ${b.length} elements when read back, found ${a.length}.`)
  }
  const differing = a.reduce((count, word, i) => count + Number(word !== b[i]), 0)
  if (differing === 0) return
  const first = a.findIndex((word, i) => word !== b[i])
  throw new FileError(
    'EX-01',
    `export: "${name}": expected the quantized weight when read back, found ${differing} of ${a.length} elements different; ` +
      `the first is element ${first}: ${expected[first]} became ${found[first]}.`,
  )
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length)
}
