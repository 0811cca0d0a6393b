/** An ONNX model of one MatMul, written as protocol buffers by hand: y = a · b for f32 matrices of any shape. */

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

/** ValueInfoProto of an f32 matrix [rows, cols] whose sizes are known when it runs. */
function matrix(name: string, rows: string, cols: string): number[] {
  const dimension = (size: string) => bytes(1, text(2, size))
  const shape = bytes(2, [...dimension(rows), ...dimension(cols)])
  const tensorType = bytes(1, [...number(1, FLOAT), ...shape])
  return [...text(1, name), ...bytes(2, tensorType)]
}

/** The model's file, opset 13. */
export function matmulModel(): Uint8Array {
  const node = [...text(1, 'a'), ...text(1, 'b'), ...text(2, 'y'), ...text(4, 'MatMul')]
  const graph = [
    ...bytes(1, node),
    ...text(2, 'product'),
    ...bytes(11, matrix('a', 'm', 'k')),
    ...bytes(11, matrix('b', 'k', 'n')),
    ...bytes(12, matrix('y', 'm', 'n')),
  ]
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, number(2, 13))])
}
