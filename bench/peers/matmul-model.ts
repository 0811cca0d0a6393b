/** ONNX models of one product each, written as protocol buffers by hand. */
import type { Int4Weight } from '../../src/experiment/bench/peer'

const encoder = new TextEncoder()

function varint(value: number): number[] {
  const bytes = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest & 127) | 128)
  }
}

/** A field that holds a number. */
const number = (field: number, value: number) => [...varint(field << 3), ...varint(value)]

/** A field that holds a message or a string. */
const bytes = (field: number, content: readonly number[]) => [
  ...varint((field << 3) | 2),
  ...varint(content.length),
  ...content,
]

const text = (field: number, value: string) => bytes(field, [...encoder.encode(value)])

const FLOAT = 1
const UINT8 = 2

/** ValueInfoProto of a tensor; a size with a name is known when it runs. */
function tensor(name: string, type: number, sizes: readonly (string | number)[]): number[] {
  const dimension = (size: string | number) => bytes(1, typeof size === 'string' ? text(2, size) : number(1, size))
  const tensorType = bytes(1, [...number(1, type), ...bytes(2, sizes.flatMap(dimension))])
  return [...text(1, name), ...bytes(2, tensorType)]
}

/** y = a · b for f32 matrices of any shape: the model's file, opset 13. */
export function matmulModel(): Uint8Array {
  const node = [...text(1, 'a'), ...text(1, 'b'), ...text(2, 'y'), ...text(4, 'MatMul')]
  const graph = [
    ...bytes(1, node),
    ...text(2, 'product'),
    ...bytes(11, tensor('a', FLOAT, ['m', 'k'])),
    ...bytes(11, tensor('b', FLOAT, ['k', 'n'])),
    ...bytes(12, tensor('y', FLOAT, ['m', 'n'])),
  ]
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, 13))])
}

const INT = 2
const DOMAIN = 'com.microsoft'
const BITS = 4
/** Products in f32, not in int8. */
const FLOAT_ACCURACY = 1

export const INT4_BLOCK = 32

/** y = a · wᵀ by MatMulNBits, for any number of rows of a; the codes and scales of w are inputs. */
export function int4Model({ rows, cols }: Pick<Int4Weight, 'rows' | 'cols'>): Uint8Array {
  const attribute = (name: string, value: number) =>
    bytes(5, [...text(1, name), ...number(3, value), ...number(20, INT)])
  const blocks = cols / INT4_BLOCK
  const node = [
    ...['a', 'codes', 'scales'].flatMap((name) => text(1, name)),
    ...text(2, 'y'),
    ...text(4, 'MatMulNBits'),
    ...attribute('K', cols),
    ...attribute('N', rows),
    ...attribute('bits', BITS),
    ...attribute('block_size', INT4_BLOCK),
    ...attribute('accuracy_level', FLOAT_ACCURACY),
    ...text(7, DOMAIN),
  ]
  const graph = [
    ...bytes(1, node),
    ...text(2, 'product'),
    ...bytes(11, tensor('a', FLOAT, ['m', cols])),
    ...bytes(11, tensor('codes', UINT8, [rows, blocks, INT4_BLOCK / 2])),
    ...bytes(11, tensor('scales', FLOAT, [rows, blocks])),
    ...bytes(12, tensor('y', FLOAT, ['m', rows])),
  ]
  const opsets = [...bytes(8, number(2, 21)), ...bytes(8, [...text(1, DOMAIN), ...number(2, 1)])]
  return Uint8Array.from([...number(1, 10), ...bytes(7, graph), ...opsets])
}
